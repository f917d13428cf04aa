"""Engines that compile, evaluate and sample Stan programs."""
