"""Errors for misspelt keyword arguments, which suggest the nearest option."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.sources import nearest


def names_checked[Called](called: Called) -> Called:
    """Wrap a function, or the public methods of a class, to suggest the nearest option.

    Functions that take arbitrary options are unchanged, because these are checked later.
    """
    if inspect.isclass(called):
        for name, member in list(vars(called).items()):
            if name.startswith("_"):
                continue
            if isinstance(member, classmethod):
                setattr(called, name, classmethod(_checked(member.__func__, skipped=1)))
            elif inspect.isfunction(member):
                setattr(called, name, _checked(member, skipped=1))
        return called
    return _checked(called) if inspect.isfunction(called) else called


def _checked(function: Any, skipped: int = 0) -> Any:
    """The first ``skipped`` arguments, such as ``self``, do not count as options."""
    known = list(inspect.signature(function).parameters.values())
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known):
        return function
    names = [one.name for one in known[skipped:] if one.kind is not one.VAR_POSITIONAL]
    return _wrapped(function, names)


def _wrapped(function: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*positional: Any, **options: Any) -> Any:
        for name in options:
            if name not in names:
                raise WolvesError(
                    f"{function.__qualname__}() has no option {name!r}", fix=nearest(name, names)
                )
        return function(*positional, **options)

    return call
