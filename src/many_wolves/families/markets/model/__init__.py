"""Cognitive models of declarations, purchases, orders and learning."""
