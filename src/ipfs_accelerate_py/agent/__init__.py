"""The background process of a machine in a fleet: it keeps Kubo alive and serves the store to the other members."""
