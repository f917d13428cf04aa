"""Python calls with a misspelt option: an error that names the nearest one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.sources import nearest


def names_checked[Called](called: Called) -> Called:
    """A function, or a class with its public methods, that names the nearest option.

    Functions that take any option are left as they are: whoever reads the options checks them.
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
    """``skipped`` first arguments, such as ``self``, are none of the user's."""
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
