"""oTree as an engine: a local server where wanted, and clients that need no browser."""
