"""A question, and the trial that puts it into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from many_wolves.files import fingerprint
from many_wolves.records.answer_types import (
    Answer,
    Choose,
    Message,
    Option,
    answer_json,
    messages_json,
    options_json,
    read_answer,
    read_messages,
    read_options,
)
from many_wolves.records.fields import SCHEMA, Cell, checked, read_cell, schema_of


@dataclass(frozen=True)
class Question:
    """A question without the wording of the prompt, which is all that a reader may use.

    Trials are questions, and so are responses, which repeat the question of their trial.

    Parameters
    ----------
    family, task
        Task family (``politeness``) and the task within it (``choice``, ``literal``).
    cell
        The cell of the design: for politeness item, state, scale, goal, framing,
        and for the literal task utterance.
    answer
        Type of the answer.
    episode, turn
        A vignette is an episode of one turn; other episodes have many.
    seat
        Role of the speaker, if the episode has several and the family names them.
    """

    family: str
    task: str
    cell: Cell
    answer: Answer
    episode: str = field(default="", kw_only=True)
    turn: int = field(default=0, kw_only=True)
    seat: str = field(default="", kw_only=True)

    @property
    def options(self) -> tuple[Option, ...]:
        """The options in the order shown; empty if the answer is not a choice."""
        return self.answer.options if isinstance(self.answer, Choose) else ()


@dataclass(frozen=True)
class Trial(Question):
    """One question to a speaker.

    Parameters
    ----------
    messages
        The prompt.
    script
        In the opening of an episode: everything that its family needs for later turns.
    """

    messages: tuple[Message, ...]
    script: Mapping[str, Any] = field(default_factory=dict)

    @property
    def baseline(self) -> tuple[Message, ...]:
        """The question without its scene; empty if there is none, or the answer is not a choice."""
        return self.answer.baseline if isinstance(self.answer, Choose) else ()

    @cached_property
    def id(self) -> str:
        """Content hash: equal trials have equal ids, on any machine."""
        return fingerprint(self._hashed())

    def to_json(self) -> dict[str, Any]:
        """The trial as a JSON object, with its id and schema version."""
        named = {"schema": SCHEMA, "id": self.id, "answer": answer_json(self.answer)}
        return named | self._shared()

    def _hashed(self) -> dict[str, Any]:
        """The content that is hashed into the id; for a choice in the layout of schema 1."""
        if not isinstance(self.answer, Choose):
            return self._shared() | {"answer": answer_json(self.answer)}
        options, baseline = options_json(self.answer.options), messages_json(self.answer.baseline)
        return self._shared() | {"options": options, "baseline": baseline}

    def _shared(self) -> dict[str, Any]:
        """The other fields by name; ``script`` and ``seat`` only if set."""
        content = {
            "family": self.family,
            "task": self.task,
            "cell": dict(self.cell),
            "messages": messages_json(self.messages),
            "episode": self.episode,
            "turn": self.turn,
        }
        if self.script:
            content["script"] = dict(self.script)
        return content | {"seat": self.seat} if self.seat else content

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read the result of ``to_json``, also in schema 1.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing or of another type, or the id does not match the content.
        """
        if schema_of(record) == 1:
            options, baseline = read_options(record["options"]), read_messages(record["baseline"])
            answer: Answer = Choose(options, baseline)
        else:
            answer = read_answer(record["answer"])
        trial = cls(
            family=checked(record, "family"),
            task=checked(record, "task"),
            cell=read_cell(record["cell"]),
            answer=answer,
            messages=read_messages(record["messages"]),
            episode=checked(record, "episode"),
            turn=checked(record, "turn"),
            script=dict(record.get("script", {})),
            seat=record.get("seat", ""),
        )
        if record["id"] != trial.id:
            raise ValueError(f"expected id {trial.id} from the content, found {record['id']}")
        return trial


def with_replicates(
    trials: Iterable[Trial], replicates: int | Mapping[str, int]
) -> list[tuple[Trial, int]]:
    """Every trial with every replicate number from zero; replicates are the outer loop.

    ``replicates`` is one number for all trials, or a number by trial id.
    """
    listed = list(trials)
    numbers = (
        [replicates] * len(listed)
        if isinstance(replicates, int)
        else [replicates.get(trial.id, 0) for trial in listed]
    )
    return [
        (trial, r)
        for r in range(max(numbers, default=0))
        for trial, number in zip(listed, numbers, strict=True)
        if r < number
    ]
