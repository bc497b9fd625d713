"""The libraries, a file each: `make(root)` lays its tiny repos below a Hub's root, `load()` is a user's program.

Whatever a library takes from huggingface_hub at its import is taken at this file's import: it is imported before the
load. What is too large to be installed here is a file `sequence_of_...`: the calls that the library makes, in its
order and with its arguments, after the file and function of its source that the docstring names.
"""
