"""A session of several rounds, in process: no clock, no network, no other state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from .actions import Action, acting_seats
from .draws import Draws
from .parameters import Rules
from .play import open_round, play
from .round import Round
from .view import PastRound, View, past_round, view, views

SESSION_SCHEMA = 1


@dataclass(frozen=True)
class Session:
    """A session at one moment.

    Parameters
    ----------
    rules, draws
        What defines it.
    seed
        Of the order of simultaneous actions.
    rounds
        Rounds so far, the present one last.
    history
        By seat, its finished rounds.
    """

    rules: Rules
    draws: Draws
    seed: int
    rounds: tuple[Round, ...]
    history: Mapping[int, tuple[PastRound, ...]] = field(default_factory=dict)

    @classmethod
    def begin(cls, rules: Rules, draws: Draws, seed: int) -> Self:
        """A session at the first stage of its first round."""
        first = open_round(rules, draws, rules.round_numbers[0])
        return cls(rules, draws, seed, (first,), dict.fromkeys(rules.seats, ()))

    @property
    def present(self) -> Round:
        """The present round."""
        return self.rounds[-1]

    @property
    def over(self) -> bool:
        """Whether the last round has ended."""
        return self.present.stage == "results"

    @property
    def acting(self) -> tuple[int, ...]:
        """The seats that are asked now."""
        return acting_seats(self.rules, self.present)

    def view(self, seat: int) -> View:
        """What a seat sees now."""
        return view(self.rules, self.present, seat, self.history[seat])

    def views(self) -> dict[int, View]:
        """What the seats that are asked see now."""
        return views(self.rules, self.present, self.acting, self.history)

    def step(self, actions: Mapping[int, Action | None]) -> Session:
        """The session after all seats that are asked have answered, or have not.

        A round that ends gives way to the next one.
        """
        present = play(self.rules, self.present, actions, self.seed)
        rounds, history = (*self.rounds[:-1], present), self.history
        if present.stage == "results" and present.number < self.rules.rounds:
            history = {seat: (*past, past_round(present, seat)) for seat, past in history.items()}
            rounds = (*rounds, open_round(self.rules, self.draws, present.number + 1))
        return replace(self, rounds=rounds, history=history)

    def rewards(self) -> dict[int, float]:
        """Euro by seat, once the session is over.

        Raises
        ------
        ValueError
            If it is not over.
        """
        if not self.over:
            raise ValueError("rewards are known when the session is over")
        paid = next(r for r in self.rounds if r.number == self.draws.paid_round)
        return {s: self.rules.reward(s, account.payoff) for s, account in paid.accounts.items()}

    def record(self) -> SessionRecord:
        """The session as every engine records it."""
        rewards = self.rewards() if self.over else {}
        return SessionRecord(self.rules, self.seed, self.draws.paid_round, self.rounds, rewards)


@dataclass(frozen=True)
class SessionRecord:
    """A session as it was played, on any engine.

    Parameters
    ----------
    rules, seed, paid_round
        What defined it.
    rounds
        Its rounds.
    rewards
        Euro by seat; empty while it is not over.
    """

    rules: Rules
    seed: int
    paid_round: int
    rounds: tuple[Round, ...]
    rewards: Mapping[int, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return {
            "schema": SESSION_SCHEMA,
            "rules": self.rules.to_json(),
            "seed": self.seed,
            "paid_round": self.paid_round,
            "rounds": [round_.to_json() for round_ in self.rounds],
            "rewards": {str(seat): euro for seat, euro in self.rewards.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``to_json`` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the record is not a session of a known version.
        """
        if record["schema"] != SESSION_SCHEMA:
            raise ValueError(f"expected schema {SESSION_SCHEMA}, found {record['schema']}")
        return cls(
            rules=Rules.from_json(record["rules"]),
            seed=record["seed"],
            paid_round=record["paid_round"],
            rounds=tuple(Round.from_json(round_) for round_ in record["rounds"]),
            rewards={int(seat): euro for seat, euro in record["rewards"].items()},
        )
