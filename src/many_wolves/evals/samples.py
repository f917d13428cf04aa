"""Converts a trial to an Inspect sample, and a sample back to its question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from inspect_ai.dataset import MemoryDataset, Sample

from many_wolves.records import SCHEMA, Question, Trial
from many_wolves.records.answer_types import answer_json, bare
from many_wolves.records.fields import checked, read_cell, schema_of, shared_answer, shared_choose
from many_wolves.speakers.api.model import messages

KEY = "many_wolves"
"""Key of the question in a sample's metadata, which also contains the factors of the cell."""


class QuestionOfSample(NamedTuple):
    """The question of a sample, and the id of its trial."""

    trial_id: str
    question: Question


def dataset(name: str, trials: Sequence[Trial]) -> Any:
    """Trials as an Inspect dataset; the id of a sample is that of its trial."""
    return MemoryDataset([sample(trial) for trial in trials], name=name)


def sample(trial: Trial) -> Any:
    """A trial as an Inspect sample.

    No answer is right, so a sample has an empty target. The letters before the options are part of
    the prompt, so the solver only has to generate.
    """
    question = {
        "schema": SCHEMA,
        "id": trial.id,
        "family": trial.family,
        "task": trial.task,
        "cell": dict(trial.cell),
        "answer": answer_json(bare(trial.answer)),
        "episode": trial.episode,
        "turn": trial.turn,
        "seat": trial.seat,
    }
    return Sample(
        id=trial.id,
        input=messages(trial.messages),
        choices=[option.text for option in trial.options] or None,
        description=", ".join(f"{name} {value}" for name, value in trial.cell.items()),
        metadata={**trial.cell, KEY: question},
    )


def read_question(metadata: Mapping[str, Any] | None) -> QuestionOfSample:
    """The question in a sample's metadata.

    Raises
    ------
    ValueError
        If there is none, or it is of another schema.
    """
    record = (metadata or {}).get(KEY)
    if not isinstance(record, dict):
        raise ValueError("not a sample of many-wolves")
    schema = schema_of(record)
    try:
        question = Question(
            family=checked(record, "family"),
            task=checked(record, "task"),
            cell=read_cell(checked(record, "cell")),
            answer=shared_choose(record["options"])
            if schema == 1
            else shared_answer(record["answer"]),
            episode=checked(record, "episode"),
            turn=checked(record, "turn"),
            seat=record.get("seat", ""),
        )
        return QuestionOfSample(str(record["id"]), question)
    except (KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"its question is incomplete ({fault})") from fault
