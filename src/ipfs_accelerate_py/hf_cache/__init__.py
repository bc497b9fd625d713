"""The user's own Hugging Face cache: what is left there for other programs, and how a `cache_dir=` is filled."""
