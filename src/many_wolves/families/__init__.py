"""The registry of task families: all that are installed under the entry-point group.

A family is registered by one line in the ``pyproject.toml`` of its package::

    [project.entry-points."many_wolves.families"]
    tones = "my_package:Tones"

Families of this project are registered in the same way. This module imports a family only on
demand.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Reference, TaskFamily
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest

if TYPE_CHECKING:
    from many_wolves.contracts import Design

GROUP = "many_wolves.families"
DEFAULT = "politeness"
"""Family of tables and fits that record none, which come from the first versions."""

log = logging.getLogger("many_wolves")


@dataclass(frozen=True)
class Part:
    """The meaning of a task name on the command line: a task, or a part of one.

    Parameters
    ----------
    family, task
        The task.
    values
        Values of its design that select the part; empty for the whole task.
    """

    family: str
    task: str
    values: Mapping[str, Any]


@cache
def _entries() -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if found.setdefault(entry.name, entry).value != entry.value:
            raise WolvesError(
                f"two packages register the task family {entry.name!r}: "
                f"{found[entry.name].value} and {entry.value}",
                fix="remove one of the two packages",
            )
    if not found:
        raise WolvesError(
            "no task family is installed, not even those of many-wolves itself",
            fix="install it again: `make sync` in a checkout, else `pip install many-wolves`",
        )
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def names() -> list[str]:
    """Names of the families, the default one first."""
    return list(_entries())


@cache
def get(name: str) -> TaskFamily:
    """The family called ``name``.

    Raises
    ------
    WolvesError
        If there is none with that name, or its package cannot be imported.
    """
    if name not in _entries():
        raise WolvesError(f"unknown task family {name!r}", fix=nearest(name, names()))
    entry = _entries()[name]
    try:
        family: TaskFamily = entry.load()()
    except WolvesError:
        raise
    except Exception as fault:
        package = entry.dist.name if entry.dist else entry.module
        raise WolvesError(
            f"the task family {name!r} ({entry.value}) cannot be loaded: "
            f"{type(fault).__name__}: {fault}",
            fix=f"update or remove the package {package}",
        ) from fault
    return family


def loadable() -> Iterator[TaskFamily]:
    """Every family that can be imported, with a warning about each of the others."""
    for name in names():
        try:
            yield get(name)
        except WolvesError as fault:
            log.warning("%s", fault)


def tasks() -> dict[str, TaskFamily]:
    """Families by the names of their tasks.

    If two families have tasks with the same name, these are called ``FAMILY/TASK``.
    """
    found: dict[str, list[TaskFamily]] = {}
    for family in loadable():
        for task in family.tasks:
            found.setdefault(task, []).append(family)
    return {
        task if len(families) == 1 else f"{family.name}/{task}": family
        for task, families in found.items()
        for family in families
    }


def of_task(task: str) -> tuple[TaskFamily, str]:
    """The family that ``task`` belongs to, and the family's own name for it.

    Raises
    ------
    WolvesError
        If no task has that name.
    """
    known = tasks()
    if task not in known:
        raise WolvesError(f"unknown task {task!r}", fix=nearest(task, known))
    return known[task], task.rpartition("/")[2]


def parts(name: str) -> list[Part]:
    """The tasks that a name means: one task, all tasks of a family, or a part of a task.

    Raises
    ------
    WolvesError
        If the name is unknown.
    """
    known = tasks()
    if name in known:
        return [Part(known[name].name, name.rpartition("/")[2], {})]
    if name in names():
        return [Part(name, task, {}) for task in get(name).tasks]
    inner = _inner_parts()
    if name not in inner:
        raise WolvesError(f"unknown task {name!r}", fix=nearest(name, [*known, *names(), *inner]))
    return [inner[name]]


def _inner_parts() -> dict[str, Part]:
    return {
        part: Part(family.name, task, values)
        for family in reversed(list(loadable()))
        for task in family.tasks
        for part, values in family.design(task).parts.items()
    }


def designs() -> dict[tuple[str, str], type[Design]]:
    """The design of every task by family and task."""
    return {
        (family.name, task): family.design(task) for family in loadable() for task in family.tasks
    }


def references() -> dict[str, tuple[TaskFamily, Reference]]:
    """Shipped data of the families by name, each with its family."""
    return {
        name: (family, reference)
        for family in loadable()
        for name, reference in family.references().items()
    }
