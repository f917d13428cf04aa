"""The problem of ``values``: weights of own gain, an even split and agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from many_wolves.contracts import Observations, Outcome, Problem, Variable
from many_wolves.families.bargaining.model.effects import arm_contrasts
from many_wolves.families.bargaining.model.identified import not_told
from many_wolves.families.bargaining.model.levels import Spread
from many_wolves.families.bargaining.model.made_choices import Chosen, read_chosen
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
from many_wolves.families.bargaining.simulation import values as words
from many_wolves.files import shipped
from many_wolves.outcomes import Array

NAME = "values"
ACTIONS = ("accept", "leave", "demand")
WEIGHTS = ("own", "fair", "deal")
_RATIO_SD, _HOPE_SD = 1.2, 0.25
_BELIEFS = ("precision", "hope", "sharpness", "breakdown")
_EVEN = {"even": 0, "inequity": 1, "smooth": 2, "none": 0}


def build(
    observations: Observations, *, fair: str, deal: bool, rows: str, by_game: bool, spread: float
) -> Problem:
    """See ``Values.problem``."""
    chosen = read_chosen(observations, rows)
    d, at, levels = chosen.decisions, chosen.at, chosen.decisions.levels
    demands = [at.demands(n) for n in range(len(d))]
    odds = [at.menus[n][1] if n in at.menus else np.zeros(x.size) for n, x in enumerate(demands)]
    sizes = np.array([x.size for x in demands])
    names, V = chosen.covariates.names, _ratios(fair, deal)
    talks, (alike, unit) = chosen.levels, chosen.alike
    data = {
        "N": len(d),
        "P": len(names),
        **level_data(talks, chains=True, games=by_game),
        "participant": levels.participant[alike] + 1,
        "talk": talks.game + 1,
        "H": len(talks.games),
        "game": levels.game + 1,
        "E": len(levels.games),
        "U": alike.size,
        "unit": unit + 1,
        "design": chosen.covariates.matrix[alike],
        "kind": [("talk", "told", "last").index(kind) + 1 for kind in at.kind],
        "offered": np.nan_to_num(at.offered),
        "outside": at.outside,
        "O": int(sizes.sum()),
        "first": np.concatenate([[0], sizes.cumsum()[:-1]]) + 1,
        "demands": sizes,
        "demand": np.concatenate(demands),
        "odds": np.concatenate(odds),
        "chosen": chosen.option + 1,
        "weight": np.ones(len(d)),
        "even": _EVEN[fair],
        "with_fair": int(fair != "none"),
        "with_deal": int(deal),
        "slope_sd": chosen.covariates.sd,
        "spread": spread,
    }
    counts = counts_by_game(levels, chosen.action, 3)
    J, E, P = len(levels.participants), len(levels.games), len(names)
    variables = (
        Variable("posterior", "w", "w", ("weight",), (3,)),
        Variable("posterior", "w_participant", "w_participant", ("weight", "participant"), (3, J)),
        Variable("posterior", "pays_to_close", "pays_to_close"),
        *(Variable("posterior", name, name) for name in _BELIEFS),
        *([Variable("posterior", "slope", "slope", ("ratio", "covariate"), (V, P))]
          if P and V else []),
        *level_variables(data, WEIGHTS[:V], "ratio"),
        Variable("posterior", "predicted", "predicted", ("episode", "move"), (E, 3)),
        Variable("posterior", "mean_demand", "mean_demand", ("message",), (len(d),)),
        Variable("posterior_predictive", "counts", "counts_rep", ("episode", "move"), (E, 3)),
        Variable("log_likelihood", "counts", "log_lik", ("episode", "move"), (E, 3)),
    )  # fmt: skip
    return Problem(
        model=NAME,
        family=FAMILY,
        speaker=str(d.frame["speaker"].iloc[0]),
        program=shipped(f"{FOLDER}/values.stan"),
        data=data,
        coords={
            **level_coords(levels),
            "move": ACTIONS,
            "weight": WEIGHTS,
            "ratio": WEIGHTS[:V],
            "covariate": names,
            "message": range(len(d)),
            "arm": tuple(arm_contrasts(names)),
        },
        variables=variables,
        observed={
            "counts": (("episode", "move"), counts),
            "episode_group": (("episode",), group_of_games(levels).astype(float)),
            "demanded": (("message",), np.where(chosen.action == 2, d.demand, np.nan)),
            "offered_share": (("message",), at.offered),
        },
        outcome=Outcome("counts", ("predicted",), "move", "counts", "episode"),
        without=lambda part, most: {"weight": left_out(levels, chosen.action, ACTIONS, part)},
        derive=lambda posterior: _derived(posterior, chosen),
        adapt_delta=0.9,
        options={"fair": fair, "deal": deal, "rows": rows, "by_game": by_game, "spread": spread},
        notes=(
            *_notes(chosen),
            *not_told(
                _Oracle(chosen, fair, deal),
                at.offered,
                at.step,
                at.outside,
                *sum(at.menus.values(), ()),
                chosen.covariates.matrix,
                fair,
                deal,
            ),
        ),
    )


def _ratios(fair: str, deal: bool) -> int:
    """Number of log-ratios of weights."""
    return int(fair != "none") + int(deal)


def _derived(
    posterior: Mapping[str, Array], chosen: Chosen
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Weights by group; contrasts of arms."""
    levels, names = chosen.decisions.levels, chosen.covariates.names
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    if levels.by_group:
        found["w_group"] = (("weight", "group"), by_group(levels, posterior["w_participant"]))
    contrasts = [
        posterior["slope"][..., names.index(one)] - posterior["slope"][..., names.index(two)]
        for one, two in arm_contrasts(names).values()
        if "slope" in posterior
    ]
    if contrasts:
        found["contrast"] = (("arm", "ratio"), np.stack(contrasts, axis=-2))
    return found


def _notes(chosen: Chosen) -> list[str]:
    """What was left out, and which covariates do not vary."""
    found = [f"{n:,} messages are left out: {why}." for why, n in chosen.skipped.items() if n]
    return found + chosen.covariates.notes


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    *,
    fair: str,
    deal: bool,
    rows: str,
    by_game: bool,
    spread: float,
) -> tuple[dict[str, Any], Observations]:
    """See ``Values.simulate``: other choices among the same options."""
    chosen = read_chosen(observations, rows)
    levels, V = chosen.levels, _ratios(fair, deal)
    P = len(chosen.covariates.names)
    if given is None:
        x = rng.normal(size=V + 4 + V * P)
        units = Spread.drawn(levels, np.full(V, _RATIO_SD), rng, spread)
        units = units if by_game else replace(units, sd_game=0.0, game=0 * units.game)
    else:
        x = np.concatenate([_from_given(given, fair, deal), np.zeros(V * P)])
        units = Spread.none(levels, V)
    known = _Known.of(x, chosen, fair, deal, units)
    fairness: words.Fairness = "even" if fair == "none" else fair  # type: ignore[assignment]
    option = words.draw(chosen.at, known.weights, known.beliefs, known.hope, rng, fairness)
    each = words.row_log_likelihood(
        chosen.at, known.weights, known.beliefs, known.hope, option, fairness
    )
    named = {n: v for n, v in units.truth(levels).items() if by_game or n != "sd_game"}
    truth = known.truth | named | {"log_lik": float(each.sum())}
    return truth, observations.having(turns=_replaced(chosen, option))


def _from_given(given: Mapping[str, Any], fair: str, deal: bool) -> Array:
    """Standard normal coordinates of given parameters."""
    p = given.get("values", given)
    own, even, close = (float(p[name]) for name in WEIGHTS)
    base = close if deal else even
    ratios = [np.log(own / base)] if _ratios(fair, deal) else []
    if fair != "none" and deal:
        ratios.append(np.log(even / close))
    h = float(p.get("breakdown", 0.1))
    return np.array([
        *(r / _RATIO_SD for r in ratios),
        np.log(float(p.get("precision", 20.0))) - 2.5,
        (float(p.get("hope", 0.2)) - 0.2) / _HOPE_SD,
        (np.log(float(p.get("sharpness", 7.0))) - 2) / 0.7,
        np.log(h / (1 - h)) + 2,
    ])  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """Known weights and beliefs of every message, and those of the population by name."""

    weights: list[words.Weights]
    beliefs: words.Beliefs
    hope: Array
    truth: dict[str, Any]

    @classmethod
    def of(cls, x: Array, chosen: Chosen, fair: str, deal: bool, units: Spread) -> _Known:
        """From standard normals: log-ratios, beliefs, slopes."""
        levels, V, P = chosen.levels, _ratios(fair, deal), len(chosen.covariates.names)
        ratio = _RATIO_SD * x[:V]
        slope = x[V + 4 :].reshape(V, P) * chosen.covariates.sd
        each = ratio + chosen.covariates.matrix @ slope.T + units.participant[levels.participant]
        beliefs = words.Beliefs(
            float(np.exp(2.5 + x[V])), float(0.2 + _HOPE_SD * x[V + 1]),
            float(np.exp(2 + 0.7 * x[V + 2])), float(expit(-2 + x[V + 3])),
        )  # fmt: skip
        w = _weights(ratio, fair, deal)
        truth: dict[str, Any] = {
            "w": np.array([w.own, w.fair, w.deal]), "pays_to_close": w.deal / w.own,
            "precision": beliefs.precision, "hope": beliefs.hope,
            "sharpness": beliefs.sharpness, "breakdown": beliefs.breakdown,
        }  # fmt: skip
        truth |= {"slope": slope} if V and P else {}
        return cls(
            [_weights(row, fair, deal) for row in each],
            beliefs,
            _HOPE_SD * units.softness(levels),
            truth,
        )


def _weights(ratio: Array, fair: str, deal: bool) -> words.Weights:
    """Weights from log-ratios against agreement, or against the even split without agreement."""
    w = softmax(np.append(ratio, 0.0))
    if fair != "none" and deal:
        return words.Weights(*map(float, w))
    if fair == "none" and not deal:
        return words.Weights(1.0, 0.0, 0.0)
    return words.Weights(float(w[0]), 0.0, float(w[1])) if deal else words.Weights(
        float(w[0]), float(w[1]), 0.0
    )  # fmt: skip


def _replaced(chosen: Chosen, option: Index) -> pd.DataFrame:
    """The rows that are fitted with other choices."""
    d = chosen.decisions
    move, demand = [], []
    for n, o in enumerate(option):
        move.append(("accept", "walk", "offer")[min(int(o), words.FIRST)])
        demands = chosen.at.demands(n)
        demand.append(demands[o - words.FIRST] if o >= words.FIRST else np.nan)
    share = np.where(d.seller, demand, 1 - np.array(demand))
    return d.frame.assign(move=move, price=d.low + share * d.pie, conceded=np.nan, flags="")


@dataclass(frozen=True)
class _Oracle:
    """The likelihood of population parameters, for what a design tells of them."""

    chosen: Chosen
    fair: str
    deal: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        V = _ratios(self.fair, self.deal)
        base = "deal" if self.deal else "fair"
        ratios = [f"{name} against {base}" for name in ("own", "fair")[:V]]
        columns = self.chosen.covariates.names
        return (*ratios, *_BELIEFS, *(f"{r}, {c}" for r in ratios for c in columns))

    def draw(self, x: Array, rng: np.random.Generator) -> Index:
        """Options from parameters ``x`` in units of their prior sds."""
        known = self._known(x)
        return words.draw(
            self.chosen.at, known.weights, known.beliefs, known.hope, rng, self._fairness
        )

    def rows(self, x: Array, drawn: Index) -> Array:
        """(N,) log-likelihood of drawn options."""
        known = self._known(x)
        return words.row_log_likelihood(
            self.chosen.at, known.weights, known.beliefs, known.hope, drawn, self._fairness
        )

    @property
    def _fairness(self) -> words.Fairness:
        return "even" if self.fair == "none" else self.fair  # type: ignore[return-value]

    def _known(self, x: Array) -> _Known:
        units = Spread.none(self.chosen.levels, _ratios(self.fair, self.deal))
        return _Known.of(x, self.chosen, self.fair, self.deal, units)
