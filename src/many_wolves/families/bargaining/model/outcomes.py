"""The problem of ``outcomes``: when games end, whether with a deal, and at which share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from many_wolves.contracts import Observations, Outcome, Problem, Variable
from many_wolves.families.bargaining.model.begun_games import Games, read_games
from many_wolves.families.bargaining.model.effects import (
    arm_contrasts,
)
from many_wolves.families.bargaining.model.identified import not_told
from many_wolves.families.bargaining.model.levels import Spread
from many_wolves.families.bargaining.model.shared import (
    FAMILY,
    FOLDER,
    Index,
    group_of_games,
    level_coords,
    level_data,
    level_variables,
)
from many_wolves.families.bargaining.simulation import outcomes as words
from many_wolves.files import shipped
from many_wolves.outcomes import Array

NAME = "outcomes"
ENDS = ("deal", "left", "cut")
COORDINATES = ("end", "deal", "share")
PRIOR_MEAN = np.array([-1.0, 1.0, 0.0])
PRIOR_SD = np.array([1.0, 1.5, 0.5])
ATOM = np.array([8.0, 1.0, 1.0, 1.0])
_QUANTILES = (np.arange(64) + 0.5) / 64
"""Points at which the quantile function of shares is evaluated, for their mean."""


def build(observations: Observations, *, by_partner: bool, arms: bool, spread: float) -> Problem:
    """See ``Outcomes.problem``."""
    games = read_games(observations, arms=arms)
    levels, N, names = games.levels, len(games.frame), games.covariates.names
    deals = np.flatnonzero((games.ended == 0) & np.isfinite(games.share))
    edges, heaped, known = _cells(games, deals)
    unit = level_data(levels, chains=True, games=False)
    data = {
        "N": N,
        "P": len(names),
        **{k: unit[k] for k in ("G", "J", "C", "group", "participant", "chain", "by_group",
                                "by_participant", "by_chain")},
        "Q": len(games.partners),
        "T": int(games.last.max()),
        "partner": games.partner + 1,
        "by_partner": int(by_partner and len(games.partners) > 1),
        "design": games.covariates.matrix,
        "last": games.last,
        "rounds": games.at.rounds,
        "ended": games.ended + 1,
        "weight": np.ones(N),
        "S": deals.size,
        "deal": deals + 1,
        "edges": edges,
        "heaped": heaped,
        "known": known,
        "prior_mean": PRIOR_MEAN,
        "prior_sd": PRIOR_SD,
        "slope_sd": games.covariates.sd,
        "spread": spread,
    }  # fmt: skip
    counts = np.eye(3)[games.ended]
    named = ("intercept", *names)
    J, Q = len(levels.participants), len(games.partners)
    variables = (
        Variable("posterior", "coefficient", "coefficient", ("coordinate", "covariate"),
                 (3, len(named))),
        Variable("posterior", "round_slope", "round_slope"),
        Variable("posterior", "share_scale", "share_scale"),
        Variable("posterior", "atom", "atom", ("heap",), (4,)),
        Variable("posterior", "prompt", "prompt", ("coordinate", "participant"), (3, J)),
        Variable("posterior", "partner_at", "partner_at", ("coordinate", "partner"), (3, Q)),
        *level_variables(data, COORDINATES, "coordinate"),
        Variable("posterior", "predicted", "predicted", ("episode", "end"), (N, 3)),
        Variable("posterior", "expected_middle", "expected_middle", ("episode",), (N,)),
        Variable("posterior_predictive", "counts", "counts_rep", ("episode", "end"), (N, 3)),
        Variable("log_likelihood", "counts", "log_lik", ("episode", "end"), (N, 3)),
    )  # fmt: skip
    return Problem(
        model=NAME,
        family=FAMILY,
        speaker=str(games.frame["speaker"].iloc[0]),
        program=shipped(f"{FOLDER}/outcomes.stan"),
        data=data,
        coords={
            **level_coords(levels),
            "episode": levels.games,
            "end": ENDS,
            "coordinate": COORDINATES,
            "covariate": named,
            "heap": ("none", *words.ATOMS),
            "partner": games.partners,
            "arm": tuple(arm_contrasts(names)),
            "condition": _conditions(games)[0],
        },
        variables=variables,
        observed={
            "counts": (("episode", "end"), counts),
            "share_of_deal": (("episode",), games.share),
            "last_round": (("episode",), games.last.astype(float)),
            "episode_condition": (("episode",), _conditions(games)[1].astype(float)),
            "episode_partner": (("episode",), games.partner.astype(float)),
        },
        outcome=Outcome("counts", ("predicted",), "end", "counts", "episode"),
        without=lambda part, most: {
            "weight": (np.array(levels.games) != str(part["episode"])).astype(float)
        },
        derive=lambda posterior: _derived(posterior, games),
        adapt_delta=0.9,
        options={"by_partner": by_partner, "arms": arms, "spread": spread},
        notes=(
            *_notes(games),
            *not_told(
                _Oracle(games), games.at.rounds, games.at.step, games.at.atoms, games.at.design
            ),
        ),
    )


def _cells(games: Games, deals: Index) -> tuple[Array, Array, Array]:
    """Logits of the ends of each deal's cell, which atoms lie in it, and which there are."""
    share, half = games.share[deals], games.at.step[deals] / 2
    ends = (np.column_stack([share - half, share + half]) - words.LOW) / (words.HIGH - words.LOW)
    edges = np.where(ends <= 0, -1e6, np.where(ends >= 1, 1e6, 0.0))
    inside = (ends > 0) & (ends < 1)
    edges[inside] = logit(np.clip(ends[inside], 1e-9, 1 - 1e-9))
    heaped = games.at.heaped(games.share)[deals]
    return edges, heaped, np.isfinite(games.at.atoms[deals]).astype(float)


def _conditions(games: Games) -> tuple[tuple[str, ...], Index]:
    """What is reported apart: arm and game where there is advice, else group; (N,) of each game."""
    frame = games.frame
    if frame["game"].astype(int).max() > 1:
        first = frame["game"].astype(int) == 1
        names = np.where(first, "first game", frame["arm"].astype(str) + ", game " +
                         frame["game"].astype(str))  # fmt: skip
    else:
        names = np.array(games.levels.groups)[group_of_games(games.levels)]
    known = tuple(dict.fromkeys(map(str, names)))
    return known, np.array([known.index(str(name)) for name in names], dtype=np.int64)


def _derived(
    posterior: Mapping[str, Array], games: Games
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Deal rate, share and their product by condition, over the games that were begun."""
    known, of = _conditions(games)
    deals = posterior["predicted"][..., 0]
    share = mean_share(posterior, games.at.atoms)
    rate = np.stack([deals[..., of == c].mean(axis=-1) for c in range(len(known))], axis=-1)
    brings = np.stack(
        [(deals * share)[..., of == c].mean(axis=-1) for c in range(len(known))], axis=-1
    )
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        "deal_rate": (("condition",), rate),
        "share": (("condition",), brings / np.maximum(rate, 1e-12)),
        "expected_share": (("condition",), brings),
        "expected": (("episode",), deals * share),
    }
    names, b = games.covariates.names, posterior["coefficient"]
    contrasts = [
        b[..., 1 + names.index(one)] - b[..., 1 + names.index(two)]
        for one, two in arm_contrasts(names).values()
    ]
    if contrasts:
        found["contrast"] = (("arm", "coordinate"), np.stack(contrasts, axis=-2))
    return found


def mean_share(posterior: Mapping[str, Array], atoms: Array) -> Array:
    """(..., N) mean share of a deal: atoms, and the logistic between them."""
    m, scale = posterior["expected_middle"], posterior["share_scale"][..., None]
    rest = np.zeros_like(m)
    for q in _QUANTILES:
        rest += expit(m + scale * logit(q)) / _QUANTILES.size
    rest = words.LOW + (words.HIGH - words.LOW) * rest
    p = posterior["atom"]
    there = np.isfinite(atoms)
    heaps = (p[..., None, 1:] * np.where(there, atoms, 0.0)).sum(axis=-1)
    total = p[..., :1] + (p[..., None, 1:] * there).sum(axis=-1)
    found: Array = (p[..., :1] * rest + heaps) / total
    return found


def _notes(games: Games) -> list[str]:
    """What was left out, and what censors."""
    found = [f"{n:,} games are left out: {why}." for why, n in games.skipped.items() if n]
    roles = sorted(set(games.frame["role"].astype(str)))
    if len(roles) == 1:
        found.append(f"Shares are those of the {roles[0]}.")
    if games.outside:
        found.append(
            f"{games.outside:,} deals are outside the pie by more than half of it; they count as "
            "the outermost shares."
        )
    how = games.frame["ended"][games.ended == 2].value_counts()
    if len(how):
        listed = ", ".join(f"{name} {n}" for name, n in how.items())
        found.append(
            f"{int(how.sum()):,} of {len(games.frame):,} games had not ended when they were cut "
            f"({listed}): they count as censored, not as failures."
        )
    return found + games.covariates.notes


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    *,
    by_partner: bool,
    arms: bool,
    spread: float,
) -> tuple[dict[str, Any], Observations]:
    """See ``Outcomes.simulate``: other ends of the same games."""
    games = read_games(observations, arms=arms)
    P, levels = len(games.covariates.names), games.levels
    if given is None:
        x = rng.normal(size=3 * (1 + P) + 2)
        atoms = rng.dirichlet(ATOM)
        units = Spread.drawn(levels, PRIOR_SD, rng, spread)
        sd_partner = rng.exponential(spread, 3) * PRIOR_SD
    else:
        x, atoms = np.zeros(3 * (1 + P) + 2), np.array(given.get("atoms", ATOM / ATOM.sum()))
        x[:3] = (np.array([given["end"], given["deal"], given["share"]]) - PRIOR_MEAN) / PRIOR_SD
        units, sd_partner = Spread.none(levels, 3), np.zeros(3)
    varied = by_partner and len(games.partners) > 1
    partner = sd_partner * varied * rng.normal(size=(len(games.partners), 3))
    p = _parameters(x, games, atoms)
    shift = _shift(games, units, partner)
    last, ended, share = words.draw(games.at, p, shift, rng)
    each = words.row_log_likelihood(games.at, p, shift, last, ended, share)
    truth: dict[str, Any] = {
        "coefficient": np.vstack([np.delete(p.end, 1), p.deal, p.middle]),
        "round_slope": float(p.end[1]), "share_scale": p.scale, "atom": p.atoms,
        **{n: v for n, v in units.truth(levels).items() if n != "sd_game"},
        **({"sd_partner": sd_partner} if varied else {}),
        "log_lik": float(each.sum()),
    }  # fmt: skip
    return truth, observations.having(games=_replaced(games, last, ended, share))


def _parameters(x: Array, games: Games, atoms: Array) -> words.Parameters:
    """Parameters from standard normals."""
    b = x[:-2].reshape(-1, 3).T.copy()
    b[:, 0] = PRIOR_MEAN + PRIOR_SD * b[:, 0]
    b[:, 1:] *= games.covariates.sd
    end = np.insert(b[0], 1, x[-2])
    return words.Parameters(end, b[1], b[2], float(np.exp(-1.2 + 0.5 * x[-1])), atoms)


def _shift(games: Games, units: Spread, partner: Array) -> words.Shifts:
    """Deviations of every game's units."""
    each = units.participant[games.levels.participant] + partner[games.partner]
    return words.Shifts(each[:, 0], each[:, 1], each[:, 2] + units.chain[games.levels.chain])


def _replaced(games: Games, last: Index, ended: Index, share: Array) -> pd.DataFrame:
    """The games that are fitted with other ends."""
    frame = games.frame
    seller = (frame["role"] == "seller").to_numpy()
    known = frame[["cost", "value"]].notna().all(axis=1)
    low = np.where(known, frame["cost"], frame["bid"]).astype(float)
    high = np.where(known, frame["value"], frame["ask"]).astype(float)
    price = low + np.where(seller, share, 1 - share) * (high - low)
    how = np.select([ended == 1, ended == 0], ["deal", "walked"], "cap")
    return frame.assign(last_round=last, ended=how, price=price, rounds=games.at.rounds)


@dataclass(frozen=True)
class _Oracle:
    """The likelihood of population parameters, for what a design tells of them."""

    games: Games

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        columns = ("intercept", *self.games.covariates.names)
        return (*(f"{o}, {c}" for c in columns for o in COORDINATES), "round_slope", "share_scale")

    def draw(self, x: Array, rng: np.random.Generator) -> tuple[Index, Index, Array]:
        """Ends from parameters ``x`` in units of their prior sds."""
        return words.draw(self.games.at, self._known(x), self._none, rng)

    def rows(self, x: Array, drawn: tuple[Index, Index, Array]) -> Array:
        """(N,) log-likelihood of drawn ends."""
        return words.row_log_likelihood(self.games.at, self._known(x), self._none, *drawn)

    @property
    def _none(self) -> words.Shifts:
        return words.Shifts.none(len(self.games.frame))

    def _known(self, x: Array) -> words.Parameters:
        return _parameters(x, self.games, ATOM / ATOM.sum())
