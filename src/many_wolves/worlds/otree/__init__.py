"""oTree as an engine: a server of its own where wanted, and clients that need no browser."""
