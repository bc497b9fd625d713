"""Measurements, ours and the alternative in turn in one run; no part of the test suite. `make bench` runs them."""
