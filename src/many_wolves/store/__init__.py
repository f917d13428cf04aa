"""The files on disk: formats, writing and reading."""
