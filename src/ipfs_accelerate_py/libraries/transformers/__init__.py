"""transformers: its names and doors as data, and what serves the doors."""
