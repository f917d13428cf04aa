"""Default numbers of calls in rounds; the options of `wolves collect` import them quickly."""

PER_ROUND, MOST_CALLS = 64, 5000
"""Maximum number of calls per round, and in total."""
