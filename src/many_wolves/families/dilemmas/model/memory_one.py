"""Memory-one strategies: the probability of C after each possible context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.contracts import Array, Problem
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.decisions import (
    Cells,
    Prior,
    Words,
    decision_problem,
    from_prior,
    log_likelihood,
)
from many_wolves.families.dilemmas.model.memory_measures import MEASURES, Situations, measures
from many_wolves.families.dilemmas.model.memory_notes import notes
from many_wolves.families.dilemmas.model.rounds import (
    CONTEXTS,
    MOVES,
    Rounds,
    read_rounds,
)
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.families.dilemmas.simulation.memory_one import given_strategies, play
from many_wolves.observations import Observations

NAME = "memory-one"
LAST = "last round"
PRIOR_SD = 1.5
"""Prior sd of the log-odds of C, which makes the probability about uniform."""
LAST_SD = 1.0
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "memory-one": {},
    "no end game": {"end_game": False},
    "reactive": {"memory": "other"},
    "unconditional": {"memory": "none", "end_game": False},
}
_SHARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "both": {c: (c,) for c in CONTEXTS},
    "other": {"start": ("start",), "C": ("CC", "DC"), "D": ("CD", "DD")},
    "none": {"any": CONTEXTS},
}
"""What is remembered -> coefficient -> the contexts that share it."""


@dataclass(frozen=True)
class _Plan:
    """Which coefficients there are."""

    memory: str
    end_game: bool
    spread: float

    @classmethod
    def of(cls, memory: str = "both", end_game: bool = True, spread: float = SPREAD) -> _Plan:
        if memory not in _SHARED:
            raise WolvesError(
                f"expected the memory {', '.join(_SHARED)}; found {memory!r}", fix="memory='both'"
            )
        return cls(memory, end_game, spread)

    @property
    def names(self) -> tuple[str, ...]:
        return (*_SHARED[self.memory], *([LAST] if self.end_game else []))

    @property
    def prior(self) -> Prior:
        sd = [LAST_SD if name == LAST else PRIOR_SD for name in self.names]
        return Prior(np.zeros(len(sd)), np.array(sd))

    @property
    def expansion(self) -> Array:
        """(5, K) which coefficient each context has."""
        shared = list(_SHARED[self.memory].values())
        rows = [[float(c in contexts) for contexts in shared] for c in CONTEXTS]
        expansion: Array = np.c_[np.array(rows), np.zeros((len(CONTEXTS), int(self.end_game)))]
        return expansion

    def full(self, coefficient: Array) -> Array:
        """(..., 5 or 6, J) coefficients of every context from those of the variant."""
        each: Array = np.einsum("ck,...kj->...cj", self.expansion, coefficient)
        if not self.end_game:
            return each
        return np.concatenate([each, coefficient[..., -1:, :]], axis=-2)


def simulate(
    table: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Mapping[str, Any], Observations]:
    """See ``MemoryOne.simulate``."""
    rounds = read_rounds(table)
    plan = _Plan.of(**options)
    known = (
        from_prior(rounds.levels, plan.prior, plan.spread, rng)
        if given is None
        else given_strategies(given, rounds, plan.names)
    )
    answered = table.having(counts=play(table, rounds, plan.full(known.coefficient), rng))
    again = read_rounds(answered)
    cells, met = _count(again, plan)
    derived = measures(plan.full(known.coefficient), met, again.levels)
    truth = known.truth() | {name: derived[name] for name in _kept(derived)}
    return truth | {"log_lik": log_likelihood(cells, known.coefficient)}, answered


def build(
    table: Observations, *, memory: str = "both", end_game: bool = True, spread: float = SPREAD
) -> Problem:
    """See ``MemoryOne.problem``."""
    plan = _Plan.of(memory, end_game, spread)
    rounds = read_rounds(table)
    cells, met = _count(rounds, plan)
    levels = rounds.levels

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        found = measures(plan.full(posterior["log_odds"]), met, levels)
        dims = {"p_c": ("context", "group")}
        return {name: (dims.get(name, ("group",)), found[name]) for name in _kept(found)}

    return decision_problem(
        model=NAME,
        table=table,
        levels=levels,
        cells=cells,
        prior=plan.prior,
        words=Words(MOVES, plan.names),
        extra={
            "cell_context": (("cell",), met.context.astype(float)),
            "cell_last": (("cell",), met.last),
            **_by_round(rounds),
        },
        coords={
            "context": CONTEXTS,
            "round": range(1, int(rounds.frame["round"].max()) + 1),
        },
        derive=derive,
        kept=("cooperation", "spite"),
        options={"memory": memory, "end_game": end_game},
        notes=[*table.meta.get("notes", ()), *notes(rounds, end_game)],
        spread=spread,
    )


def _kept(found: Mapping[str, Array]) -> list[str]:
    return [name for name in ("p_c", *MEASURES) if name in found]


def _count(rounds: Rounds, plan: _Plan) -> tuple[Cells, Situations]:
    """Decisions by participant, context and whether the round is the last."""
    # Cells are the same with and without an end game, so that variants can be compared.
    frame = rounds.frame.assign(who=rounds.participant)
    weighted = frame.assign(
        C=frame["count"] * (frame["own"] == "C"), D=frame["count"] * (frame["own"] == "D")
    )
    found = weighted.groupby(["who", "context", "last"])[["C", "D"]].sum().reset_index()
    who, context = found["who"].to_numpy(), found["context"].to_numpy()
    last, counts = found["last"].to_numpy(dtype=float), found[["C", "D"]].to_numpy(dtype=float)
    design = plan.expansion[context]
    if plan.end_game:
        design = np.c_[design[:, :-1], last]
    names = tuple(
        f"{rounds.levels.names[w]} | {CONTEXTS[c]}{' | last' if at else ''}"
        for w, c, at in zip(who, context, last, strict=True)
    )
    met = Situations(who, context, last, counts.sum(axis=1))
    return Cells(who, design, counts, names), met


def _by_round(rounds: Rounds) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Observed C and decisions by group and round, for the page."""
    frame = rounds.frame
    of = {name: i for i, name in enumerate(rounds.levels.groups)}
    shape = (len(of), int(frame["round"].max()))
    chosen, asked = np.zeros(shape), np.zeros(shape)
    at = (frame["group"].map(of).to_numpy(), frame["round"].to_numpy() - 1)
    np.add.at(asked, at, frame["count"].to_numpy(dtype=float))
    np.add.at(chosen, at, (frame["count"] * (frame["own"] == "C")).to_numpy(dtype=float))
    dims = ("group", "round")
    return {"round_cooperation": (dims, chosen), "round_decisions": (dims, asked)}
