"""The files on disk, and how it is written and read."""
