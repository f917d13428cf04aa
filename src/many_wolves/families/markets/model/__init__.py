"""Cognitive models of declarations, purchases, orders and learning.

Each model has a module of data (``*_data``, from tables to arrays), one of NumPy (``*_numpy``,
the equations, the likelihood and a simulator) and one that offers it with its Stan program.
Nothing in the NumPy modules comes from the Stan programs, so that each can check the other.
"""
