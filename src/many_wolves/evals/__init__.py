"""Converts trials to Inspect samples, and Inspect logs to responses, for any task family.

Its modules need inspect-ai, which takes a second to import: they are imported where
they are used.
"""
