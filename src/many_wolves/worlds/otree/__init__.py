"""oTree as an engine: an optional local server, and clients that need no browser."""
