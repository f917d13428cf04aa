"""Trials as Inspect samples, and Inspect logs as responses; knows no task family.

Its modules need inspect-ai, which takes a second to import: they are imported where
they are used.
"""
