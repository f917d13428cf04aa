"""Records of games: the choices of one speaker in one game, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from many_wolves.families.dilemmas.reading.responses import SINGLE, Choice
from many_wolves.families.dilemmas.task.dilemma import payoff

Rows = dict[str, list[dict[str, Any]]]
Moves = Mapping[tuple[str, int, int, int], Choice]
"""Choices in games of two speakers, by episode, replicate, round and seat."""


@dataclass(frozen=True)
class Game:
    """What one speaker did in one game.

    Parameters
    ----------
    number
        Number among the speaker's games, from zero.
    choices
        Its turns in order.
    others
        Choices of the other seat, as far as they are known.
    """

    number: int
    choices: tuple[Choice, ...]
    others: Moves

    @property
    def speaker(self) -> str:
        """Label of the speaker."""
        return self.choices[0].speaker

    @property
    def task(self) -> str:
        """Which game it is."""
        return self.choices[0].task

    @property
    def rounds(self) -> int:
        """Rounds that the game was to have."""
        return int(self.choices[0].cell.get("rounds", 1))

    @property
    def played(self) -> list[Choice]:
        """The turns with a choice."""
        return [choice for choice in self.choices if choice.choice is not None]

    @property
    def ended(self) -> str:
        """``complete``; or why the last answer is no choice; or ``unfinished``."""
        last = self.choices[-1]
        if last.choice is None:
            return last.status
        return "complete" if len(self.played) == self.rounds else "unfinished"

    def rows(self) -> Rows:
        """Rows of every table that this game has a part in."""
        own = other = 0.0
        rows: Rows = {"games": []}
        for choice in self.played:
            table, made, gains = _MAKERS[self.task](self, choice)
            rows.setdefault(table, []).extend(made)
            own, other = own + gains[0], other + gains[1]
        first = self.choices[0]
        scores = {} if self.task == "principal" else {"own_score": own, "other_score": other}
        rows["games"].append(
            self._who(first)
            | {"task": self.task, "episode": first.episode, "replicate": first.replicate}
            | {"rounds": self.rounds, "played": len(self.played), "ended": self.ended}
            | scores
        )
        return rows

    def met(self, choice: Choice) -> Choice | None:
        """What the speaker on the other seat did in the round of a choice."""
        n, seat = int(choice.cell["round"]), 1 - int(choice.cell["seat"])
        return self.others.get((choice.episode, choice.replicate, n, seat))

    def _who(self, choice: Choice) -> dict[str, Any]:
        return dict(choice.cell) | {
            "model": self.speaker,
            "game": self.number,
            "replicate": choice.replicate,
        }

    def _dilemma(self, choice: Choice) -> tuple[str, list[dict[str, Any]], tuple[float, float]]:
        other = choice.cell.get("other")
        if other is None:
            met = self.met(choice)
            other = met.choice if met is not None else None
        if other is None:
            return "rounds", [], (0.0, 0.0)
        row = self._who(choice) | {"own": choice.choice, "other": other}
        return "rounds", [row], payoff(choice.cell, str(choice.choice), str(other))

    def _ultimatum(self, choice: Choice) -> tuple[str, list[dict[str, Any]], tuple[float, float]]:
        endowment = float(choice.cell["endowment"])
        if choice.cell["role"] == "responder":
            offer, accepted = float(choice.cell["offer"]), choice.choice == "accept"
            row = self._who(choice) | {"accepted": int(accepted)}
            row["offer"] = _number(offer)
            return "replies", [row], (offer * accepted, (endowment - offer) * accepted)
        offer = float(str(choice.choice))
        reply = self._reply(choice, offer)
        row = self._who(choice) | {"offer": _number(offer), "accepted": reply}
        taken = reply or 0
        return "offers", [row], ((endowment - offer) * taken, offer * taken)

    def _reply(self, choice: Choice, offer: float) -> int | None:
        """Whether an offer was accepted, where that is known."""
        if "accepts_from" in choice.cell:
            return int(offer >= float(choice.cell["accepts_from"]))
        met = self.met(choice)
        return None if met is None or met.choice is None else int(met.choice == "accept")

    def _dictator(self, choice: Choice) -> tuple[str, list[dict[str, Any]], tuple[float, float]]:
        rows = [
            self._who(choice) | {"given": _number(float(option)), "count": share}
            for option, share in choice.weights.items()
        ]
        given = sum(float(option) * share for option, share in choice.weights.items())
        return "gifts", rows, (float(choice.cell["endowment"]) - given, given)

    def _principal(self, choice: Choice) -> tuple[str, list[dict[str, Any]], tuple[float, float]]:
        rows = [
            self._who(choice) | {"served": option, "count": share}
            for option, share in choice.weights.items()
        ]
        return "served", rows, (0.0, 0.0)


_MAKERS = {
    "dilemma": Game._dilemma,
    "ultimatum": Game._ultimatum,
    "dictator": Game._dictator,
    "principal": Game._principal,
}


def games_of(choices: Iterable[Choice]) -> list[Game]:
    """The games of all speakers, each speaker's numbered in the order in which they began."""
    found: dict[tuple[str, str, int, int], list[Choice]] = {}
    others: dict[tuple[str, int, int, int], Choice] = {}
    for choice in choices:
        seat = int(choice.cell.get("seat", 0))
        found.setdefault((choice.speaker, choice.episode, choice.replicate, seat), []).append(
            choice
        )
        if choice.task not in SINGLE and "-" in choice.episode:
            n = int(choice.cell["round"])
            others[choice.episode, choice.replicate, n, seat] = choice
    numbers: dict[str, int] = {}
    games: list[Game] = []
    for (speaker, *_), turns in found.items():
        number = numbers.get(speaker, 0)
        numbers[speaker] = number + 1
        games.append(Game(number, _ordered(turns), others))
    return games


def _ordered(turns: Sequence[Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(turns, key=lambda choice: choice.turn))


def _number(amount: float) -> int | float:
    return int(amount) if amount.is_integer() else amount
