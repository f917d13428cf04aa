"""Measure how language models trade being informative against being kind.

In a notebook, ``import many_wolves as mw`` and see ``many_wolves.notebook``; at the
command line, ``wolves --help``.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = [
    "figure_of",
    "findings_of",
    "fit",
    "people",
    "read_choices",
    "read_fit",
    "report_on",
]


def __getattr__(name: str) -> Any:
    """The names of ``many_wolves.notebook``, imported when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'many_wolves' has no attribute {name!r}")
    return getattr(importlib.import_module("many_wolves.notebook"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
