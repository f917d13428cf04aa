"""Measure the values that language models trade against each other, from what they choose.

In a notebook, ``import many_wolves as mw`` and see ``many_wolves.notebook``; at the
command line, ``wolves --help``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from many_wolves.notebook import (
        Answers,
        Fits,
        Observations,
        SpeakerFit,
        Study,
        WolvesError,
        calibrate,
        choices,
        collect,
        compare,
        compile,
        data,
        design,
        export,
        figure_of,
        findings_of,
        fit,
        fit_all,
        influence,
        pool,
        power,
        predict,
        read_choices,
        read_fit,
        read_fits,
        recover,
        report_on,
        sensitivity,
    )

__all__ = [
    "Answers",
    "Fits",
    "Observations",
    "SpeakerFit",
    "Study",
    "WolvesError",
    "calibrate",
    "choices",
    "collect",
    "compare",
    "compile",
    "data",
    "design",
    "export",
    "figure_of",
    "findings_of",
    "fit",
    "fit_all",
    "influence",
    "pool",
    "power",
    "predict",
    "read_choices",
    "read_fit",
    "read_fits",
    "recover",
    "report_on",
    "sensitivity",
]

_FORMER = ("people",)
"""Names of earlier versions, which still work."""


def __getattr__(name: str) -> Any:
    """The names of ``many_wolves.notebook``, imported when they are asked for."""
    if name not in __all__ and name not in _FORMER:
        raise AttributeError(f"module 'many_wolves' has no attribute {name!r}")
    found = getattr(importlib.import_module("many_wolves.notebook"), name)
    globals()[name] = checked = importlib.import_module("many_wolves.call_checks").calls_checked(
        found
    )
    return checked


def __dir__() -> list[str]:
    return sorted([*__all__, "__doc__", "__name__", "__path__"])
