"""A trial as an Inspect sample, and back to what a response repeats of its trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inspect_ai.dataset import MemoryDataset, Sample

from many_wolves.records import SCHEMA, Cell, Option, Trial
from many_wolves.speakers.api.model import messages

KEY = "many_wolves"
"""Where a sample's metadata hold its trial; the factors of the cell stand beside it."""


@dataclass(frozen=True)
class Asked:
    """A trial without its words: what a response repeats of it."""

    id: str
    family: str
    task: str
    cell: Cell
    options: tuple[Option, ...]
    episode: str
    turn: int


def dataset(name: str, trials: Sequence[Trial]) -> Any:
    """Trials as an Inspect dataset; the id of a sample is that of its trial."""
    return MemoryDataset([sample(trial) for trial in trials], name=name)


def sample(trial: Trial) -> Any:
    """A trial as an Inspect sample.

    There is no right answer, hence no target. The letters before the options are
    part of the prompt, so that the solver has only to generate.
    """
    asked = Asked(
        id=trial.id,
        family=trial.family,
        task=trial.task,
        cell=trial.cell,
        options=trial.options,
        episode=trial.episode,
        turn=trial.turn,
    )
    return Sample(
        id=trial.id,
        input=messages(trial.messages),
        choices=[option.text for option in trial.options],
        description=", ".join(f"{name} {value}" for name, value in trial.cell.items()),
        metadata={**trial.cell, KEY: {"schema": SCHEMA} | asdict(asked)},
    )


def asked(metadata: Mapping[str, Any]) -> Asked:
    """The trial in a sample's metadata.

    Raises
    ------
    ValueError
        If there is none, or it is of another schema.
    """
    record = metadata.get(KEY)
    if not isinstance(record, dict):
        raise ValueError("it is no sample of many-wolves")
    if record.get("schema") != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA}, found {record.get('schema')}")
    fields = {name: value for name, value in record.items() if name != "schema"}
    try:
        fields["options"] = tuple(Option(**option) for option in fields["options"])
        return Asked(**fields)
    except (KeyError, TypeError) as fault:
        raise ValueError(f"its trial is not whole ({fault})") from fault
