"""The commands, by module: `HELP`, `EXAMPLES`, `declare(parser)`, `execute(args) -> exit code`.

Only the module of the command that is called is imported, and what its work needs only when it is executed.
"""
