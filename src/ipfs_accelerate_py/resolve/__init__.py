"""The authorities for what the bytes of a name must be: the Hub, a lock file, publishers, this machine's memory."""
