"""Sampling: from a problem to a posterior with its verdict."""
