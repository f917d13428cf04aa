"""The base class of commands: both spellings of options, ``-h``, verbosity, and JSON output."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from many_wolves import progress
from many_wolves.errors import EMPTY_PATH, WolvesError

_JSON = "many_wolves.json"
_ABOUT_ITS_FOLDERS = ("mkdir -p failed for path", "Matplotlib created a temporary cache")

SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": lambda name: name.replace("_", "-"),
}
"""Settings of every command: ``--max_tokens`` and ``--max-tokens`` are the same option."""


class _Handler(logging.Handler):
    """Shows log messages on stderr, above the progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if getattr(record, "step", False):
            text = f"  {text} ..."
        console = progress.console()
        if console is not None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text, err=True)


_HANDLER = _Handler()


def _told(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def set_level(context: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            show_messages(level)

    return set_level


def _remember(key: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def remember(context: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            context.meta[key] = True

    return remember


def show_messages(level: int = logging.INFO) -> None:
    """Show messages of the library from this level on, whatever characters they contain."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logger = progress.log
    if _HANDLER not in logger.handlers:
        logger.addHandler(_HANDLER)
    logger.propagate = False
    logger.setLevel(level)
    logging.getLogger("matplotlib").addFilter(_is_worth_showing)


def _is_worth_showing(record: logging.LogRecord) -> bool:
    """Whether a message of matplotlib is not about a home folder that cannot be written.

    It then uses a temporary folder, and the user has nothing to correct.
    """
    return not record.getMessage().startswith(_ABOUT_ITS_FOLDERS)


def _flag(name: str, text: str, callback: Any) -> click.Option:
    return click.Option(
        [name], is_flag=True, expose_value=False, is_eager=True, callback=callback, help=text
    )


class _Path(click.Path):
    """A path that is not empty: Python takes an empty one for the current folder."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if isinstance(value, str) and not value.strip():
            options = param.opts if isinstance(param, click.Option) else []
            named = "/".join(options) or str(param and param.name).upper()
            raise WolvesError(f"{named}: expected a path, found an empty text", fix=EMPTY_PATH)
        return super().convert(value, param, ctx)

    @classmethod
    def like(cls, plain: click.Path) -> _Path:
        """The same type of parameter, which refuses an empty path."""
        made = cls()
        vars(made).update(vars(plain))
        return made


_LARGEST = 2**63 - 1


class _Finite:
    """A type of numbers that are finite and have at most 64 bits.

    Python reads ``nan`` and ``inf`` as numbers, and no comparison with a limit excludes NaN.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; click's error if it is out of range."""
        kind: Any = super()
        found = kind.convert(value, param, ctx)
        if not math.isfinite(found) or abs(found) > _LARGEST:
            this: Any = self
            this.fail(f"{value} is not a finite number of at most {_LARGEST:,}.", param, ctx)
        return found


_FINITE: dict[type, Any] = {
    plain: type(f"_Finite{plain.__name__}", (_Finite, plain), {})
    for plain in (click.FloatRange, click.IntRange, type(click.FLOAT), type(click.INT))
}


def _finite(plain: click.ParamType[Any]) -> click.ParamType[Any]:
    """The same type of numbers, which refuses those that are not finite."""
    kind = _FINITE[type(plain)]
    made: click.ParamType[Any] = kind.__new__(kind)
    vars(made).update(vars(plain))
    return made


class NearestChoice(click.Choice[Any]):
    """A choice of values that suggests the nearest one for a mistyped one."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The message for a value that is not one of the choices."""
        message = super().get_invalid_choice_message(value, ctx)
        close = get_close_matches(
            str(value).casefold(), [str(one) for one in self.choices if one], n=1, cutoff=0.5
        )
        return f"{message} Did you mean {close[0]!r}?" if close else message

    @classmethod
    def like(cls, plain: click.Choice[Any]) -> NearestChoice:
        """The same choice, which suggests the nearest value."""
        return cls(plain.choices, plain.case_sensitive)


class _NearestOption(click.Command):
    """A command that suggests the nearest option; click lists several in alphabetical order."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the name of the command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            close = list(error.possibilities or ())[:1]
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"{error.message}{hint}", error.ctx) from None


class Command(_NearestOption):
    """A command of ``wolves``; with ``as_json``, its result can be printed as JSON."""

    def __init__(self, *args: Any, as_json: bool = False, **kwargs: Any) -> None:
        kwargs["context_settings"] = {**SETTINGS, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if type(parameter.type) is click.Path:
                parameter.type = _Path.like(parameter.type)
            elif type(parameter.type) is click.Choice:
                parameter.type = NearestChoice.like(parameter.type)
            elif type(parameter.type) in _FINITE:
                parameter.type = _finite(parameter.type)
        self._general = [
            _flag("--quiet", "Show only warnings and errors.", _told(logging.WARNING)),
            _flag("--verbose", "Show more details of the progress.", _told(logging.DEBUG)),
            _flag("--debug", "Show the traceback of an unexpected error.", _told(logging.DEBUG)),
        ]
        if as_json:
            self._general.append(
                _flag("--json", "Print the result as one JSON object.", _remember(_JSON))
            )

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, then those of every command."""
        own = super().get_params(ctx)
        *before, last = own
        help_last = isinstance(last, click.Option) and "--help" in last.opts
        return [*before, *self._general, last] if help_last else [*own, *self._general]


class Group(_NearestOption, click.Group):
    """A group of commands that suggests the nearest name for a mistyped one."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["context_settings"] = {**SETTINGS, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names."""
        names = self.list_commands(ctx)
        word = args[0]
        known = {name: name for name in names} | {n.replace("-", "_"): n for n in names}
        if word not in known and not word.startswith("-"):
            close = get_close_matches(word, names, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else f" Commands: {', '.join(names)}."
            ctx.fail(f"No such command {word!r}.{hint}")
        return super().resolve_command(ctx, [known.get(word, word), *args[1:]])


def command(name: str, *, as_json: bool = False, **kwargs: Any) -> Callable[[Any], Command]:
    """A decorator that makes a ``Command`` of a function."""
    return click.command(name, cls=Command, as_json=as_json, **kwargs)


def wants_json() -> bool:
    """Whether the command that is running was asked for JSON."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_JSON))


def show(result: Mapping[str, Any], words: Callable[[], None]) -> None:
    """Print a result: as JSON if requested, otherwise with ``words``."""
    if wants_json():
        click.echo(json.dumps(plain(result), indent=1, ensure_ascii=False))
    else:
        words()


class Results:
    """Results that a command shows one after the other; as JSON, all in one object at the end.

    Parameters
    ----------
    name
        Name of their list in the JSON object.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[Mapping[str, Any]] = []

    def add(self, result: Mapping[str, Any], words: Callable[[], None]) -> None:
        """Show a result with ``words``, or keep it for the JSON object."""
        self._found.append(result)
        if not wants_json():
            words()

    def close(self) -> None:
        """Print the JSON object, if it was requested."""
        if wants_json():
            show({self._name: self._found}, lambda: None)


def plain(value: Any) -> Any:
    """A value that JSON can represent: tables as lists of rows, paths as text, NaN as null."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return [plain(row) for row in value.to_dict(orient="records")]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
