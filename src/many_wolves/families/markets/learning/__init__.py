"""Players that learn by reinforcement; needs the extra ``rl``."""
