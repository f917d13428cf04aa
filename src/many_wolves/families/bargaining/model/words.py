"""The problem of ``kind-words``: own gain, taking the standing price, kind words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax, softmax

from many_wolves.contracts import Observations, Outcome, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.effects import Covariates, role_column
from many_wolves.families.bargaining.model.levels import Levels, Spread
from many_wolves.families.bargaining.model.shared import (
    FAMILY,
    FOLDER,
    by_group,
    level_data,
    level_variables,
)
from many_wolves.families.bargaining.simulation.words import TONES
from many_wolves.files import shipped
from many_wolves.outcomes import Array

NAME = "kind-words"
WEIGHTS = ("own", "deal", "kind")
_RATIO_SD = 1.2
_NEEDED = ("speaker", "group", "participant", "role", "set", "demand", "accepts", "tone", "count")


@dataclass(frozen=True)
class Situations:
    """Situations of role prompts, each with its replies.

    Parameters
    ----------
    frame
        One row for each situation.
    demand, accepts, kindness, counts
        (N, A) of every reply.
    replies
        Names of the replies: price and tone by their order.
    levels, covariates
        Role prompts, and the design matrix of the weights.
    """

    frame: pd.DataFrame
    demand: Array
    accepts: Array
    kindness: Array
    counts: Array
    replies: tuple[str, ...]
    levels: Levels
    covariates: Covariates


def read_situations(observations: Observations) -> Situations:
    """The choices of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, or situations have different numbers of replies.
    """
    rows = observations.tables.get("replies", observations.rows)
    missing = [name for name in _NEEDED if name not in rows]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(_NEEDED)}; {', '.join(missing)} missing",
            where=observations.where,
            column=missing[0],
            fix="give replies.csv of `wolves choices`",
        )
    rows = _complete(rows.assign(kindness=rows["tone"].map(TONES).astype(float)))
    for name in ("demand", "accepts", "count"):
        rows[name] = rows[name].astype(float)
    rows = rows.sort_values(["set", "demand", "kindness"], kind="stable")
    sizes = rows.groupby("set", sort=False).size()
    if sizes.nunique() != 1:
        raise WolvesError(
            f"expected the same number of replies in each set, found {sorted(sizes.unique())}",
            where=observations.where,
            column="set",
            fix="give the speaker a table of one design",
        )
    A = int(sizes.iloc[0])
    frame = rows.groupby("set", sort=False).first().reset_index()
    frame = frame.assign(chain=0, branch=0, game=1)

    def matrix(name: str) -> Array:
        return rows[name].to_numpy(dtype=float).reshape(-1, A)

    tones = rows["tone"].to_numpy()[:A]
    ranks = np.unique(matrix("demand")[0], return_inverse=True)[1]
    names = tuple(
        f"{'accept' if rank == 0 else f'price {rank}'}, {tone}"
        for rank, tone in zip(ranks, tones, strict=True)
    )
    return Situations(
        frame, matrix("demand"), matrix("accepts"), matrix("kindness"), matrix("count"), names,
        Levels.of(frame), Covariates.of({"seller": role_column(frame["role"])}),
    )  # fmt: skip


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Every set with all of its replies; those that were never chosen have the count 0."""
    found = []
    for _, part in rows.groupby("set", sort=False):
        first = part.iloc[0]
        prices = part[["demand", "accepts"]].drop_duplicates()
        grid = prices.merge(pd.DataFrame({"tone": list(TONES)}), how="cross")
        whole = grid.merge(part, on=["demand", "accepts", "tone"], how="left")
        for name in part.columns:
            if name not in ("demand", "accepts", "tone", "count", "kindness"):
                whole[name] = first[name]
        whole["count"] = whole["count"].fillna(0.0)
        whole["kindness"] = whole["tone"].map(TONES)
        found.append(whole)
    return pd.concat(found, ignore_index=True)


def build(observations: Observations, *, kind: bool, spread: float) -> Problem:
    """See ``KindWords.problem``."""
    at = read_situations(observations)
    levels, names, (N, A) = at.levels, at.covariates.names, at.counts.shape
    unit = level_data(levels, chains=False, games=False)
    V = 1 + int(kind)
    data = {
        "N": N,
        "A": A,
        "P": len(names),
        **{k: unit[k] for k in ("G", "J", "group", "participant", "by_group", "by_participant")},
        "design": at.covariates.matrix,
        "demand": at.demand,
        "accepts": at.accepts,
        "kindness": at.kindness,
        "counts": at.counts,
        "total": np.rint(at.counts.sum(axis=1)).astype(int),
        "with_kind": int(kind),
        "slope_sd": at.covariates.sd,
        "spread": spread,
    }
    cells, J, P = ("situation", "reply"), len(levels.participants), len(names)
    variables = (
        Variable("posterior", "w", "w", ("weight",), (3,)),
        Variable("posterior", "w_participant", "w_participant", ("weight", "participant"), (3, J)),
        Variable("posterior", "precision", "precision"),
        *([Variable("posterior", "slope", "slope", ("ratio", "covariate"), (V, P))] if P else []),
        *level_variables(data, WEIGHTS[1 : 1 + V], "ratio"),
        Variable("posterior", "predicted", "predicted", cells, (N, A)),
        Variable("posterior_predictive", "counts", "counts_rep", cells, (N, A)),
        Variable("log_likelihood", "counts", "log_lik", cells, (N, A)),
    )
    situations = [
        f"{row.group}: {row.participant}, {row.role}, {row.good}, set {row.set}"
        for row in at.frame.itertuples()
    ]

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = at.counts.copy()
        column = at.replies.index(part["reply"]) if "reply" in part else slice(None)
        place = (situations.index(part["situation"]), column)
        left[place] = np.maximum(left[place] - most, 0.0)
        return {"counts": left}

    return Problem(
        model=NAME,
        family=FAMILY,
        speaker=str(at.frame["speaker"].iloc[0]),
        program=shipped(f"{FOLDER}/words.stan"),
        data=data,
        coords={
            "group": levels.groups,
            "participant": levels.participants,
            "weight": WEIGHTS,
            "ratio": WEIGHTS[1 : 1 + V],
            "covariate": names,
            "situation": situations,
            "reply": at.replies,
        },
        variables=variables,
        observed={
            "counts": (cells, at.counts),
            "situation_group": (
                ("situation",),
                levels.of_participant[levels.participant].astype(float),
            ),
        },
        outcome=Outcome("counts", ("predicted",), "reply", "counts"),
        without=without,
        tempered=lambda power: {"counts": power * at.counts},
        derive=lambda posterior: _derived(posterior, levels),
        adapt_delta=0.9,
        options={"kind": kind, "spread": spread},
        notes=tuple(_notes(at)),
    )


def _derived(
    posterior: Mapping[str, Array], levels: Levels
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Weights by group, where there are several."""
    if not levels.by_group:
        return {}
    return {"w_group": (("weight", "group"), by_group(levels, posterior["w_participant"]))}


def _notes(at: Situations) -> list[str]:
    """Covariates that do not vary, and what few prices cannot identify."""
    found = []
    if at.covariates.constant:
        found.append("Only one role was played, so a difference between roles cannot be estimated.")
    if len(np.unique(np.round(at.demand[:, 0], 3))) == 1:
        found.append(
            "The standing price leaves the same share in every situation. Only the other prices "
            "distinguish the weight of accepting it from the weight of own gain."
        )
    return found


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    *,
    kind: bool,
    spread: float,
) -> tuple[dict[str, Any], Observations]:
    """See ``KindWords.simulate``: other choices in the same situations."""
    at = read_situations(observations)
    V, P = 1 + int(kind), len(at.covariates.names)
    if given is None:
        ratio, slope = _RATIO_SD * rng.normal(size=V), rng.normal(size=(V, P)) * at.covariates.sd
        precision = float(np.exp(2.5 + rng.normal()))
        units = Spread.drawn(at.levels, np.full(V, _RATIO_SD), rng, spread)
    else:
        p = given.get("words", given)
        own = float(p["own"])
        ratio = np.array([np.log(float(p[name]) / own) for name in WEIGHTS[1 : 1 + V]])
        slope, precision = np.zeros((V, P)), float(p.get("precision", 12.0))
        units = Spread.none(at.levels, V)
    each = ratio + at.covariates.matrix @ slope.T + units.participant[at.levels.participant]
    w = softmax(np.column_stack([np.zeros(len(each)), each]), axis=1)
    value = w[:, :1] * at.demand + w[:, 1:2] * at.accepts
    value = value + (w[:, 2:3] * at.kindness if kind else 0.0)
    log_p = log_softmax(precision * value, axis=1)
    totals = np.rint(at.counts.sum(axis=1)).astype(int)
    counts = np.array([
        rng.multinomial(n, np.exp(row) / np.exp(row).sum())
        for n, row in zip(totals, log_p, strict=True)
    ])  # fmt: skip
    found = np.zeros(3)
    found[: 1 + V] = softmax(np.append(0.0, ratio))
    truth: dict[str, Any] = {
        "w": found, "precision": precision, **({"slope": slope} if P else {}),
        **{n: v for n, v in units.truth(at.levels).items() if n in ("sd_group", "sd_participant")},
        "log_lik": float((counts * log_p).sum()),
    }  # fmt: skip
    return truth, observations.having(replies=_replaced(at, counts))


def _replaced(at: Situations, counts: Array) -> pd.DataFrame:
    """The table of replies with other counts."""
    A = counts.shape[1]
    rows = at.frame.loc[at.frame.index.repeat(A)].reset_index(drop=True)
    by_kindness = {kindness: tone for tone, kindness in TONES.items()}
    return rows.assign(
        demand=at.demand.ravel(),
        accepts=at.accepts.ravel(),
        tone=[by_kindness[k] for k in at.kindness.ravel()],
        count=counts.ravel().astype(float),
    )
