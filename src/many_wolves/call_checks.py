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
            if name.startswith("_") and name != "__init__":
                continue
            if name == "__init__" and is_dataclass(called):
                # Their fields are not options: only the names and their number are checked.
                setattr(called, name, _checked(member, skipped=1, typed=False))
                continue
            if isinstance(member, classmethod):
                setattr(called, name, classmethod(_checked(member.__func__, skipped=1)))
            elif inspect.isfunction(member):
                setattr(called, name, _checked(member, skipped=1))
        return called
    return _checked(called) if inspect.isfunction(called) else called


def _checked(function: Any, skipped: int = 0, *, typed: bool = True) -> Any:
    """The first ``skipped`` arguments, such as ``self``, do not count as options."""
    signature = inspect.signature(function)
    known = list(signature.parameters.values())
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known):
        return _wrapped(function, signature, None, typed=typed)
    names = [one.name for one in known[skipped:] if one.kind is not one.VAR_POSITIONAL]
    return _wrapped(function, signature, names, typed=typed)


def _wrapped(
    function: Callable[..., Any],
    signature: inspect.Signature,
    names: list[str] | None,
    *,
    typed: bool,
) -> Callable[..., Any]:
    order = [one.name for one in signature.parameters.values() if one.kind in _BY_PLACE]

    @functools.wraps(function)
    def call(*positional: Any, **options: Any) -> Any:
        called = function.__qualname__.removesuffix(".__init__")
        for name in options:
            if names is not None and name not in names:
                raise WolvesError(
                    f"{called}() has no option {name!r}",
                    fix=nearest(name, names) if names else "leave it out: it takes no options",
                )
        by_place = dict(zip(order, positional, strict=False))
        if typed:
            check_arguments(called, signature, by_place | options)
        try:
            signature.bind(*positional, **options)
        except TypeError as fault:
            raise WolvesError(
                f"{called}(): {fault}", fix=f"see help(many_wolves.{called})"
            ) from fault
        return function(*positional, **options)

    return call
