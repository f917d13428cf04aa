"""Errors for misspelt keyword arguments and arguments of a wrong type."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

from many_wolves.argument_types import check_arguments
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def calls_checked[Called](called: Called) -> Called:
    """Wrap a function, or the public methods of a class, to check the arguments of a call.

    A misspelt option suggests the nearest one. Arbitrary options are checked later.
    """
    if inspect.isclass(called):
        for name, member in list(vars(called).items()):
            if name.startswith("_") and (name != "__init__" or is_dataclass(called)):
                continue
            if isinstance(member, classmethod):
                setattr(called, name, classmethod(_checked(member.__func__, skipped=1)))
            elif inspect.isfunction(member):
                setattr(called, name, _checked(member, skipped=1))
        return called
    return _checked(called) if inspect.isfunction(called) else called


def _checked(function: Any, skipped: int = 0) -> Any:
    """The first ``skipped`` arguments, such as ``self``, do not count as options."""
    signature = inspect.signature(function)
    known = list(signature.parameters.values())
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known):
        return _wrapped(function, signature, None)
    names = [one.name for one in known[skipped:] if one.kind is not one.VAR_POSITIONAL]
    return _wrapped(function, signature, names)


def _wrapped(
    function: Callable[..., Any], signature: inspect.Signature, names: list[str] | None
) -> Callable[..., Any]:
    order = [one.name for one in signature.parameters.values() if one.kind in _BY_PLACE]

    @functools.wraps(function)
    def call(*positional: Any, **options: Any) -> Any:
        for name in options:
            if names is not None and name not in names:
                raise WolvesError(
                    f"{function.__qualname__}() has no option {name!r}",
                    fix=nearest(name, names) if names else "leave it out: it takes no options",
                )
        by_place = dict(zip(order, positional, strict=False))
        name = function.__qualname__.removesuffix(".__init__")
        check_arguments(name, signature, by_place | options)
        return function(*positional, **options)

    return call
