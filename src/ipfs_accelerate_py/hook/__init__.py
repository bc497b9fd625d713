"""The import hook: finder and loader. Imports nothing itself."""
