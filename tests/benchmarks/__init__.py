"""Measurements, ours and the alternative in turn in one run; never part of the test suite. `make bench` runs them all."""
