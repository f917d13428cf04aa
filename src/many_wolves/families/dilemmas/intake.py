"""Responses -> the choices that were made: one for each turn, with what is known of its game."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.design import GAMES
from many_wolves.families.dilemmas.reader import read
from many_wolves.records import Cell, Response, Status
from many_wolves.sources import nearest

FAMILY = "dilemmas"
SCORINGS = ("sum", "mean", "pmi")
SINGLE = ("dictator", "principal")
"""Games of one turn: nothing followed from what was read, so the text is read again."""
_EXAMPLE = 160


@dataclass(frozen=True, slots=True)
class Choice:
    """One turn as it was answered.

    Parameters
    ----------
    speaker
        Label of the speaker in the tables.
    task, cell, episode, replicate, turn
        As in the response.
    choice
        Option id; None where there is none.
    weights
        Share of the choice that each option gets: 1 for the one that was made, or the
        probabilities where a game of one turn was scored.
    order
        Option ids in the order shown.
    status, example
        Why there is no choice, and what was found instead.
    """

    speaker: str
    task: str
    cell: Cell
    episode: str
    replicate: int
    turn: int
    choice: str | None
    weights: Mapping[str, float]
    order: tuple[str, ...]
    status: Status
    example: str = ""


@dataclass
class Intake:
    """What came in; every response is in one of the numbers, or among ``choices``."""

    choices: list[Choice] = field(default_factory=list)
    responses: int = 0
    foreign: int = 0
    repeated: int = 0
    speakers: dict[str, dict[str, Any]] = field(default_factory=dict)


def take(responses: Iterable[Response], *, scoring: str) -> Intake:
    """The choice of every turn; of several responses to one turn the latest that did not fail.

    Raises
    ------
    WolvesError
        If the scoring is unknown, or is ``pmi`` where no baseline was scored.
    """
    if scoring not in SCORINGS:
        raise WolvesError(
            f"unknown scoring {scoring!r}", mend=f"--scoring: {nearest(scoring, SCORINGS)}"
        )
    intake = Intake()
    latest: dict[tuple[str, str, int, int], Response] = {}
    for response in responses:
        intake.responses += 1
        if response.family != FAMILY or response.task not in GAMES:
            intake.foreign += 1
            continue
        spot = (response.speaker.slug, response.episode, response.replicate, response.turn)
        before = latest.get(spot)
        intake.repeated += before is not None
        if before is None or response.status != "failed" or before.status == "failed":
            latest[spot] = response
    labels = _labels(latest.values(), intake)
    intake.choices = [_choice(r, labels[spot[0]], scoring) for spot, r in latest.items()]
    return intake


def _labels(responses: Iterable[Response], intake: Intake) -> dict[str, str]:
    """Slug -> label: the speaker's name; with mode, or settings, where names are the same."""
    specs = {response.speaker.slug: response.speaker for response in responses}
    names = Counter(spec.name for spec in specs.values())
    modes = Counter((spec.name, spec.mode) for spec in specs.values())
    labels: dict[str, str] = {}
    for slug, spec in specs.items():
        if names[spec.name] == 1:
            labels[slug] = spec.name
        else:
            alone = modes[spec.name, spec.mode] == 1
            labels[slug] = f"{spec.name} ({spec.mode})" if alone else slug
        intake.speakers[labels[slug]] = dict(spec.settings)
    return labels


def _choice(response: Response, label: str, scoring: str) -> Choice:
    status, example = response.status, response.text
    choice = None if response.value is None else str(response.value)
    weights: Mapping[str, float] = {}
    if response.status == "failed":
        choice, example = None, response.error
    elif response.scores and response.task in SINGLE:
        weights = scored(response, label, scoring)
        choice = max(weights, key=lambda option: weights[option])
    elif response.task in SINGLE and response.text.strip():
        reading = read(response.options, response.text)
        choice = None if reading.value is None else str(reading.value)
        status = reading.status
        if choice is None and response.status == "refused":
            status = "refused"
    if choice is not None:
        weights = weights or {choice: 1.0}
    return Choice(
        speaker=label,
        task=response.task,
        cell=response.cell,
        episode=response.episode,
        replicate=response.replicate,
        turn=response.turn,
        choice=choice,
        weights=weights,
        order=tuple(option.id for option in response.options),
        status=status,
        example="" if choice is not None else " ".join(example.split())[:_EXAMPLE],
    )


def scored(response: Response, label: str, scoring: str) -> dict[str, float]:
    """Probability of each option from its score.

    Raises
    ------
    WolvesError
        If the scoring needs what was not scored.
    """
    values: dict[str, float] = {}
    for score in response.scores:
        if scoring == "pmi" and score.baseline is None:
            raise WolvesError(
                f"expected scores without the scene for scoring 'pmi', found none for {label}",
                mend="use --scoring sum or mean",
            )
        if scoring == "mean":
            values[score.option] = score.logprob / score.tokens
        else:
            values[score.option] = score.logprob - (
                float(score.baseline or 0.0) if scoring == "pmi" else 0.0
            )
    highest = max(values.values())
    weights = {option: math.exp(value - highest) for option, value in values.items()}
    total = sum(weights.values())
    return {option: weight / total for option, weight in weights.items()}
