"""Never worse than plain: what plain transformers does right, a hooked process does right with the same values.

A cell is one state of the Hugging Face cache, one of our store (also as that of a machine in a fleet, whose agents run:
`fleets.py`), one of the Hub (or mirror, or node), and one thing that is loaded. Plain runs it in one process, hooked in
another, each with its own copy of the states; `verdicts` compares:

- plain is right: hooked gives the same values, log lines and warnings;
- plain fails: hooked is right, or fails alike (type and text);
- hooked is never later than plain + IPFS_ACCELERATE_TIMEOUT (judged by `make never-worse` alone).

    make never-worse                                              both lines, every cell, a table
    make never-worse NEVER_WORSE='load=tokenizer and slow'        the cells whose names have these words

What was measured is kept in `.never-worse/`: a run that was interrupted goes on, and plain is measured anew only where
its cell, the Hub of the tests or the libraries have changed. The short form is `test_cells.py`.

**The next kind of fault**: name it in `caches.py`, `stores.py` or `hubs.py` as one more row of a table; `cells.py` puts
it into cells by itself. What the Hub of the tests cannot do yet is one more key of its `Fault`
or field of its `Mirror`.
A report of a user's is one more line of `REPORTED` in `cells.py`, and so in the short form.
"""
