"""Turns responses into choices: one per turn, with the facts of its game."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from many_wolves.families.dilemmas.reading.reader import read
from many_wolves.families.dilemmas.task.design import GAMES
from many_wolves.reading import Intake, check_scoring, option_shares, take_newest
from many_wolves.records import Cell, Response, Status

FAMILY = "dilemmas"
SINGLE = ("dictator", "principal")
"""Games of one turn, whose texts are read again because nothing depended on the first reading."""
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
        Share of the choice that each option gets. It is 1 for the one that was made; in a
        scored game of one turn, the probabilities.
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


def take(responses: Iterable[Response], *, scoring: str) -> tuple[list[Choice], Intake]:
    """The choice of every turn; of several responses to one turn the latest that did not fail.

    Raises
    ------
    WolvesError
        If the scoring is unknown, or is ``pmi`` where no baseline was scored.
    """
    check_scoring(scoring)
    intake = take_newest(responses, _ours, _turn)
    return [_choice(r, intake.names[r.speaker.slug], scoring) for r in intake.newest], intake


def _ours(response: Response) -> bool:
    """Whether a response is of a game, and says all that the tables need of its turn."""
    if response.family != FAMILY or response.task not in GAMES:
        return False
    cell, task = response.cell, response.task
    needed = _NUMBERS.get(task, ())
    offered = {option.id for option in response.options}
    if task == "ultimatum" and cell.get("role") == "responder":
        needed, task = (*needed, "offer"), "responder"
    return (
        "order" in cell
        and (task != "ultimatum" or cell.get("role") == "proposer")
        and all(_number(cell.get(name)) for name in needed)
        and all(_number(cell[name]) for name in _PERHAPS if name in cell)
        and cell.get("other") in (None, "C", "D")
        and (offered <= _OPTIONS[task] if task in _OPTIONS else all(map(_amount, offered)))
    )


_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "dictator": ("endowment",),
    "dilemma": ("round", "seat", "T", "R", "P", "S"),
    "ultimatum": ("endowment", "round", "seat"),
}
"""Game -> factors of its cells that are numbers."""
_PERHAPS = ("rounds", "seat", "accepts_from")
"""Factors that are numbers if they exist."""
_OPTIONS: Mapping[str, frozenset[str]] = {
    "dilemma": frozenset("CD"),
    "responder": frozenset(("accept", "reject")),
    "principal": frozenset(("user", "principal")),
}
"""Game, or role, whose options are not amounts -> their ids."""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _amount(option: str) -> bool:
    try:
        return math.isfinite(float(option))
    except ValueError:
        return False


def _turn(response: Response) -> tuple[str, str, int, int]:
    """A turn of one game: an episode that was asked again has other trials, and the same turns."""
    return response.speaker.slug, response.episode, response.replicate, response.turn


def _choice(response: Response, label: str, scoring: str) -> Choice:
    status, example = response.status, response.text
    choice = None if response.value is None else str(response.value)
    weights: Mapping[str, float] = {}
    if response.status == "failed":
        choice, example = None, response.error
    elif response.scores and response.task in SINGLE:
        shares, why = option_shares(response, label, scoring)
        if shares is None:
            choice, status, example = None, "unparsed", why
        else:
            named = [option.id for option in response.options]
            weights = dict(zip(named, shares.tolist(), strict=True))
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
