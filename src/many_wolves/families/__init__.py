"""The registry of task families: one line each."""

from __future__ import annotations

import importlib

from many_wolves.contracts import TaskFamily
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest

_FAMILIES = {
    "politeness": "many_wolves.families.politeness:Politeness",
}
"""Name -> module and class; a family is imported when it is asked for."""


def names() -> list[str]:
    """Names of the families."""
    return list(_FAMILIES)


def get(name: str) -> TaskFamily:
    """The family called ``name``.

    Raises
    ------
    WolvesError
        If there is none of that name.
    """
    if name not in _FAMILIES:
        raise WolvesError(f"unknown task family {name!r}", mend=nearest(name, _FAMILIES))
    module, _, attribute = _FAMILIES[name].partition(":")
    family: TaskFamily = getattr(importlib.import_module(module), attribute)()
    return family
