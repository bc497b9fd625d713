"""The startup files of an environment, and `run`: how the hook comes into an interpreter."""
