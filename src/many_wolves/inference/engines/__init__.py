"""Engines: Stan programs compiled, evaluated and sampled."""
