"""transformers: its names as data, and its doors."""
