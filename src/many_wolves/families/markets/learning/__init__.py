"""Players trained by reinforcement learning, and their gains at the expense of others."""
