"""Expected information of the next answers about target quantities, by Laplace approximations.

At each of several draws, the posterior is approximated by a Gaussian on the unconstrained
scale. Its precision is that of the prior and the Fisher information of the answers so far, as if
the draw were the truth. The next answer adds its Fisher information. The expected information about
a quantity is the mean of ln(sd before / sd after) over the draws.

Answers to one prompt are Dirichlet-multinomial. If x_u of n answers are u, the next is u with
probability (q_u + x_u icc) / (1 - icc + n icc), where q_u = p_u (1 - icc).

References
----------
Chaloner & Verdinelli (1995), Bayesian experimental design: a review, Statistical Science 10(3).
Paul, Balasooriya & Banerjee (2005), Fisher information matrix of the Dirichlet-multinomial
distribution, Biometrical Journal 47(2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from many_wolves.contracts import Array

STEP = 1e-4
"""Finite-difference step on the unconstrained scale."""
LEAST = 1e-9
"""Lower bound of a probability: below it, its derivative is rounding error."""
MOST_ICC = 0.999
SOLID, TINY = 1e-12, 1e-300
"""Smallest share of a variance that is left after an answer, and smallest variance."""


def next_answer(p: Array, icc: Array, before: int) -> Array:
    """Fisher information of the next answer to a prompt that was answered ``before`` times.

    Parameters
    ----------
    p
        (..., U) probabilities of the answers.
    icc
        (...) intraclass correlation of answers to one prompt.

    Returns
    -------
    ndarray
        (..., U + 1, U + 1) in the coordinates q_u = p_u (1 - icc) and icc, in expectation over the
        answers before.
    """
    p = np.clip(p, LEAST, 1.0)
    p = p / p.sum(axis=-1, keepdims=True)
    icc = np.clip(icc, 0.0, MOST_ICC)[..., None]
    q = p * (1 - icc)
    total = 1 - icc + before * icc
    moments = np.zeros((3, *p.shape))
    for x, share in enumerate(_urn(q, 1 - icc - q, icc, before)):
        each = share / (q + x * icc)
        moments += np.stack([each, x * each, x * x * each])
    size = p.shape[-1]
    found = np.zeros((*p.shape[:-1], size + 1, size + 1))
    at = np.arange(size)
    found[..., at, at] = moments[0] / total
    found[..., at, size] = found[..., size, at] = moments[1] / total
    found[..., size, size] = moments[2].sum(axis=-1) / total[..., 0]
    slope = np.append(np.ones(size), before)
    return found - np.outer(slope, slope) / total[..., None] ** 2


def _urn(this: Array, other: Array, icc: Array, n: int) -> list[Array]:
    """Probability of 0..n answers of one kind among n, from an urn of this and the other kinds."""
    shares = [np.ones_like(this)]
    for drawn in range(n):
        whole = this + other + drawn * icc
        more = [share * (this + x * icc) / whole for x, share in enumerate(shares)]
        same = [share * (other + (drawn - x) * icc) / whole for x, share in enumerate(shares)]
        middle = [a + b for a, b in zip(more[:-1], same[1:], strict=True)]
        shares = [same[0], *middle, more[-1]]
    return shares


@dataclass(frozen=True)
class Values:
    """The quantities of a model at m points.

    Parameters
    ----------
    targets
        (m, T) values of the targets.
    answers
        Of each kind of question, (m, U) probabilities of its answers.
    correlations
        Of each kind of question, (m,) intraclass correlation of the answers to one prompt.
    """

    targets: Array
    answers: Sequence[Array]
    correlations: Sequence[Array]


Evaluate = Callable[[Array], Values]
"""Function that computes the quantities at unconstrained points (m, D)."""


@dataclass
class Knowledge:
    """The current knowledge at some draws, and its change with each answer.

    Parameters
    ----------
    x
        (m, D) draws of the unconstrained parameters.
    covariance
        (D, D) prior covariance of the parameters.
    evaluate
        Computes the quantities of the model at points.
    width
        (T,) current widths of the targets' intervals; they shrink with the standard deviations.
    levels
        Answers so far: for each kind of question, the number of answers to each of its prompts.
    leads
        (T,) of each target, the target whose width decides whether it counts; itself if empty.
    """

    x: Array
    covariance: Array
    evaluate: Evaluate
    width: Array
    levels: Sequence[Sequence[int]] = ()
    leads: Sequence[int] = ()
    _slopes: Array = field(init=False)
    _kinds: list[tuple[Array, Array, Array]] = field(init=False)
    _factors: dict[tuple[int, int], Array] = field(init=False, default_factory=dict)
    _now: Array = field(init=False)
    _first: Array = field(init=False)

    def __post_init__(self) -> None:
        m, size = self.x.shape
        shifts = STEP * np.concatenate([np.zeros((1, size)), np.eye(size), -np.eye(size)])
        rows = (self.x[:, None] + shifts).reshape(-1, size)
        found = self.evaluate(rows)

        def slopes(values: Array) -> tuple[Array, Array]:
            """Values at the draws, and their derivatives (m, D, ...)."""
            each = values.reshape(m, 1 + 2 * size, *values.shape[1:])
            return each[:, 0], (each[:, 1 : 1 + size] - each[:, 1 + size :]) / (2 * STEP)

        self._slopes = slopes(found.targets)[1]
        self._kinds = []
        for p, icc in zip(found.answers, found.correlations, strict=True):
            (at_p, dp), (at_icc, dicc) = slopes(p), slopes(icc)
            dq = dp * (1 - at_icc)[:, None, None] - at_p[:, None] * dicc[..., None]
            self._kinds.append((at_p, at_icc, np.concatenate([dq, dicc[..., None]], axis=2)))
        precision = np.broadcast_to(np.linalg.inv(self.covariance), (m, size, size)).copy()
        for kind, own in enumerate(self.levels):
            for before in range(max(own, default=0)):
                factor = self._factor((kind, before))
                times = sum(level > before for level in own)
                precision += times * (factor @ factor.swapaxes(-1, -2))
        self._now = np.linalg.inv(precision)
        self._first = self._variances()

    @property
    def expected(self) -> Array:
        """(T,) expected widths of the targets' intervals after the answers so far."""
        shrunk: Array = self._variances().mean(axis=0) / self._first.mean(axis=0)
        return self.width * np.sqrt(shrunk)

    def counted(self, wanted: float) -> npt.NDArray[np.bool_]:
        """(T,) targets that are wider than wanted, or follow one that is."""
        wide: npt.NDArray[np.bool_] = self.expected > wanted
        return wide[list(self.leads)] if self.leads else wide

    def gains(self, options: Sequence[tuple[int, int]], counted: npt.NDArray[np.bool_]) -> Array:
        """Expected information of each option, in nats, summed over the targets that count.

        Parameters
        ----------
        options
            Kind of question, and number of answers to the same prompt before.
        counted
            (T,) targets that count.
        """
        variances = self._variances()[:, counted]
        slopes = self._slopes[:, :, counted]
        found = np.zeros(len(options))
        by_size: dict[int, list[int]] = {}
        for n, option in enumerate(options):
            by_size.setdefault(self._factor(option).shape[-1], []).append(n)
        for numbers in by_size.values():
            factors = np.stack([self._factor(options[n]) for n in numbers], axis=1)
            moved = self._now[:, None] @ factors
            inner = np.eye(factors.shape[-1]) + factors.swapaxes(-1, -2) @ moved
            along = moved.swapaxes(-1, -2) @ slopes[:, None]
            less = (along * np.linalg.solve(inner, along)).sum(axis=2)
            left = np.clip(1 - less / variances[:, None], SOLID, 1.0)
            found[numbers] = -0.5 * np.log(left).sum(axis=-1).mean(axis=0)
        return found

    def add(self, option: tuple[int, int]) -> None:
        """Expect one more answer."""
        factor = self._factor(option)
        moved = self._now @ factor
        inner = np.eye(factor.shape[-1]) + factor.swapaxes(-1, -2) @ moved
        self._now = self._now - moved @ np.linalg.solve(inner, moved.swapaxes(-1, -2))

    def _variances(self) -> Array:
        """(m, T) variances of the targets at each draw."""
        moved = self._now @ self._slopes
        found: Array = np.maximum((self._slopes * moved).sum(axis=1), TINY)
        return found

    def _factor(self, option: tuple[int, int]) -> Array:
        """(m, D, U + 1) a square root of the information of an answer."""
        if option not in self._factors:
            kind, before = option
            p, icc, slopes = self._kinds[kind]
            values, vectors = np.linalg.eigh(next_answer(p, icc, before))
            root = vectors * np.sqrt(np.clip(values, 0.0, None))[:, None, :]
            self._factors[option] = slopes @ root
        return self._factors[option]


def allocate(
    known: Knowledge,
    levels: Sequence[Sequence[int]],
    calls: int,
    *,
    wanted: float = 0.0,
    most: int | None = None,
) -> list[tuple[int, int]]:
    """Choose the next answers one by one, each with the most expected information.

    Parameters
    ----------
    known
        The current knowledge, which this function updates with the expected answers.
    levels
        Of each kind of question, the number of answers to each of its prompts.
    calls
        Maximum number of answers to choose.
    wanted
        Width at which a target no longer counts; the choice ends when no target counts.
    most
        Maximum number of answers per prompt.

    Returns
    -------
    list
        Kind of question, and number of answers to the same prompt before.
    """
    left = [{level: list(own).count(level) for level in set(own)} for own in levels]
    chosen: list[tuple[int, int]] = []
    while len(chosen) < calls:
        counted = known.counted(wanted)
        options = [
            (kind, level)
            for kind, own in enumerate(left)
            for level, number in sorted(own.items())
            if number and (most is None or level < most)
        ]
        if not options or not counted.any():
            break
        kind, level = best = options[int(np.argmax(known.gains(options, counted)))]
        known.add(best)
        chosen.append(best)
        left[kind][level] -= 1
        left[kind][level + 1] = left[kind].get(level + 1, 0) + 1
    return chosen
