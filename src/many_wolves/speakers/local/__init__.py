"""Speakers whose weights run on this machine: transformers and vLLM."""
