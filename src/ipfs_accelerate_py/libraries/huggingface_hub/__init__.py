"""huggingface_hub: what is watched of it."""
