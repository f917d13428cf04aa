"""Names of options on the command line."""


def flag(name: str) -> str:
    """The option of a name in Python: ``thinking_tokens`` is ``--thinking-tokens``."""
    return f"--{name.replace('_', '-')}"
