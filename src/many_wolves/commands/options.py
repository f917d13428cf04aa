"""Options that several commands share: answers, model, sampling."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.commands.fields import field_options, given
from many_wolves.contracts import CognitiveModel, Observations, PooledModel
from many_wolves.workflows.models import all_models
from many_wolves.workflows.sampling import Sampling, sampling_of

_CHOICES = "many_wolves.choices"
Function = Callable[..., Any]
Option = Callable[[Function], Function]

MODEL = click.option(
    "--model", metavar="NAME", help="Cognitive model (default: the first of the task)."
)
VARIANT = click.option(
    "--variant",
    metavar="NAME",
    help="Variant of the model, by its name in `wolves compare` (default: the full model).",
)
WORKERS = click.option(
    "--workers", type=click.IntRange(1), help="Fits at once (default: the number of cores)."
)
ONLY = click.option(
    "--only",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Keep only these rows, such as framing=third; can be given several times.",
)
FRAMING = click.option("--framing", help="The same as --only framing=NAME.")


def together(*options: Option) -> Option:
    """Several options as one decorator, shown in the order given."""

    def with_options(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def table_argument() -> Option:
    """The argument CHOICES, which can also be given as --choices, and the task of its table."""

    def remember(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        context.meta[_CHOICES] = path

    def either(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
        named: Path | None = context.meta.get(_CHOICES)
        if path is not None and named is not None:
            raise click.UsageError("CHOICES was given twice: as an argument and as --choices")
        return path if named is None else named

    path = click.Path(path_type=Path)
    return together(
        click.argument("choices", required=False, type=path, callback=either),
        click.option(
            "--choices",
            "choices_again",
            metavar="CHOICES",
            type=path,
            is_eager=True,
            expose_value=False,
            callback=remember,
            help="The same as the argument CHOICES.",
        ),
        TASK,
    )


def _task(context: click.Context, _: click.Parameter, name: str | None) -> str | None:
    """A task by its name; a family's name means its first task."""
    if name is None or name in families.tasks():
        return name
    return families.parts(name)[0].task


TASK = click.option(
    "--task",
    metavar="NAME",
    callback=_task,
    help="Task of the table CHOICES (default for a CSV file: politeness).",
)


def table_options(help_of_data: str) -> Option:
    """Options that select the answers: CHOICES or shipped data, one speaker, part of the rows."""
    return together(
        table_argument(),
        click.option(
            "--data", "--human", "data", metavar="NAME", help=f"{help_of_data}, such as yoon2020."
        ),
        click.option("--speaker", metavar="NAME", help="Speaker of the table."),
        ONLY,
        FRAMING,
    )


def speakers_of(values: Mapping[str, Any]) -> list[Observations]:
    """The observations that the options of ``table_options`` select, one per speaker."""
    from many_wolves.workflows.data import each_speaker

    framing = values.get("framing")
    parts = [*values.get("only", ()), *([f"framing={framing}"] if framing else [])]
    return each_speaker(
        values["choices"],
        values["data"],
        speaker=values["speaker"],
        parts=parts,
        task=values["task"],
    )


def observations_of(values: Mapping[str, Any]) -> Observations:
    """The observations that the options of ``table_options`` select."""
    from many_wolves.workflows.data import one_speaker

    framing = values.get("framing")
    parts = [*values.get("only", ()), *([f"framing={framing}"] if framing else [])]
    return one_speaker(
        values["choices"],
        values["data"],
        speaker=values["speaker"],
        parts=parts,
        task=values["task"],
    )


def single_models() -> dict[str, CognitiveModel]:
    """The models of one speaker of all families."""
    return {n: m for n, m in all_models().items() if not isinstance(m, PooledModel)}


def model_options(
    models: Mapping[str, CognitiveModel] | None = None, leave_out: Collection[str] = ()
) -> Option:
    """An option for each field of the models' options."""
    found = single_models() if models is None else models
    return field_options(
        {name: model.options for name, model in found.items()}, leave_out=leave_out
    )


def model_values(
    values: Mapping[str, Any], models: Mapping[str, CognitiveModel] | None = None
) -> dict[str, Any]:
    """The options of ``model_options`` that were given."""
    found = single_models() if models is None else models
    fields = dict.fromkeys(name for m in found.values() for name in m.options.model_fields)
    return given(values, fields)


def sampling_options(default: Sampling | None = None) -> Option:
    """Engine, chains, iterations, target acceptance and seed, with these defaults."""
    shown = (default or Sampling()).model_dump()
    return field_options({"": Sampling}, defaults=shown)


def sampling_values(values: Mapping[str, Any], default: Sampling | None = None) -> Sampling:
    """The sampling settings among the options of a command."""
    return sampling_of(default, **given(values, Sampling.model_fields))


def names_of(value: str | None) -> Sequence[str]:
    """Names from a list with commas; empty for all."""
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())
