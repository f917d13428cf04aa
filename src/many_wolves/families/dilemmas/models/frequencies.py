"""The strategy frequency estimation method: how many games are played by which strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from many_wolves.contracts import Array, Parameter, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.models.decisions import draws_of
from many_wolves.families.dilemmas.models.rounds import Rounds, read_rounds, replayed
from many_wolves.families.dilemmas.models.strategies import (
    STRATEGIES,
    UNCONDITIONAL,
    Moves,
    Strategy,
    classes,
    cooperation,
    named,
    prescribed,
)
from many_wolves.families.dilemmas.models.tables import of_task
from many_wolves.files import shipped
from many_wolves.records import ChoiceTable
from many_wolves.sources import nearest

PROGRAM = "game-model/stan_model/strategies.stan"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "one tremble": {"one_tremble": True},
    "unconditional": {"strategies": UNCONDITIONAL},
}
ARMS = 4
"""Sequences of a partner's moves, the most frequent of each group, that a course is shown for."""


class StrategyFrequencies:
    """A mixture of strategies with trembles, one mixture a group (Dal Bo & Frechette 2011)."""

    name: str = "strategy-frequencies"
    tasks: tuple[str, ...] = ("dilemma",)
    takes: tuple[str, ...] = ("strategies", "one_tremble")
    parameters: tuple[Parameter, ...] = (
        Parameter("frequency", "share of games", "Dirichlet(1, ..., 1)", "of a class"),
        Parameter("tremble", "probability", "U(0, 0.5)", "of a move that is not prescribed"),
    )

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker's games.

        Parameters
        ----------
        strategies
            Names of strategies; all of them if not given.
        one_tremble
            Whether all groups tremble alike.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        return build(of_task(table, "dilemma"), **options)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """All strategies first; then with one tremble for all groups, and without reaction."""
        return VARIANTS

    def simulate(
        self,
        table: ChoiceTable,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], ChoiceTable]:
        """Games of the same length against the same moves of the same partners."""
        played = of_task(table, "dilemma")
        rounds = read_rounds(played)
        plan = Plan.of(rounds, **options)
        frequency, tremble = _from_prior(plan, rng) if given is None else _given(given, plan)
        own = _play(plan, frequency, tremble, rng)
        answered = replace(played, counts=replayed(played, rounds.frame, own))
        again = Plan.of(read_rounds(answered), **options)
        truth = {"frequency": frequency, "tremble": tremble}
        return truth | {"log_lik": log_likelihood(again, frequency, tremble)}, answered

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return draws_of(tree, names)


@dataclass(frozen=True)
class Game:
    """One game: its group, and the moves of both, one a round; and how often it stands there."""

    group: int
    own: Moves
    other: Moves
    count: float
    rows: tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """Games, strategies, and the classes that the partners tell apart.

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
                raise WolvesError(f"unknown strategy {name!r}", mend=nearest(name, known))
        chosen = tuple(known[name] for name in strategies) or STRATEGIES
        games = _games(rounds)
        partners = {tuple(game.other.tolist()): game.other for game in games}
        members = classes(chosen, list(partners.values()))
        return cls(rounds.levels.groups, games, chosen, tuple(map(tuple, members)), one_tremble)

    @property
    def names(self) -> list[str]:
        """Names of the classes."""
        return named(self.strategies, self.members)

    @property
    def size(self) -> int:
        """Number of unconstrained parameters."""
        G, K = len(self.groups), len(self.members)
        return G * (K - 1) + (1 if self.one_tremble else G)

    @property
    def class_of(self) -> list[int]:
        """(R,) class of every strategy, from zero."""
        of = {i: k for k, members in enumerate(self.members) for i in members}
        return [of[i] for i in range(len(self.strategies))]


def _games(rounds: Rounds) -> tuple[Game, ...]:
    frame = rounds.frame
    own = (frame["own"] == "D").to_numpy().astype(np.int64)
    other = (frame["other"] == "D").to_numpy().astype(np.int64)
    count = frame["count"].to_numpy(dtype=float)
    of = {name: i for i, name in enumerate(rounds.levels.groups)}
    group = frame["group"].map(of).to_numpy()
    starts = np.flatnonzero(frame["round"].to_numpy() == 1)
    ends = [*starts[1:], len(frame)]
    return tuple(
        Game(int(group[a]), own[a:b], other[a:b], float(count[a]), (int(a), int(b)))
        for a, b in zip(starts, ends, strict=True)
    )


@dataclass(frozen=True)
class _Histories:
    """Histories that differ, how often each group has them, and how each strategy fits them."""

    names: tuple[str, ...]
    counts: Array
    strays: Array
    follows: Array


def _histories(plan: Plan) -> _Histories:
    found: dict[str, Game] = {}
    for game in plan.games:
        found.setdefault(_name(game), game)
    names = tuple(sorted(found))
    at = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(plan.groups), len(names)))
    for game in plan.games:
        counts[game.group, at[_name(game)]] += game.count
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
    return _Histories(names, counts, strays, length[:, None] - strays)


def _name(game: Game) -> str:
    own, other = ("".join("CD"[m] for m in moves) for moves in (game.own, game.other))
    return f"{own} against {other}"


def build(
    table: ChoiceTable, *, strategies: Sequence[str] = (), one_tremble: bool = False
) -> Problem:
    """See ``StrategyFrequencies.problem``."""
    rounds = read_rounds(table)
    plan = Plan.of(rounds, strategies, one_tremble)
    held = _histories(plan)
    G, K, H = len(plan.groups), len(plan.members), len(held.names)
    data = {
        "G": G,
        "H": H,
        "R": len(plan.strategies),
        "K": K,
        "class_of": [k + 1 for k in plan.class_of],
        "counts": held.counts.tolist(),
        "strays": held.strays.tolist(),
        "follows": held.follows.tolist(),
        "one_tremble": int(one_tremble),
        "likelihood_on": 1,
        "keep": 1,
        "D": plan.size,
    }

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = held.counts.copy()
        columns = held.names.index(part["history"]) if "history" in part else slice(None)
        at = (plan.groups.index(part["group"]), columns)
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    course = _course(plan)

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        found = predicted_course(plan, posterior["frequency"], posterior["tremble"])
        return {"course": (("arm", "round"), found)}

    return Problem(
        model=StrategyFrequencies.name,
        family=table.family,
        speaker=str(table.counts["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        size=plan.size,
        coords={
            "group": plan.groups,
            "class": plan.names,
            "history": held.names,
            "arm": course.arms,
            "round": range(1, course.share.shape[1] + 1),
        },
        variables=(
            Variable("posterior", "frequency", "frequency", ("group", "class"), (G, K)),
            Variable("posterior", "tremble", "tremble", ("group",), (G,)),
            Variable("log_likelihood", "counts", "log_lik", ("group", "history"), (G, H)),
        ),
        observed={
            "counts": (("group", "history"), held.counts),
            "course_cooperation": (("arm", "round"), course.share),
            "course_games": (("arm",), course.games),
        },
        without=without,
        derive=derive,
        options={
            "strategies": [s.name for s in plan.strategies],
            "classes": plan.names,
            "one_tremble": one_tremble,
        },
        notes=_notes(plan),
    )


def _notes(plan: Plan) -> tuple[str, ...]:
    classes_ = zip(plan.names, plan.members, strict=True)
    merged = [name for name, members in classes_ if len(members) > 1]
    found = [
        f"Against the partners at hand these play alike, and have one frequency together: {name}."
        for name in merged
    ]
    if len({tuple(g.other.tolist()) for g in plan.games}) < 2:
        found.append("All partners made the same moves: few strategies can be told apart.")
    for number, group in enumerate(plan.groups):
        own = {tuple(g.other.tolist()): g.other for g in plan.games if g.group == number}
        if len(classes(plan.strategies, list(own.values()))) < len(plan.members):
            found.append(
                f"The group {group} met fewer kinds of partners than the others: some of the "
                "frequencies that are told apart elsewhere are its prior's."
            )
    return tuple(found)


@dataclass(frozen=True)
class _Course:
    """Share of C by arm (group and partner's moves) and round, and games; NaN after the end."""

    arms: tuple[str, ...]
    share: Array
    games: Array


def _arms(plan: Plan) -> dict[tuple[int, tuple[int, ...]], list[Game]]:
    found: dict[tuple[int, tuple[int, ...]], list[Game]] = {}
    for game in plan.games:
        found.setdefault((game.group, tuple(game.other.tolist())), []).append(game)
    most = sorted(found.items(), key=lambda item: -sum(g.count for g in item[1]))
    kept = [
        item
        for group in range(len(plan.groups))
        for item in [pair for pair in most if pair[0][0] == group][:ARMS]
    ]
    return dict(kept)


def _course(plan: Plan) -> _Course:
    arms = _arms(plan)
    longest = max(len(other) for _, other in arms)
    share = np.full((len(arms), longest), np.nan)
    for row, games in zip(share, arms.values(), strict=True):
        weight = np.array([g.count for g in games])
        own = np.array([g.own for g in games])
        row[: own.shape[1]] = (weight[:, None] * (own == 0)).sum(axis=0) / weight.sum()
    names = tuple(
        f"{plan.groups[g]} against {''.join('CD'[m] for m in other)}" for g, other in arms
    )
    return _Course(names, share, np.array([sum(g.count for g in games) for games in arms.values()]))


def predicted_course(plan: Plan, frequency: Array, tremble: Array) -> Array:
    """(..., arms, rounds) probability of C, by arm and round; NaN after the end.

    Parameters
    ----------
    frequency, tremble
        (..., G, K) and (..., G).
    """
    arms = list(_arms(plan))
    longest = max(len(other) for _, other in arms)
    found = np.full((*tremble.shape[:-1], len(arms), longest), np.nan)
    for a, (g, other) in enumerate(arms):
        moves = np.array(other, dtype=np.int64)
        total = np.zeros((*tremble.shape[:-1], moves.size))
        for k, members in enumerate(plan.members):
            for i in members:
                each = cooperation(plan.strategies[i], moves, tremble[..., g])
                total += frequency[..., g, k, None] / len(members) * each
        found[..., a, : moves.size] = total
    return found


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


def _from_prior(plan: Plan, rng: np.random.Generator) -> tuple[Array, Array]:
    G, K = len(plan.groups), len(plan.members)
    tremble = rng.uniform(0, 0.5, size=1 if plan.one_tremble else G)
    return rng.dirichlet(np.ones(K), size=G), np.broadcast_to(tremble, (G,)).copy()


def _given(given: Mapping[str, Any], plan: Plan) -> tuple[Array, Array]:
    """Frequencies by class, for all groups or by group; the rest is zero.

    Raises
    ------
    WolvesError
        If a class is unknown, or frequencies do not sum to one.
    """
    try:
        found, tremble = [], []
        for group in plan.groups:
            own = given.get(group, given)
            named_ = {str(k): float(v) for k, v in own["frequency"].items()}
            unknown = set(named_) - set(plan.names)
            if unknown:
                raise KeyError(sorted(unknown)[0])
            found.append([named_.get(name, 0.0) for name in plan.names])
            tremble.append(float(own["tremble"]))
        frequency = np.array(found)
        if not np.allclose(frequency.sum(axis=1), 1):
            raise ValueError("frequencies do not sum to one")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WolvesError(
            f"the given parameters lack or misstate one: {error}; the classes are "
            f"{', '.join(plan.names)}",
            mend='give {"tremble": 0.1, "frequency": {"always D": 0.4, "always C": 0.6}}',
        ) from error
    return frequency, np.array(tremble)


def _play(plan: Plan, frequency: Array, tremble: Array, rng: np.random.Generator) -> Moves:
    """Own moves of all games in the order of the rounds."""
    moves = np.zeros(max(g.rows[1] for g in plan.games), dtype=np.int64)
    for game in plan.games:
        members = plan.members[int(rng.choice(len(plan.members), p=frequency[game.group]))]
        strategy = plan.strategies[int(rng.choice(members))]
        state = 0
        for t, other in enumerate(game.other):
            slip = int(rng.uniform() < tremble[game.group])
            own = strategy.moves[state] ^ slip
            moves[game.rows[0] + t] = own
            state = strategy.steps[state][2 * own + int(other)]
    return moves


def coordinates(plan: Plan, frequency: Array, tremble: Array) -> Array:
    """Standard normal coordinates of frequencies (G, K) and trembles (G,), as Stan has them."""
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
    if plan.one_tremble:
        return np.concatenate([probit[:1], np.ravel(sticks)])
    return np.ravel([[p, *own] for p, own in zip(probit, sticks, strict=True)])
