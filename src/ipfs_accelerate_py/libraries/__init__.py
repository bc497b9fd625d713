"""The libraries that can be hooked: one file of names each."""
