"""The libraries that read from the Hub, plain and hooked, in each state of the Hub: `make ecosystem`.

A cell is one library's load (`rows.py`, `cases/`) in one state (`states.py`): Hub well and nothing here, the same with
everything here, Hub refusing, hanging, answering 503, one byte of the weights flipped, and the hook activated after
the libraries were imported. Each is a fork of an interpreter that has imported them all (`lane.py`, `child.py`), with
real clients and a Hub on loopback. What a load gave is one digest of all tensors, rows and files (`digest.py`).
`verdicts.py` says what has to be:

- hooked gives what plain gives with the Hub well, in every state but the flipped byte;
- with the Hub down it takes 2 s more at most than with the Hub well;
- it asks the Hub once at most for each repo when all is here, and never more often than plain;
- a flipped byte is never loaded, and the message names its file.

Run by `make ecosystem` in an environment of its own (`requirements.txt`, `constraints.txt`):

    make ecosystem                                       every cell, a table
    make ecosystem ECOSYSTEM='vllm or diffusers'         the rows whose names have these words
    make ecosystem-short                                 the short form, `test_matrix.py`

Plain's answers are kept in `.ecosystem/` for the same libraries and cases. **The next library**: a file in `cases/`
and a line in `rows.py`.
"""
