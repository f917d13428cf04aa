"""Sampling: from a problem to a posterior with a verdict."""
