"""The problem of ``aspiration``: opening, bottom, exponent, reciprocity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from many_wolves.contracts import Observations, Outcome, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.decisions import Decisions, read_decisions
from many_wolves.families.bargaining.model.effects import (
    Covariates,
    arm_columns,
    arm_contrasts,
    role_column,
)
from many_wolves.families.bargaining.model.identified import not_told
from many_wolves.families.bargaining.model.levels import Spread
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
from many_wolves.families.bargaining.simulation import aspiration as words
from many_wolves.files import shipped
from many_wolves.outcomes import Array

NAME = "aspiration"
ACTIONS = ("walk", "accept", "offer")
SCHEDULE = ("opening", "bottom", "exponent")
"""Coordinates: logit opening, logit(bottom / opening), log exponent."""
PRIOR_MEAN = np.array([2.0, -0.4, 0.0])
PRIOR_SD = np.array([1.0, 1.0, 0.8])
_OTHERS = ("reciprocity", "demand_spread", "precision", "walk", "walk_slope")
_FAR = 1e3


@dataclass(frozen=True)
class Written:
    """Messages that are fitted.

    Parameters
    ----------
    decisions
        The rows.
    at
        Where the speaker stood.
    action
        (N,) number of the action in ``ACTIONS``.
    demand
        (N,) share demanded; NaN where no offer was made.
    covariates
        Design matrix of the schedule.
    skipped
        How many messages had no place in the model, by reason.
    """

    decisions: Decisions
    at: words.Messages
    action: Index
    demand: Array
    covariates: Covariates
    skipped: Mapping[str, int]


def read_written(
    observations: Observations, *, reciprocity: bool = True, ends: str = "all"
) -> Written:
    """The messages of one speaker that the model describes: moves in games other than probes.

    Raises
    ------
    WolvesError
        If there is none.
    """
    everything = read_decisions(observations)
    kept = everything.is_move & ~everything.is_probe
    skipped = {"probes": int((everything.is_move & everything.is_probe).sum())}
    if ends == "deals":
        ended = _ended_with_deal(observations, everything)
        skipped["their game ended without a deal"] = int((kept & ~ended).sum())
        kept &= ended
    d = everything.part(kept)
    if not len(d):
        raise WolvesError(
            "the table contains no moves in conversations of several messages",
            where=d.where,
            fix="collect games with partners that answer offers",
        )
    there, before = np.isfinite(d.offered), np.isfinite(d.offered_before)
    raw = np.where(there & before, d.offered - d.offered_before, np.nan)
    mean = np.nanmean(raw) if np.isfinite(raw).any() else 0.0
    change = np.where(np.isfinite(raw) & reciprocity, raw - mean, 0.0)
    last = np.maximum(d.rounds - 1, 1)
    at = words.Messages(np.clip((d.round - 1) / last, 0, 1), d.offered, change, d.step)
    move = d.frame["move"].to_numpy().astype(str)
    action = np.array([ACTIONS.index(m) for m in move], dtype=np.int64)
    columns = {"seller": role_column(d.frame["role"]), **arm_columns(d.frame)}
    return Written(d, at, action, np.minimum(d.demand, 1.0), Covariates.of(columns), skipped)


def _ended_with_deal(observations: Observations, d: Decisions) -> Any:
    """(N,) whether the game of each row ended with a deal."""
    games = observations.tables.get("games")
    if games is None:
        raise WolvesError(
            "expected the table games in addition to turns, to know which games ended with a deal",
            where=d.where,
            fix="give the folder of `wolves choices`, or leave --ends out",
        )
    keys = ["chain", "branch", "game", "role"]
    deals = set(
        games[games["ended"] == "deal"][keys].astype(str).itertuples(index=False, name=None)
    )
    rows = d.frame[keys].astype(str).itertuples(index=False, name=None)
    return np.array([row in deals for row in rows])


def build(
    observations: Observations, *, reciprocity: bool, ends: str, by_game: bool, spread: float
) -> Problem:
    """See ``Aspiration.problem``."""
    written = read_written(observations, reciprocity=reciprocity, ends=ends)
    d, at, levels = written.decisions, written.at, written.decisions.levels
    made = np.flatnonzero(np.isfinite(written.demand))
    low, high, floor, top = _cells(written, made)
    there = np.isfinite(at.offered)
    names = written.covariates.names
    data = {
        "N": len(d),
        "P": len(names),
        **level_data(levels, chains=True, games=by_game),
        "design": written.covariates.matrix,
        "time": at.time,
        "there": there.astype(int),
        "offered": np.where(there, at.offered, 0.0),
        "change": at.change,
        "action": written.action + 1,
        "weight": np.ones(len(d)),
        "S": made.size,
        "made": made + 1,
        "cell": np.column_stack([low, high, floor]),
        "top": top.astype(int),
        "prior_mean": PRIOR_MEAN,
        "prior_sd": PRIOR_SD,
        "slope_sd": written.covariates.sd,
        "spread": spread,
    }
    counts = counts_by_game(levels, written.action, 3)
    J, E, P = len(levels.participants), len(levels.games), len(names)
    slope = Variable("posterior", "slope", "slope", ("coordinate", "covariate"), (3, P))
    variables = (
        Variable("posterior", "middle", "middle", ("coordinate",), (3,)),
        Variable("posterior", "prompt", "prompt", ("coordinate", "participant"), (3, J)),
        *(Variable("posterior", name, name) for name in _OTHERS),
        *([slope] if P else []),
        *level_variables(data, SCHEDULE, "coordinate"),
        Variable("posterior", "predicted", "predicted", ("episode", "move"), (E, 3)),
        Variable("posterior_predictive", "counts", "counts_rep", ("episode", "move"), (E, 3)),
        Variable("log_likelihood", "counts", "log_lik", ("episode", "move"), (E, 3)),
    )  # fmt: skip
    return Problem(
        model=NAME,
        family=FAMILY,
        speaker=str(d.frame["speaker"].iloc[0]),
        program=shipped(f"{FOLDER}/aspiration.stan"),
        data=data,
        coords={
            **level_coords(levels),
            "move": ACTIONS,
            "coordinate": SCHEDULE,
            "covariate": names,
            "arm": tuple(arm_contrasts(names)),
        },
        variables=variables,
        observed={
            "counts": (("episode", "move"), counts),
            "episode_group": (("episode",), group_of_games(levels).astype(float)),
        },
        outcome=Outcome("counts", ("predicted",), "move", "counts", "episode"),
        without=lambda part, most: {"weight": left_out(levels, written.action, ACTIONS, part)},
        derive=lambda posterior: _derived(posterior, written),
        adapt_delta=0.9,
        options={"reciprocity": reciprocity, "ends": ends, "by_game": by_game, "spread": spread},
        notes=(
            *_notes(written, ends),
            *not_told(
                _Oracle(written, reciprocity),
                at.time,
                at.offered,
                at.change,
                at.step,
                written.covariates.matrix,
            ),
        ),
    )


def _cells(written: Written, made: Index) -> tuple[Array, Array, Array, Any]:
    """Bounds of each demand's cell, the floor below it, and whether the cell is the top one."""
    step, demand = written.at.step[made] / 2, written.demand[made]
    offered = written.at.offered[made]
    floor = np.where(np.isfinite(offered), offered + step, -_FAR)
    top = demand >= 1 - step
    low = np.maximum(np.where(top, 1 - step, demand - step), floor)
    high = np.maximum(demand + step, low + step)
    return low, high, floor, top


def _derived(
    posterior: Mapping[str, Array], written: Written
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Opening, bottom and exponent of each group at its middle; contrasts of arms."""
    levels, names = written.decisions.levels, written.covariates.names
    at = posterior["middle"][..., :, None] + posterior["prompt"]
    opening = expit(at[..., 0, :])
    each = {
        "opening": opening,
        "bottom": opening * expit(at[..., 1, :]),
        "exponent": np.exp(at[..., 2, :]),
    }
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        name: (("group",), by_group(levels, value)) for name, value in each.items()
    }
    contrasts = [
        posterior["slope"][..., names.index(one)] - posterior["slope"][..., names.index(two)]
        for one, two in arm_contrasts(names).values()
    ]
    if contrasts:
        found["contrast"] = (("arm", "coordinate"), np.stack(contrasts, axis=-2))
    return found


def _notes(written: Written, ends: str) -> list[str]:
    """What was left out, what is assumed, and which covariates do not vary."""
    d = written.decisions
    found = [f"{n:,} messages are left out: {why}." for why, n in written.skipped.items() if n]
    if ends == "deals":
        found.append(
            "Games without a deal are left out. This biases the bottom downwards, because speakers "
            "who would not go lower are missing."
        )
    if not d.announced.all():
        found.append(
            f"In {int((~d.announced).sum()):,} of {len(d):,} messages the speaker did not know "
            "the number of rounds, so the exponent describes a deadline unknown to the speaker."
        )
    more = int((d.demand > 1 + 1e-9).sum())
    if more:
        found.append(
            f"{more:,} offers ask for more than the whole pie; they count as the whole pie."
        )
    return found + written.covariates.notes


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    *,
    reciprocity: bool,
    ends: str,
    by_game: bool,
    spread: float,
) -> tuple[dict[str, Any], Observations]:
    """See ``Aspiration.simulate``: other moves in the same situations."""
    written = read_written(observations, reciprocity=reciprocity, ends=ends)
    levels = written.decisions.levels
    x = _from_given(given) if given is not None else None
    drawn = rng.normal(size=8 + 3 * len(written.covariates.names)) if x is None else x
    if x is None:
        units = Spread.drawn(levels, PRIOR_SD, rng, spread)
        units = units if by_game else replace(units, sd_game=0.0, game=0 * units.game)
    else:
        drawn = np.concatenate([x, np.zeros(3 * len(written.covariates.names))])
        units = Spread.none(levels, 3)
    p, truth = _parameters(drawn, written, reciprocity, units)
    action, demand = words.draw(written.at, p, rng)
    each = words.row_log_likelihood(written.at, p, action, demand)
    known = {n: v for n, v in units.truth(levels).items() if by_game or n != "sd_game"}
    again = observations.having(turns=_replaced(written, action, demand))
    return truth | known | {"log_lik": float(each.sum())}, again


def _from_given(given: Mapping[str, Any]) -> Array:
    """Standard normal coordinates of given parameters."""
    p = given.get("aspiration", given)
    opening, bottom = float(p["opening"]), float(p["bottom"])
    values = np.array([
        logit(opening), logit(bottom / opening), np.log(float(p["exponent"])),
        float(p.get("reciprocity", 0.0)), np.log(float(p.get("spread", 0.05))),
        np.log(float(p.get("precision", 15.0))), float(p.get("walk", -6.0)),
        float(p.get("walk_slope", 4.0)),
    ])  # fmt: skip
    found: Array = (values - _ALL_MEAN) / _ALL_SD
    return found


_ALL_MEAN = np.concatenate([PRIOR_MEAN, [0.0, -2.5, 2.5, -4.0, 4.0]])
_ALL_SD = np.concatenate([PRIOR_SD, [0.5, 0.6, 0.7, 1.5, 2.0]])


def _parameters(
    x: Array, written: Written, reciprocity: bool, units: Spread
) -> tuple[words.Parameters, dict[str, Any]]:
    """Parameters of every message from standard normals, and those of the population by name."""
    levels, P = written.decisions.levels, len(written.covariates.names)
    v = _ALL_MEAN + _ALL_SD * x[:8]
    slope = PRIOR_SD[:, None] * x[8:].reshape(3, P) * written.covariates.sd
    at = v[:3] + written.covariates.matrix @ slope.T + units.participant[levels.participant]
    at[:, 1] += units.softness(levels)
    opening = expit(at[:, 0])
    p = words.Parameters(
        opening, opening * expit(at[:, 1]), np.exp(at[:, 2]), float(v[3]) * reciprocity,
        float(np.exp(v[4])), float(np.exp(v[5])), float(v[6]), float(v[7]),
    )  # fmt: skip
    truth: dict[str, Any] = {
        "middle": v[:3], "demand_spread": p.spread, "precision": p.precision, "walk": p.walk,
        "walk_slope": p.walk_slope,
    }  # fmt: skip
    truth |= {"slope": slope} if P else {}
    return p, truth | ({"reciprocity": float(v[3])} if reciprocity else {})


def _replaced(written: Written, action: Index, demand: Array) -> pd.DataFrame:
    """The rows that are fitted with other moves."""
    d = written.decisions
    share = np.where(d.seller, demand, 1 - demand)
    return d.frame.assign(
        move=np.array(ACTIONS)[action], price=d.low + share * d.pie, conceded=np.nan, flags=""
    )


@dataclass(frozen=True)
class _Oracle:
    """The likelihood of population parameters, for what a design tells of them."""

    written: Written
    reciprocity: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        columns = self.written.covariates.names
        return (*SCHEDULE, *_OTHERS, *(f"{s}, {c}" for s in SCHEDULE for c in columns))

    def draw(self, x: Array, rng: np.random.Generator) -> tuple[Index, Array]:
        """Moves from parameters ``x`` in units of their prior sds."""
        return words.draw(self.written.at, self._known(x), rng)

    def rows(self, x: Array, drawn: tuple[Index, Array]) -> Array:
        """(N,) log-likelihood of drawn moves."""
        return words.row_log_likelihood(self.written.at, self._known(x), *drawn)

    def _known(self, x: Array) -> words.Parameters:
        units = Spread.none(self.written.decisions.levels, 3)
        return _parameters(x, self.written, self.reciprocity, units)[0]
