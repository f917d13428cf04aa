"""Players that learn by reinforcement, and what they take from others."""
