"""Prose lint: reads the rules of vale and checks documents, docstrings and messages."""
