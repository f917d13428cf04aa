"""Scaling laws: a parameter against the logarithm of size, tokens or steps.

Each form is linear given one shape parameter (an exponent, the position of a break). So its
posterior is exact on a grid of the shape and of the residual's standard deviation.
The error of every fit is included (``findings/regression.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.errors import WolvesError
from many_wolves.findings import halfnormal
from many_wolves.findings.fits import Member, common_conditions, others
from many_wolves.findings.regression import SPREAD, Measured, evidence, measured
from many_wolves.findings.statement import Statement

AXES = ("parameters", "tokens", "step")
GROUP = "family"
FEWEST = 5
DRAWS = 4000
LEVEL_SD, SLOPE_SD, GROUP_SD = 0.5, 0.5, 0.2
"""Prior scales: of the level around one half, of changes over the whole range of sizes,
and of a family's deviation."""
NODES = halfnormal.nodes(24, SPREAD / 2)
"""Number of grid nodes, of equal prior mass, for the residual's standard deviation."""


@dataclass(frozen=True)
class Form:
    """A scaling law: columns of its regression at u, the share of the range of log10 size.

    Parameters
    ----------
    words
        The form in words.
    columns
        Function of u (n,), the range of log10 size, and one shape; returns (n, c).
    shapes
        Grid of the shape parameter, of equal prior mass; a single zero if there is none.
    shape_words
        The shape parameter in words.
    """

    words: str
    columns: Callable[[Array, float, float], Array]
    shapes: Array
    shape_words: str = ""


def _power(u: Array, span: float, exponent: float) -> Array:
    """One at the smallest size, zero at infinity: (N / N0) ** -exponent."""
    return (10.0 ** (-exponent * span * u))[:, None]


FORMS: Mapping[str, Form] = {
    "flat": Form("does not change with size", lambda u, _s, _k: u[:, None][:, :0], np.zeros(1)),
    "log-linear": Form(
        "changes linearly with the logarithm of size", lambda u, _s, _k: u[:, None], np.zeros(1)
    ),
    "saturating": Form(
        "approaches a limit as a power of size",
        _power,
        np.geomspace(0.1, 3, 24),
        "exponent",
    ),
    "broken": Form(
        "changes linearly with the logarithm of size, at another rate above some size",
        lambda u, _s, k: np.column_stack([np.minimum(u, k), np.maximum(u - k, 0)]),
        np.linspace(0.1, 0.9, 17),
        "break",
    ),
}


@dataclass(frozen=True)
class Scale:
    """Measured quantities over sizes.

    Parameters
    ----------
    size
        (n,) numbers of parameters, tokens or steps.
    groups
        (n,) model families.
    y
        The likelihood of the quantity in the fits.
    """

    size: Array
    groups: Sequence[str]
    y: Measured

    @property
    def u(self) -> Array:
        """(n,) share of the range of log10 size."""
        x = np.log10(self.size)
        return np.asarray((x - x.min()) / (x.max() - x.min()))

    @property
    def span(self) -> float:
        """Range of log10 size."""
        return float(np.log10(self.size.max() / self.size.min()))

    def only(self, kept: Array) -> Scale:
        """The rows where ``kept`` is true."""
        groups = [g for g, keep in zip(self.groups, kept, strict=True) if keep]
        return Scale(self.size[kept], groups, Measured(self.y.mean[kept], self.y.variance[kept]))


@dataclass(frozen=True)
class FormFit:
    """The posterior of one form.

    Parameters
    ----------
    log_ml
        Log marginal likelihood.
    shape, residual
        (D,) draws of the shape and of the residual's standard deviation.
    coefficients
        (D, p) draws of the level, the deviation of each family, and the form's own coefficients.
    groups, low, span
        The families in order; log10 of the smallest size, and the range.
    """

    form: str
    log_ml: float
    shape: Array
    residual: Array
    coefficients: Array
    groups: Sequence[str]
    low: float
    span: float

    def predict(self, size: float, group: str, rng: np.random.Generator) -> Array:
        """(D,) draws of the quantity for a new model, including its own deviation."""
        u = np.full(1, (np.log10(size) - self.low) / self.span)
        rows = [_design(FORMS[self.form], u, [group], self.groups, self.span, k)[0]
                for k in np.unique(self.shape)]  # fmt: skip
        at = np.searchsorted(np.unique(self.shape), self.shape)
        mean = np.einsum("dp,dp->d", np.array(rows)[at], self.coefficients)
        drawn: Array = mean + self.residual * rng.standard_normal(len(mean))
        return drawn


def fit_form(name: str, data: Scale, rng: np.random.Generator) -> FormFit:
    """The posterior of one form, exact except for the grid of two numbers."""
    form, groups = FORMS[name], sorted(set(data.groups))
    log_p, means, roots = [], [], []
    for shape in form.shapes:
        X = _design(form, data.u, data.groups, groups, data.span, shape)
        centre, sd = _prior(X.shape[1], len(groups))
        found = evidence(data.y, X, [np.eye(len(X))], centre, sd, [NODES])
        log_p.append(found[0] - halfnormal.log_density(NODES, SPREAD))
        means.append(found[1])
        roots.append(found[2])
    table = np.array(log_p)
    weight = np.exp(table - table.max()).ravel()
    at = rng.choice(weight.size, size=DRAWS, p=weight / weight.sum())
    i, j = np.divmod(at, len(NODES))
    noise = rng.standard_normal((DRAWS, np.array(means).shape[-1]))
    coefficients = np.array(means)[i, j] + np.einsum("dij,dj->di", np.array(roots)[i, j], noise)
    log_ml = float(np.logaddexp.reduce(table, axis=None) - np.log(table.size)) - 0.5 * len(
        data.size
    ) * np.log(2 * np.pi)
    low = float(np.log10(data.size.min()))
    return FormFit(name, log_ml, form.shapes[i], NODES[j], coefficients, groups, low, data.span)


def _design(
    form: Form, u: Array, groups: Sequence[str], known: Sequence[str], span: float, shape: float
) -> Array:
    families = np.array([[float(g == name) for name in known] for g in groups])
    return np.column_stack([np.ones(len(u)), families, form.columns(u, span, shape)])


def _prior(columns: int, families: int) -> tuple[Array, Array]:
    own = columns - 1 - families
    # With a single family, its deviation is part of the level.
    group_sd = GROUP_SD if families > 1 else 1e-3
    sd = np.r_[LEVEL_SD, np.full(families, group_sd), np.full(own, SLOPE_SD)]
    return np.r_[0.5, np.zeros(columns - 1)], sd


def _log_normal(at: float, mean: Array, variance: float) -> Array:
    """Log-density of normal distributions."""
    found: Array = -0.5 * (np.log(2 * np.pi * variance) + (at - mean) ** 2 / variance)
    return found


def loo(name: str, data: Scale, rng: np.random.Generator) -> Array:
    """(n,) log predictive density of each model from a fit to the others, computed exactly."""
    found = []
    for i in range(len(data.size)):
        rest = data.only(np.arange(len(data.size)) != i)
        drawn = fit_form(name, rest, rng).predict(data.size[i], data.groups[i], rng)
        log_p = _log_normal(data.y.mean[i], drawn, data.y.variance[i])
        found.append(np.logaddexp.reduce(log_p) - np.log(len(log_p)))
    return np.array(found)


def scaling(
    found: Sequence[Member], quantities: FindingsSpec, axis: str, seed: int
) -> Iterator[Statement]:
    """The scaling law of each parameter over the sizes of a study, and its predictions.

    For each parameter, the statements give the probability of every form, the change over the
    range of sizes, and the exponent or break. They also give the error of the prediction for the
    largest model from the others. The prediction weights the forms by their probabilities.
    Parameters are averaged over the conditions.

    Raises
    ------
    WolvesError
        If fewer than ``FEWEST`` speakers have a size on this axis.
    """
    sized = [(m, size) for m in others(found, quantities) if (size := size_of(m, axis)) is not None]
    if len({size for _, size in sized}) < FEWEST:
        raise WolvesError(
            f"expected speakers of {FEWEST} or more {axis}, found {len({s for _, s in sized})} "
            "that did the task",
            fix=f"give `labels: {{{axis}: 70e6, {GROUP}: pythia}}` to the speakers of the study",
        )
    for parameter in quantities.words:
        if all(m.has(parameter) for m, _ in sized):
            data = scale_of(sized, parameter, quantities)
            yield from _of_parameter(parameter, data, axis, quantities, seed)


def size_of(member: Member, axis: str) -> float | None:
    """Number of parameters, tokens or steps of a member; None if unknown or zero.

    Tokens and steps of a later stage are unknown, because they are counted from its start.
    """
    if axis != "parameters" and member.stage and not member.stage.startswith("seed"):
        return None
    try:
        size = float(member.fit.labels.get(axis, 0))
    except ValueError:
        return None
    return size if size > 0 else None


def scale_of(
    sized: Sequence[tuple[Member, float]], parameter: str, quantities: FindingsSpec
) -> Scale:
    """One parameter of the members, averaged over the conditions that they share."""
    shared = common_conditions([m for m, _ in sized])
    mean, sd = quantities.prior[parameter]
    y = measured([m.mean_over(parameter, shared) for m, _ in sized], mean, sd / len(shared) ** 0.5)
    groups = [str(m.labels.get(GROUP, "")) for m, _ in sized]
    return Scale(np.array([size for _, size in sized]), groups, y)


def _of_parameter(
    parameter: str, data: Scale, axis: str, quantities: FindingsSpec, seed: int
) -> Iterator[Statement]:
    rng = np.random.default_rng([seed, *f"scaling {parameter} {axis}".encode()])
    fits = {name: fit_form(name, data, rng) for name in FORMS}
    weight = form_probabilities(fits)
    chosen = rng.choice(list(FORMS), size=DRAWS, p=[weight[name] for name in FORMS])
    what = f"{parameter} ({quantities.words[parameter]})"
    for name, form in FORMS.items():
        yield _statement(
            axis, parameter, name, (chosen == name).astype(np.float64),
            f"Over {axis}, {what} {form.words}", kind="probability",
        )  # fmt: skip
    yield from _left_out(parameter, data, axis, what, rng)
    group = data.groups[int(np.argmax(data.size))]
    ends = {
        name: fit.predict(data.size.max(), group, rng) - fit.predict(data.size.min(), group, rng)
        for name, fit in fits.items()
    }
    drawn = np.array([ends[name][i] for i, name in enumerate(chosen)])
    span = f"{data.size.min():.3g} to {data.size.max():.3g} {axis}"
    yield _statement(axis, parameter, "whole range", drawn, f"From {span}, scale moves {what}")
    best = max((n for n in FORMS if FORMS[n].shape_words), key=weight.__getitem__)
    shape = fits[best].shape
    if best == "broken":
        shape = 10 ** (fits[best].low + shape * fits[best].span)
    yield _statement(
        axis, parameter, FORMS[best].shape_words, shape,
        f"If {what} {FORMS[best].words}, the {FORMS[best].shape_words} is", kind="size",
    )  # fmt: skip
    yield from _held_out(parameter, data, axis, what, seed)


def _left_out(
    parameter: str, data: Scale, axis: str, what: str, rng: np.random.Generator
) -> Iterator[Statement]:
    """Leave-one-out predictive accuracy of each form compared with the flat one, in nats.

    The draws are those of a Bayesian bootstrap over the models (Rubin 1981).
    """
    flat = loo("flat", data, rng)
    for name, form in FORMS.items():
        if name != "flat":
            gain = loo(name, data, rng) - flat
            drawn = len(gain) * rng.dirichlet(np.ones(len(gain)), DRAWS) @ gain
            yield _statement(
                axis, parameter, f"{name} - flat, left out", drawn,
                f"Assuming that {what} {form.words} changes the log predictive density of models "
                "left out, in nats,",
            )  # fmt: skip


def form_probabilities(fits: Mapping[str, FormFit]) -> dict[str, float]:
    """Posterior probability of each form, with equal prior probabilities."""
    log_ml = np.array([fit.log_ml for fit in fits.values()])
    weight = np.exp(log_ml - np.logaddexp.reduce(log_ml))
    return dict(zip(fits, map(float, weight / weight.sum()), strict=True))


def band_of(data: Scale, seed: int, points: int = 25) -> pd.DataFrame:
    """The predictions for a new model of each family: group, size, mean, low, high.

    A family with one size has none, unless all have: over no range, nothing can be drawn.
    """
    rng = np.random.default_rng([seed, 7])
    fits = {name: fit_form(name, data, rng) for name in FORMS}
    weight = form_probabilities(fits)
    chosen = rng.choice(len(FORMS), size=DRAWS, p=[weight[name] for name in FORMS])
    rows = []
    pairs = sorted(set(zip(data.groups, data.size.tolist(), strict=True)))
    several = [g for g, n in Counter(group for group, _ in pairs).items() if n > 1]
    for group in several or sorted(set(data.groups)):
        own = np.array([size for name, size in pairs if name == group])
        for size in np.geomspace(own.min(), own.max(), points):
            each = np.array([fit.predict(size, group, rng) for fit in fits.values()])
            drawn = each[chosen, np.arange(DRAWS)]
            low, high = np.quantile(drawn, [0.025, 0.975])
            rows.append((group, size, drawn.mean(), low, high))
    return pd.DataFrame(rows, columns=["group", "size", "mean", "low", "high"])


def _held_out(parameter: str, data: Scale, axis: str, what: str, seed: int) -> Iterator[Statement]:
    """The prediction for the largest model from the smaller ones, minus the observed value."""
    largest = int(np.argmax(data.size))
    rest = data.only(data.size < data.size[largest])
    if len(np.unique(rest.size)) < FEWEST - 1:
        return
    rng = np.random.default_rng([seed, *f"held out {parameter} {axis}".encode()])
    fits = {name: fit_form(name, rest, rng) for name in FORMS}
    weight = form_probabilities(fits)
    chosen = rng.choice(list(FORMS), size=DRAWS, p=[weight[name] for name in FORMS])
    size, group = data.size[largest], data.groups[largest]
    each = {name: fit.predict(size, group, rng) for name, fit in fits.items()}
    predicted = np.array([each[name][i] for i, name in enumerate(chosen)])
    seen = rng.normal(data.y.mean[largest], data.y.variance[largest] ** 0.5, DRAWS)
    yield _statement(
        axis, parameter, "held-out largest", predicted - seen,
        f"From the smaller models, {what} of the largest ({size:.3g} {axis}, observed at "
        f"{data.y.mean[largest]:.2f}) is missed",
    )  # fmt: skip


def _statement(
    axis: str, parameter: str, contrast: str, drawn: Array, words: str, kind: str = "change"
) -> Statement:
    return Statement("scaling", axis, "", parameter, contrast, drawn, words, kind)  # type: ignore[arg-type]
