"""Markets: whole economic experiments in several roles, played by language models."""
