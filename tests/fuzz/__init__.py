"""Fuzzing of whatever reads bytes that others wrote: `make fuzz` tries a million and more, CI some for each target."""
