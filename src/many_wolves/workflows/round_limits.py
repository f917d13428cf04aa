"""How many calls are made in rounds; light to import, for the options of `wolves collect`."""

PER_ROUND, MOST_CALLS = 64, 5000
"""Most calls per round, and in all."""
