"""The problem of ``concession``: kinds of moves and conceded fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from many_wolves.contracts import Observations, Outcome, Problem, Variable
from many_wolves.families.bargaining.model.effects import arm_contrasts
from many_wolves.families.bargaining.model.identified import not_told
from many_wolves.families.bargaining.model.levels import Spread
from many_wolves.families.bargaining.model.made_moves import Moves, read_moves
from many_wolves.families.bargaining.model.shared import (
    FAMILY,
    FOLDER,
    Index,
    by_group,
    counts_by_game,
    group_of_games,
    left_out,
    level_coords,
    level_data,
    level_variables,
)
from many_wolves.families.bargaining.simulation import concession as words
from many_wolves.files import shipped
from many_wolves.outcomes import Array

NAME = "concession"
OUTCOMES = (*words.FREE, "fraction")
"""Rows of the coefficients: kinds against hold, and the logit of the fraction."""
PRIOR_MEAN = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -0.2])
PRIOR_SD = np.array([1.5, 1.5, 1.5, 1.5, 1.5, 0.7])
SCALE_MEAN, SCALE_SD = -0.5, 0.4
"""Prior of the log scale of conceded fractions."""
_CLOSED = -1e3


def build(observations: Observations, *, memory: str, by_game: bool, spread: float) -> Problem:
    """See ``Concession.problem``."""
    moves = read_moves(observations, memory)
    levels = moves.decisions.levels
    K = len(words.KINDS)
    conceded = np.flatnonzero(np.isfinite(moves.fraction))
    names = ("intercept", *moves.covariates.names)
    data = {
        "N": len(moves.decisions),
        "P": len(moves.covariates.names),
        **level_data(levels, chains=True, games=by_game),
        "design": moves.covariates.matrix,
        "closed": np.where(moves.available, 0.0, _CLOSED),
        "kind": moves.kind + 1,
        "weight": np.ones(len(moves.decisions)),
        "S": conceded.size,
        "conceded": conceded + 1,
        "edges": _edges(moves, conceded),
        "prior_mean": PRIOR_MEAN,
        "prior_sd": PRIOR_SD,
        "scale_mean": SCALE_MEAN,
        "scale_sd": SCALE_SD,
        "slope_sd": moves.covariates.sd,
        "spread": spread,
    }
    counts = counts_by_game(levels, moves.kind, K)
    J, E = len(levels.participants), len(levels.games)
    variables = (
        Variable("posterior", "coefficient", "coefficient", ("outcome", "covariate"),
                 (len(OUTCOMES), len(names))),
        Variable("posterior", "size_scale", "size_scale"),
        Variable("posterior", "prompt", "prompt", ("outcome", "participant"), (len(OUTCOMES), J)),
        *level_variables(data, OUTCOMES, "outcome"),
        Variable("posterior", "predicted", "predicted", ("episode", "move"), (E, K)),
        Variable("posterior_predictive", "counts", "counts_rep", ("episode", "move"), (E, K)),
        Variable("log_likelihood", "counts", "log_lik", ("episode", "move"), (E, K)),
    )  # fmt: skip
    return Problem(
        model=NAME,
        family=FAMILY,
        speaker=str(moves.decisions.frame["speaker"].iloc[0]),
        program=shipped(f"{FOLDER}/concession.stan"),
        data=data,
        coords={
            **level_coords(levels),
            "move": words.KINDS,
            "outcome": OUTCOMES,
            "message": range(len(moves.decisions)),
            "covariate": names,
            "arm": tuple(arm_contrasts(moves.covariates.names)),
        },
        variables=variables,
        observed={
            "counts": (("episode", "move"), counts),
            "episode_group": (("episode",), group_of_games(levels).astype(float)),
            **_seen(moves),
        },
        outcome=Outcome("counts", ("predicted",), "move", "counts", "episode"),
        without=lambda part, most: {"weight": left_out(levels, moves.kind, words.KINDS, part)},
        derive=lambda posterior: _derived(posterior, moves, counts),
        adapt_delta=0.9,
        options={"memory": memory, "by_game": by_game, "spread": spread},
        notes=(
            *_notes(moves),
            *not_told(_Oracle(moves), moves.at.gap, moves.at.step, moves.at.design, moves.opens),
        ),
    )


def _seen(moves: Moves) -> dict[str, tuple[tuple[str, ...], Array]]:
    """What was offered, named and taken in each message, for the report."""
    d = moves.decisions
    seen = {
        "round": d.round,
        "seller": d.seller.astype(float),
        "offered_share": d.offered,
        "demanded": d.demand,
        "accepted": (moves.kind == words.KINDS.index("accept")).astype(float),
    }
    return {name: (("message",), values) for name, values in seen.items()}


def _edges(moves: Moves, conceded: Index) -> Array:
    """(S, 6) logits of the ends of each concession's cell, of the grid's reach, of the split."""
    low, high = words.cell_of(moves.at, moves.fraction)
    half, split = moves.at.relative_step / 2, moves.at.split_half_width
    ends = np.column_stack([low, high, half, 1 - half, 0.5 - split, 0.5 + split])
    found: Array = logit(np.clip(ends[conceded], 1e-9, 1 - 1e-9))
    return found


def _derived(
    posterior: Mapping[str, Array], moves: Moves, counts: Array
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Rates of each kind and the middle fraction by group; contrasts of arms."""
    levels, names = moves.decisions.levels, moves.covariates.names
    of = group_of_games(levels)
    n = counts.sum(axis=1)
    predicted = posterior["predicted"] * n[:, None]
    rate = np.stack(
        [predicted[..., of == g, :].sum(axis=-2) / n[of == g].sum() for g in range(of.max() + 1)],
        axis=-2,
    )
    b = posterior["coefficient"]
    fraction = expit(b[..., -1, :1] + posterior["prompt"][..., -1, :])
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        "rate": (("group", "move"), rate),
        "middle_fraction": (("group",), by_group(levels, fraction)),
    }
    contrasts = [
        b[..., 1 + names.index(one)] - b[..., 1 + names.index(two)]
        for one, two in arm_contrasts(names).values()
    ]
    if contrasts:
        found["contrast"] = (("arm", "outcome"), np.stack(contrasts, axis=-2))
    return found


def _notes(moves: Moves) -> list[str]:
    """What was left out, and which covariates these data do not vary."""
    found = [f"{n:,} moves are left out: {why}." for why, n in moves.skipped.items() if n]
    if moves.finer:
        found.append(
            f"{moves.finer:,} of {len(moves.decisions):,} moves are between the steps of the "
            "price grid; a finer step is used for these."
        )
    return found + moves.covariates.notes


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    *,
    memory: str,
    by_game: bool,
    spread: float,
) -> tuple[dict[str, Any], Observations]:
    """See ``Concession.simulate``: other moves in the same situations."""
    moves = read_moves(observations, memory)
    known, units = _known(moves, rng, given, by_game, spread)
    shift, size_shift, soft = _shifts(moves, units)
    at = _Masked.of(moves)
    kinds, fraction = words.draw(at, known, shift, size_shift, soft, rng)
    again = observations.having(turns=_replaced(observations, moves, kinds, fraction))
    levels = moves.decisions.levels
    truth: dict[str, Any] = {
        "coefficient": np.vstack([known.kinds, known.size]),
        "size_scale": known.scale,
        **_level_truth(units, levels, by_game),
    }
    each = words.row_log_likelihood(at, known, shift, size_shift, soft, kinds, fraction)
    return truth | {"log_lik": float(each.sum())}, again


def _level_truth(units: Spread, levels: Any, by_game: bool) -> dict[str, Any]:
    found = units.truth(levels)
    return {name: value for name, value in found.items() if by_game or name != "sd_game"}


@dataclass(frozen=True)
class _Masked(words.Situations):
    """Situations where a side may have named no price."""

    mask: Any = None

    @classmethod
    def of(cls, moves: Moves) -> _Masked:
        """The situations of moves."""
        opens = moves.opens
        mask = moves.at.available.copy()
        for kind in ("back", "split", "concede"):
            mask[opens, words.KINDS.index(kind)] = False
        return cls(moves.at.gap, moves.at.step, moves.at.design, mask)

    @property
    def available(self) -> Any:
        """(N, 6) kinds that are possible."""
        return self.mask


def _known(
    moves: Moves,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    by_game: bool,
    spread: float,
) -> tuple[words.Parameters, Spread]:
    """Parameters and units from the prior, or from what is given (intercepts alone)."""
    P, levels = len(moves.covariates.names), moves.decisions.levels
    if given is not None:
        numbers = given.get("concession", given)
        kinds = np.zeros((5, 1 + P))
        kinds[:, 0] = [float(numbers.get(kind, 0.0)) for kind in words.FREE]
        size = np.zeros(1 + P)
        size[0] = float(numbers.get("size", PRIOR_MEAN[-1]))
        scale = float(numbers.get("scale", np.exp(SCALE_MEAN)))
        return words.Parameters(kinds, size, scale), Spread.none(levels, 6)
    b = rng.normal(size=(6, 1 + P))
    b[:, 0] = PRIOR_MEAN + PRIOR_SD * b[:, 0]
    b[:, 1:] *= moves.covariates.sd
    units = Spread.drawn(levels, PRIOR_SD, rng, spread)
    if not by_game:
        units = replace(units, sd_game=0.0, game=np.zeros_like(units.game))
    scale = float(np.exp(SCALE_MEAN + SCALE_SD * rng.normal()))
    return words.Parameters(b[:5], b[5], scale), units


def _shifts(moves: Moves, units: Spread) -> tuple[Array, Array, Array]:
    """(N, 5), (N,) and (N,) deviations of each row's units: kinds, size, softness."""
    levels = moves.decisions.levels
    each = units.participant[levels.participant]
    return each[:, :5], each[:, 5], units.softness(levels)


def _replaced(
    observations: Observations, moves: Moves, kinds: Index, fraction: Array
) -> pd.DataFrame:
    """The table of turns with other moves in the rows that are fitted."""
    d = moves.decisions
    own = np.where(moves.opens, 1.0, d.own)
    name = np.array(words.KINDS)[kinds]
    demand = np.select(
        [name == "hold", name == "back", name == "split", name == "concede"],
        [own, own + d.step, own - moves.at.gap / 2, own - fraction * moves.at.gap],
        np.nan,
    )
    share = np.where(d.seller, demand, 1 - demand)
    price = d.low + share * d.pie
    move = np.where(np.isin(name, ("walk", "accept")), name, "offer")
    return d.frame.assign(
        move=move, price=price, conceded=np.where(np.isnan(demand), np.nan, (own - demand) /
                                                  moves.at.gap), flags="",
    )  # fmt: skip


@dataclass(frozen=True)
class _Oracle:
    """The likelihood of population parameters, for what a design tells of them."""

    moves: Moves

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in units of their prior sds."""
        columns = ("intercept", *self.moves.covariates.names)
        every = [f"{o}, {c}" for c in columns for o in OUTCOMES]
        return (*(every[n] for n in self._possible), "size_scale")

    @property
    def _possible(self) -> Index:
        """Places of the coefficients that mean something: who has named no price cannot give up."""
        columns = ("intercept", *self.moves.covariates.names)
        never = [f"{o}, no price yet" for o in ("back", "split", "concede", "fraction")]
        return np.flatnonzero([f"{o}, {c}" not in never for c in columns for o in OUTCOMES])

    def draw(self, x: Array, rng: np.random.Generator) -> tuple[Index, Array]:
        """Moves from parameters ``x`` in units of their prior sds."""
        p, zero = self._parameters(x), np.zeros(len(self.moves.decisions))
        return words.draw(_Masked.of(self.moves), p, np.zeros((zero.size, 5)), zero, zero, rng)

    def rows(self, x: Array, drawn: tuple[Index, Array]) -> Array:
        """(N,) log-likelihood of drawn moves."""
        p, zero = self._parameters(x), np.zeros(len(self.moves.decisions))
        return words.row_log_likelihood(
            _Masked.of(self.moves), p, np.zeros((zero.size, 5)), zero, zero, *drawn
        )

    def _parameters(self, x: Array) -> words.Parameters:
        every = np.zeros(6 * (1 + len(self.moves.covariates.names)))
        every[self._possible] = x[:-1]
        b = every.reshape(-1, 6).T.copy()
        b[:, 0] = PRIOR_MEAN + PRIOR_SD * b[:, 0]
        b[:, 1:] *= self.moves.covariates.sd
        return words.Parameters(b[:5], b[5], float(np.exp(SCALE_MEAN + SCALE_SD * x[-1])))
