"""huggingface_hub: where it writes to the Hub."""
