"""Options of a command from the fields of pydantic models.

The fields that a family's models and designs declare become options of ``wolves fit`` and ``wolves
compile``. The declaration checks the values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from many_wolves.commands.command import NearestChoice

Function = Callable[..., Any]


class FieldOption(click.Option):
    """An option whose value is None where it was not given."""


def field_options(
    models: Mapping[str, type[BaseModel]],
    *,
    leave_out: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
    owner: str = "of",
) -> Callable[[Function], Function]:
    """One option for each field of the models; models that share a field share the option.

    Parameters
    ----------
    models
        Name of the owner of the fields -> its pydantic model.
    leave_out
        Fields that get no option.
    defaults
        Defaults to show in place of those of the models.
    owner
        Word before the names of the owners in an option's help.
    """
    fields: dict[str, dict[str, FieldInfo]] = {}
    for name, model in models.items():
        for field, info in model.model_fields.items():
            if field not in leave_out:
                fields.setdefault(field, {})[name] = info

    def decorate(function: Function) -> Function:
        for field, infos in reversed(fields.items()):
            everyone = len(infos) == len(models)
            whose = "" if everyone else f" ({owner} {', '.join(infos)})"
            option = _option(field, infos, whose, defaults or {})
            function = click.option(*option[0], cls=FieldOption, **option[1])(function)
        return function

    return decorate


def given(values: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Remove the options of ``fields`` from a command's arguments; return those that were given."""
    return {name: values[name] for name in fields if values.get(name) is not None}


def _option(
    field: str, infos: Mapping[str, FieldInfo], whose: str, defaults: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """Names and settings of the option of a field."""
    info = next(iter(infos.values()))
    plain = field.replace("_", "-")
    kinds = [_kind(one.annotation) for one in infos.values()]
    about: dict[str, Any] = {"default": None}
    names = [f"--{plain}", field]
    default = defaults.get(field, info.default)
    if all(kind is bool for kind in kinds):
        names = [f"--{plain}/--no-{plain}", field]
    elif all(kind == kinds[0] for kind in kinds):
        about["type"] = kinds[0]
    else:
        about["type"] = str
    shown = _shown(default)
    help_ = (info.description or "").rstrip(".")
    about["help"] = f"{help_}{whose}." + (f"  [default: {shown}]" if shown else "")
    if _is_model(info.annotation):
        about["type"], about["metavar"] = _Json(), "JSON"
    return names, about


class _Json(click.ParamType[Any]):
    """A JSON object, as text."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The object; a usage error where the text is not JSON."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            return self.fail(f"expected JSON: {error}", param, ctx)


def _bare(annotation: Any) -> Any:
    """The type without ``Annotated`` and without ``None``."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _is_model(annotation: Any) -> bool:
    found = _bare(annotation)
    return get_origin(found) is dict or (isinstance(found, type) and issubclass(found, BaseModel))


def _kind(annotation: Any) -> Any:
    """The click type of an annotation; text where it has none."""
    found = _bare(annotation)
    if get_origin(found) is Literal:
        return _Choice(tuple(str(value) for value in get_args(found)))
    if found is Path:
        return _FILE
    return found if found in (bool, int, float) else str


class _Choice(NearestChoice):
    """A choice type that compares equal to another one with the same values."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        super().__init__(choices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Choice) and tuple(self.choices) == tuple(other.choices)

    def __hash__(self) -> int:
        return hash(tuple(self.choices))


_FILE = click.Path(path_type=Path)


def _shown(value: Any) -> str:
    """A default as the help shows it; empty if there is nothing to show."""
    if value in (None, (), PydanticUndefined) or isinstance(value, BaseModel | bool | dict):
        return ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
