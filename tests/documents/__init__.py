"""Runs what the documents show: their code blocks, page by page."""
