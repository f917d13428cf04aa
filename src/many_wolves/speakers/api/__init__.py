"""Models behind an API, asked through inspect-ai."""
