"""What keeps a store in order: inventory, audit, repair, garbage collection, lock files."""
