"""Signatures that show the options of the installed models, for completion."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from many_wolves.contracts import PooledModel
from many_wolves.workflows.models import all_models


def with_options[F: Callable[..., Any]](*, pooled: bool = False) -> Callable[[F], F]:
    """Decorate a function that takes the options of models, so that its signature lists them.

    Parameters
    ----------
    pooled
        Whether it takes the options of the models that pool speakers.
    """

    return _showing(lambda: _fields(pooled))


def with_settings[F: Callable[..., Any]](settings: type[BaseModel]) -> Callable[[F], F]:
    """Decorate a function that takes the fields of ``settings``, to list them in its signature."""
    return _showing(lambda: settings.model_fields)


def _showing[F: Callable[..., Any]](fields: Callable[[], Mapping[str, Any]]) -> Callable[[F], F]:
    def shown(function: F) -> F:
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        more = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.is_required() else field.default,
                annotation=field.annotation,
            )
            for name, field in fields().items()
            if name not in signature.parameters
        ]
        function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        return function

    return shown


def _fields(pooled: bool) -> dict[str, Any]:
    """Options by name."""
    return {
        name: field
        for model in all_models().values()
        if isinstance(model, PooledModel) == pooled
        for name, field in model.options.model_fields.items()
        if name != "pooling"
    }
