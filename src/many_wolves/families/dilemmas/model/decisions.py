"""Binary decisions with a design matrix: Stan data, and the same model in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from many_wolves.contracts import Array, Outcome, Problem, Variable
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.files import shipped
from many_wolves.observations import Observations

PROGRAM = "game-model/stan_model/decisions.stan"
Derived = Mapping[str, tuple[tuple[str, ...], Array]]


@dataclass(frozen=True)
class Prior:
    """Normal priors of the coefficients' middles, in log-odds: mean (K,) and sd (K,)."""

    mean: Array
    sd: Array


@dataclass(frozen=True)
class Cells:
    """Decisions counted.

    Parameters
    ----------
    participant
        (N,) index of who decides.
    design
        (N, K) what multiplies the coefficients.
    counts
        (N, 2) yes and no.
    names
        (N,) names of the cells for tables of parts.
    """

    participant: np.ndarray
    design: Array
    counts: Array
    names: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """Names of what is decided and of the coefficients: labels of the axes."""

    options: tuple[str, str]
    coefficients: tuple[str, ...]


def decision_problem(
    *,
    model: str,
    table: Observations,
    levels: Levels,
    cells: Cells,
    prior: Prior,
    words: Words,
    extra: Mapping[str, tuple[tuple[str, ...], Array]],
    coords: Mapping[str, Sequence[Any]],
    derive: Callable[[Mapping[str, Array]], Derived],
    kept: Sequence[str],
    options: Mapping[str, Any],
    notes: Sequence[str],
    spread: float = SPREAD,
    adapt_delta: float = 0.9,
) -> Problem:
    """The problem of a hierarchical logistic regression.

    Parameters
    ----------
    extra
        Observed quantities other than the counts, for predictive checks.
    derive
        Functions of the posterior; it has ``log_odds`` (.., K, J).
    kept
        Those of them that are drawn from the prior as well.
    adapt_delta
        Least target acceptance of the sampler.
    """
    K = len(words.coefficients)
    N = len(cells.names)
    data = {
        "N": N,
        "K": K,
        **levels.data(),
        "participant": (cells.participant + 1).tolist(),
        "design": cells.design.tolist(),
        "counts": cells.counts.tolist(),
        "total": np.rint(cells.counts.sum(axis=1)).astype(int).tolist(),
        "prior_mean": prior.mean.tolist(),
        "prior_sd": prior.sd.tolist(),
        "spread": spread,
    }

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = cells.counts.copy()
        columns = words.options.index(part["option"]) if "option" in part else slice(None)
        at = (cells.names.index(part["cell"]), columns)
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    def before(rng: np.random.Generator, n: int) -> Derived:
        drawn = [from_prior(levels, prior, spread, rng).coefficient for _ in range(n)]
        found = derive({"log_odds": np.stack(drawn)})
        return {name: found[name] for name in kept}

    return Problem(
        model=model,
        family=table.family,
        speaker=str(table.rows["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        coords={
            "cell": cells.names,
            "option": words.options,
            "coefficient": words.coefficients,
            "group": levels.groups,
            "participant": levels.names,
            **coords,
        },
        variables=_variables(levels, K, N),
        observed={
            "counts": (("cell", "option"), cells.counts),
            "cell_participant": (("cell",), cells.participant.astype(float)),
            "participant_group": (
                ("participant",),
                np.array(levels.of_participants, dtype=float),
            ),
            **extra,
        },
        outcome=Outcome("counts", event="option"),
        without=without,
        adapt_delta=adapt_delta,
        derive=derive,
        prior=before,
        options={**options, "spread": spread},
        notes=tuple(notes),
    )


def _variables(levels: Levels, K: int, N: int) -> tuple[Variable, ...]:
    one = (("coefficient",), (K,))
    listed = [Variable("posterior", "middle", "middle", *one)]
    if levels.by_group:
        listed.append(Variable("posterior", "sd_group", "sd_group", *one))
    if levels.by_participant:
        listed.append(Variable("posterior", "sd_participant", "sd_participant", *one))
    each = (("coefficient", "participant"), (K, len(levels.participants)))
    cells = (("cell", "option"), (N, 2))
    listed += [
        Variable("posterior", "log_odds", "coefficient", *each),
        Variable("posterior", "predicted", "predicted", *cells),
        Variable("posterior_predictive", "counts", "counts_rep", *cells),
        Variable("log_likelihood", "counts", "log_lik", *cells),
    ]
    return tuple(listed)


@dataclass(frozen=True)
class Known:
    """Known coefficients (K, J), with the middle (K,) and the sds (K,) that they came from."""

    coefficient: Array
    middle: Array
    sd_group: Array
    sd_participant: Array

    def truth(self) -> dict[str, Array]:
        """By the names of the posterior; what the model lacks is left out."""
        named = {
            "middle": self.middle,
            "sd_group": self.sd_group,
            "sd_participant": self.sd_participant,
            "log_odds": self.coefficient,
        }
        return {name: value for name, value in named.items() if value.size}


def from_prior(levels: Levels, prior: Prior, spread: float, rng: np.random.Generator) -> Known:
    """Coefficients drawn from the prior."""
    drawn = levels.from_prior(prior.sd.size, prior.sd.size, spread, rng)
    return Known(
        coefficient=prior.mean[:, None] + prior.sd[:, None] * drawn.each,
        middle=prior.mean + prior.sd * drawn.middle,
        sd_group=prior.sd * drawn.sd_group if levels.by_group else np.zeros(0),
        sd_participant=prior.sd * drawn.sd_participant if levels.by_participant else np.zeros(0),
    )


def probability(cells: Cells, coefficient: Array) -> Array:
    """(N,) probability of yes in every cell."""
    own = coefficient[:, cells.participant].T
    found: Array = expit((cells.design * own).sum(axis=1))
    return found


def log_likelihood(cells: Cells, coefficient: Array) -> float:
    """Of the decisions in their order: no binomial coefficient."""
    p = probability(cells, coefficient)
    yes, no = cells.counts.T
    return float(xlogy(yes, p).sum() + xlog1py(no, -p).sum())
