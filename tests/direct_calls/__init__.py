"""Calls at huggingface_hub's public names, plain and hooked: the same result, error, log lines and files left behind.

    python -m tests.direct_calls [WORDS]      calls whose text has one of the words; a venv is a line of the client

A call is an expression (`files.py`, `words.py`, `filesystem.py`, `types.py`, `identity.py`), evaluated in a fork of its
own (`child.py`) with a home of its own, empty or as the same side has left it after it downloaded everything. What is
kept of it: `seen.py`. A difference that was decided is a line of `known.py`, with its reason. The short form is
`tests/integration/test_direct_calls.py`.
"""
