"""Mixtures of strategies: games, histories that differ, classes, and the likelihood in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import norm

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.rounds import Rounds
from many_wolves.families.dilemmas.model.strategies import (
    STRATEGIES,
    UNKNOWN,
    Moves,
    Strategy,
    classes,
    named,
    prescribed,
)
from many_wolves.sources import nearest

CODES = {"C": 0, "D": 1}


@dataclass(frozen=True)
class Game:
    """One game: its group, and the moves of both, one per round; and how often it occurs."""

    group: int
    own: Moves
    other: Moves
    count: float
    rows: tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """Games, strategies, and the classes that the partners distinguish.

    Parameters
    ----------
    groups
        Names of the groups.
    games
        All games.
    strategies, members
        Strategies, and the indices of each class's members.
    one_tremble
        Whether all groups tremble alike.
    """

    groups: tuple[str, ...]
    games: tuple[Game, ...]
    strategies: tuple[Strategy, ...]
    members: tuple[tuple[int, ...], ...]
    one_tremble: bool

    @classmethod
    def of(cls, rounds: Rounds, strategies: Sequence[str] = (), one_tremble: bool = False) -> Plan:
        """The plan for some rounds; WolvesError where a strategy is unknown."""
        known = {s.name: s for s in STRATEGIES}
        for name in strategies:
            if name not in known:
                raise WolvesError(f"unknown strategy {name!r}", fix=nearest(name, known))
        chosen = tuple(known[name] for name in strategies) or STRATEGIES
        games = games_of(rounds)
        partners = {tuple(game.other.tolist()): game.other for game in games}
        members = classes(chosen, list(partners.values()))
        return cls(rounds.levels.groups, games, chosen, tuple(map(tuple, members)), one_tremble)

    @property
    def names(self) -> list[str]:
        """Names of the classes."""
        return named(self.strategies, self.members)

    @property
    def class_of(self) -> list[int]:
        """(R,) class of every strategy, from zero."""
        of = {i: k for k, members in enumerate(self.members) for i in members}
        return [of[i] for i in range(len(self.strategies))]


def games_of(rounds: Rounds) -> tuple[Game, ...]:
    """The games that some rounds make up.

    Raises
    ------
    WolvesError
        If single rounds are counted, not whole games.
    """
    frame = rounds.frame
    own = (frame["own"] == "D").to_numpy().astype(np.int64)
    other = frame["other"].map(CODES).fillna(UNKNOWN).to_numpy().astype(np.int64)
    count = frame["count"].to_numpy(dtype=float)
    _refuse_parts(frame)
    of = {name: i for i, name in enumerate(rounds.levels.groups)}
    group = frame["group"].map(of).to_numpy()
    starts = np.flatnonzero(frame["round"].to_numpy() == 1)
    ends = [*starts[1:], len(frame)]
    return tuple(
        Game(int(group[a]), own[a:b], other[a:b], float(count[a]), (int(a), int(b)))
        for a, b in zip(starts, ends, strict=True)
    )


def _refuse_parts(frame: pd.DataFrame) -> None:
    """Refuse rounds that count for less than their game."""
    if (frame.groupby("game", sort=False)["count"].nunique() > 1).any():
        raise WolvesError(
            "strategy frequencies count whole games; in this table single moves are counted "
            "(transitions, or replies to every history)",
            fix="--model memory-one",
        )


@dataclass(frozen=True)
class Histories:
    """Distinct histories of H games, and how well each strategy fits them.

    Parameters
    ----------
    names
        (H,) moves of both sides in words.
    counts
        (G, H) how often each group has them.
    strays, follows
        (H, R) moves that differ from what each strategy prescribes, and moves that do not.
    """

    names: tuple[str, ...]
    counts: Array
    strays: Array
    follows: Array


def histories(plan: Plan) -> Histories:
    """The histories of a plan's games, sorted by name."""
    found: dict[str, Game] = {}
    for game in plan.games:
        found.setdefault(history_name(game), game)
    names = tuple(sorted(found))
    at = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(plan.groups), len(names)))
    for game in plan.games:
        counts[game.group, at[history_name(game)]] += game.count
    strays = np.array(
        [
            [
                (prescribed(s, found[n].own, found[n].other) != found[n].own).sum()
                for s in plan.strategies
            ]
            for n in names
        ],
        dtype=float,
    )
    length = np.array([found[n].own.size for n in names], dtype=float)
    return Histories(names, counts, strays, length[:, None] - strays)


def word(moves: Iterable[int]) -> str:
    """Moves as a word of C and D; a question mark where a move is not known."""
    return "".join("CD?"[m] for m in moves)


def history_name(game: Game) -> str:
    """The moves of both sides in words: ``CCD against CDD``."""
    own, other = (word(moves) for moves in (game.own, game.other))
    return f"{own} against {other}"


def log_likelihood(plan: Plan, frequency: Array, tremble: Array) -> float:
    """Of all games at known frequencies (G, K) and trembles (G,), from the moves themselves."""
    total = 0.0
    share = np.array([1 / len(plan.members[k]) for k in plan.class_of])
    with np.errstate(divide="ignore"):
        for game in plan.games:
            eps = tremble[game.group]
            each = np.array(
                [
                    np.where(prescribed(s, game.own, game.other) == game.own, 1 - eps, eps)
                    for s in plan.strategies
                ]
            )
            weight = frequency[game.group][plan.class_of] * share
            total += game.count * float(logsumexp(np.log(each).sum(axis=1), b=weight))
    return total


def coordinates(plan: Plan, frequency: Array, tremble: Array) -> Array:
    """Unconstrained parameters of frequencies (G, K) and trembles (G,), in Stan's order."""
    K = len(plan.members)
    sticks = []
    for row in frequency:
        rest, own = 1.0, []
        for k in range(K - 1):
            left = 1 - row[k] / rest
            own.append(norm.isf(left ** (K - 1 - k)))
            rest *= left
        sticks.append(own)
    probit = norm.ppf(2 * tremble)
    return np.concatenate([probit[:1] if plan.one_tremble else probit, np.ravel(sticks)])
