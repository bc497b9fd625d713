"""The import hook: finder and loader, startup files, and the `hook` commands. Imports nothing itself."""
