"""Search for rules of an experiment that serve several objectives."""
