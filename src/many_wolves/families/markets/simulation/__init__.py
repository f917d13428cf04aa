"""Scripted agents, theory and whole simulated sessions."""
