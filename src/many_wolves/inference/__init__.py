"""Inference for any cognitive model: engines, sampling, evaluation."""
