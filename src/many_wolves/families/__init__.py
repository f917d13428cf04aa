"""The registry of task families: one line each."""

from __future__ import annotations

import importlib

from many_wolves.contracts import TaskFamily
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest

_FAMILIES = {
    "politeness": "many_wolves.families.politeness:Politeness",
    "dilemmas": "many_wolves.families.dilemmas:Dilemmas",
}
"""Name -> module and class; a family is imported when it is asked for."""

_TASKS = {
    "politeness": "politeness",
    "dictator": "dilemmas",
    "dilemma": "dilemmas",
    "ultimatum": "dilemmas",
    "principal": "dilemmas",
}
"""Task, as ``--task`` names it -> its family."""


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


def tasks() -> list[str]:
    """Names of all tasks that tables can be of."""
    return list(_TASKS)


def of_task(task: str) -> TaskFamily:
    """The family that ``task`` belongs to.

    Raises
    ------
    WolvesError
        If there is no task of that name.
    """
    if task not in _TASKS:
        raise WolvesError(f"unknown task {task!r}", mend=nearest(task, _TASKS))
    return get(_TASKS[task])
