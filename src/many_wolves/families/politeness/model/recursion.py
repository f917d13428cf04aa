"""The pragmatic speaker of Yoon, Tessler, Goodman & Frank (2020), in NumPy.

Literal listener L0, first-order speaker S1, pragmatic listener L1, second-order
speaker S2, after "Polite speech emerges from competing social goals", Open Mind
4. It shares no code with the Stan program: it is the simulator of recovery and
calibration, the simulated speaker, and the oracle of the tests.

Axes are named in every docstring: u utterances (U), s states (S), q values of
phi (Q), c conditions (C).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from many_wolves.contracts import Array, OptionProbabilities
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import CostForm
from many_wolves.families.politeness.task.utterances import is_negation
from many_wolves.records import Trial

COST_OF_PLAIN = 1.0
"""Cost of an utterance without negation; only the difference from ``cost`` matters."""
MAP_ERROR = 1e-8
"""Error that the map of the quadrature nodes may add."""


@dataclass(frozen=True)
class Lexicon:
    """The meanings of utterances, and the values of states.

    Parameters
    ----------
    theta
        (U, S) probability that u is literally true of s, in [0, 1].
    negated
        (U,) whether u is a negation, which costs ``cost`` instead of one.
    values
        (S,) value V(s): the number of hearts or stars.
    """

    theta: Array
    negated: npt.NDArray[np.bool_]
    values: Array

    def __post_init__(self) -> None:
        utterances, states = self.theta.shape
        if self.negated.shape != (utterances,) or self.values.shape != (states,):
            raise WolvesError(
                f"theta has shape {self.theta.shape}, so `negated` must have {utterances} entries "
                f"and `values` {states}; found {self.negated.size} and {self.values.size}",
                fix="give theta one row per utterance and one column per state",
            )
        if not np.all((self.theta >= 0) & (self.theta <= 1)):
            raise WolvesError(
                "theta must hold probabilities in [0, 1]",
                column="theta",
                fix="correct the entries outside [0, 1] (or NaN)",
            )
        if not np.all(self.theta.sum(axis=1) > 0):
            row = int(np.argmin(self.theta.sum(axis=1)))
            raise WolvesError(
                f"utterance {row} (counted from 0) is not true of any state, so its listener is "
                "undefined",
                column="theta",
                fix="give every row of theta at least one positive entry",
            )


_ROUNDED = 0.02
"""By how much weights given in two decimals may miss one."""


@dataclass(frozen=True)
class Condition:
    """Weights of one condition; the three sum to one, ``phi`` is the projected goal."""

    w_inf: float
    w_soc: float
    w_pres: float
    phi: float = 0.5


@dataclass(frozen=True)
class Tables:
    """The recursion below the second-order speaker.

    prior (U,); L0 (u, s); S1 (q, s, u); L1_state (u, s); L1_phi (u, q), as
    probabilities of the nodes. The field ``evidence`` (u,) is the sum of S1 over nodes and
    states, the normaliser of L1.
    """

    prior: Array
    L0: Array
    S1: Array
    L1_state: Array
    L1_phi: Array
    evidence: Array


def phi_quadrature(nodes: int) -> tuple[Array, Array]:
    """Nodes and weights (Q,), (Q,) of the unit interval; the weights sum to one.

    Gauss-Legendre nodes crowd at the ends. At a large alpha, choices change abruptly anywhere, so
    an arcsine spaces the nodes more evenly (Kosloff & Tal-Ezer 1993, J. Comput. Phys. 104, with
    their choice of its parameter; for quadrature: Hale & Trefethen 2008, SIAM J. Numer. Anal. 46).
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    bend = 1 / np.cosh(np.log(MAP_ERROR) / (2 * nodes))
    even = (1 + np.arcsin(bend * x) / np.arcsin(bend)) / 2
    weight = w / np.sqrt(1 - (bend * x) ** 2)
    return even, weight / weight.sum()


# Only NumPy: importing scipy.special would double the time of `wolves predict`.
def _xlogy(x: npt.ArrayLike, y: Array) -> Array:
    """x ln(y), and 0 where x is 0."""
    factor = np.asarray(x, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        product: Array = np.where(factor == 0, 0.0, factor * np.log(y))
    return product


def log_utterance_prior(negated: npt.NDArray[np.bool_], cost: float) -> Array:
    """(U,) ln prior(u), proportional to exp(-cost) if negated and exp(-1) if not."""
    log_prior = -np.where(negated, cost, COST_OF_PLAIN)
    normalised: Array = log_prior - np.logaddexp.reduce(log_prior)
    return normalised


def speaker1(
    lexicon: Lexicon,
    alpha: float,
    cost: float,
    phi: npt.ArrayLike,
    cost_form: CostForm = "prior",
) -> Array:
    """P_S1(u | s, phi), shape (q, s, u), for every value in ``phi`` (Q,).

    With ``cost_form="utility"``, the cost is inside alpha * (...), as in the
    equation of the paper; ``"prior"`` is the reference implementation.
    """
    L0 = lexicon.theta / lexicon.theta.sum(axis=1, keepdims=True)
    social = L0 @ lexicon.values
    nodes = np.atleast_1d(np.asarray(phi, dtype=float))[:, None, None]
    informative = _xlogy(nodes, L0.T[None])
    log_prior = log_utterance_prior(lexicon.negated, cost)
    rate = alpha if cost_form == "utility" else 1.0
    score = alpha * (informative + (1 - nodes) * social) + rate * log_prior
    probabilities: Array = np.exp(score - np.logaddexp.reduce(score, axis=2, keepdims=True))
    return probabilities


def recurse(
    lexicon: Lexicon,
    alpha: float,
    cost: float,
    phi: npt.ArrayLike,
    phi_weights: npt.ArrayLike | None = None,
    cost_form: CostForm = "prior",
) -> Tables:
    """L0, S1 and L1 with a uniform prior over states and ``phi_weights`` over phi.

    Without weights the nodes are a grid of equally likely values.
    """
    nodes = np.atleast_1d(np.asarray(phi, dtype=float))
    weights = np.full(nodes.size, 1 / nodes.size) if phi_weights is None else phi_weights
    S1 = speaker1(lexicon, alpha, cost, nodes, cost_form)
    joint = np.asarray(weights)[:, None, None] * S1
    evidence = joint.sum(axis=(0, 1))
    return Tables(
        prior=np.exp(log_utterance_prior(lexicon.negated, cost)),
        L0=lexicon.theta / lexicon.theta.sum(axis=1, keepdims=True),
        S1=S1,
        L1_state=joint.sum(axis=0).T / evidence[:, None],
        L1_phi=joint.sum(axis=1).T / evidence[:, None],
        evidence=evidence,
    )


def speaker2(
    lexicon: Lexicon,
    alpha: float,
    cost: float,
    conditions: Sequence[Condition],
    phi: npt.ArrayLike,
    phi_weights: npt.ArrayLike | None = None,
    cost_form: CostForm = "prior",
) -> Array:
    """P_S2(u | s), shape (c, s, u).

    The projected phi of a condition need not be a node: its likelihood is evaluated at phi and
    normalized over the nodes. A constant factor, the same for
    every utterance, cancels in the softmax.
    """
    tables = recurse(lexicon, alpha, cost, phi, phi_weights, cost_form)
    log_prior = log_utterance_prior(lexicon.negated, cost)
    rate = alpha if cost_form == "utility" else 1.0
    social = tables.L1_state @ lexicon.values
    result = np.empty((len(conditions), lexicon.values.size, lexicon.negated.size))
    for c, weights in enumerate(conditions):
        projected = speaker1(lexicon, alpha, cost, weights.phi, cost_form)[0].sum(axis=0)
        utility = (
            _xlogy(weights.w_inf, tables.L1_state.T)
            + weights.w_soc * social
            + _xlogy(weights.w_pres, projected / tables.evidence)
        )
        score = alpha * utility + rate * log_prior
        result[c] = np.exp(score - np.logaddexp.reduce(score, axis=1, keepdims=True))
    return result


def by_order(choices: Array, bias: npt.ArrayLike, place: npt.NDArray[np.int64]) -> Array:
    """P(u | s, order), shape (o, c, s, u), with the log-odds of the options' positions.

    Parameters
    ----------
    choices
        (c, s, u) P(u | s) without position bias.
    bias
        (places,) log-odds of each place.
    place
        (o, u) place of each option in each order, from zero.
    """
    odds = np.exp(np.asarray(bias, dtype=float))[place]
    pulled = choices[None] * odds[:, None, None, :]
    probabilities: Array = pulled / pulled.sum(axis=-1, keepdims=True)
    return probabilities


@dataclass(frozen=True)
class SpeakerParameters:
    """A speaker with known weights, for ``simulated`` speakers.

    Parameters
    ----------
    utterances, states
        Labels of the axes of ``lexicon.theta``.
    weights
        Condition by name (the goal).
    nodes
        Number of quadrature nodes for phi.
    place_bias
        Log-odds of each place in the list of options; empty for none.
    """

    lexicon: Lexicon
    utterances: tuple[str, ...]
    states: tuple[int, ...]
    alpha: float
    cost: float
    weights: Mapping[str, Condition]
    cost_form: CostForm = "prior"
    nodes: int = 32
    place_bias: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read ``alpha``, ``cost``, ``weights`` and optionally the lexicon.

        Without ``theta``, the literal means of the human reference are used.

        Raises
        ------
        WolvesError
            If a field is missing or has the wrong shape.
        """
        try:
            if "theta" in record:
                utterances = tuple(record["utterances"])
                states = tuple(record["states"])
                lexicon = Lexicon(
                    np.asarray(record["theta"], dtype=float),
                    np.asarray([is_negation(u) for u in utterances]),
                    np.asarray(record.get("values", states), dtype=float),
                )
            else:
                from many_wolves.families.politeness.simulation.human_lexicon import human_lexicon

                lexicon, utterances, states = human_lexicon()
            found = cls(
                lexicon=lexicon,
                utterances=utterances,
                states=states,
                alpha=float(record["alpha"]),
                cost=float(record["cost"]),
                weights={
                    goal: Condition(**{name: float(value) for name, value in own.items()})
                    for goal, own in record["weights"].items()
                },
                cost_form=record.get("cost_form", "prior"),
                place_bias=tuple(map(float, record.get("place_bias", ()))),
            )
            found.check()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WolvesError(
                f"a field of the parameters of a simulated speaker is missing or invalid: {error}",
                fix='give {"alpha": 5, "cost": 3, "weights": {"informative": '
                '{"w_inf": 0.4, "w_soc": 0.1, "w_pres": 0.5, "phi": 0.5}}}',
            ) from error
        return found

    def check(self) -> None:
        """Refuse values that the model does not have.

        Raises
        ------
        ValueError
            If alpha or cost is negative, phi or a weight is outside 0 to 1, or weights do not
            sum to one.
        """
        for name, value in (("alpha", self.alpha), ("cost", self.cost)):
            if not 0 <= value < np.inf:
                raise ValueError(f"{name}: expected a number from 0, found {value:g}")
        for goal, own in self.weights.items():
            shares = (own.w_inf, own.w_soc, own.w_pres)
            for value in (*shares, own.phi):
                if not 0 <= value <= 1:
                    raise ValueError(f"{goal}: expected numbers from 0 to 1, found {value:g}")
            if abs(sum(shares) - 1) > _ROUNDED:
                raise ValueError(f"{goal}: expected weights that sum to 1, found {sum(shares):g}")

    def choice_probabilities(self) -> dict[str, Array]:
        """P_S2(u | s) by goal, each of shape (s, u)."""
        S2 = speaker2(
            self.lexicon,
            self.alpha,
            self.cost,
            list(self.weights.values()),
            *phi_quadrature(self.nodes),
            cost_form=self.cost_form,
        )
        return dict(zip(self.weights, S2, strict=True))


def simulator(parameters: Mapping[str, Any]) -> OptionProbabilities:
    """A speaker that answers from the recursion: choices by S2, judgments by theta."""
    speaker = SpeakerParameters.from_json(parameters)
    choices = speaker.choice_probabilities()

    def index(labels: Sequence[Any], label: Any, kind: str) -> int:
        if label not in labels:
            raise WolvesError(
                f"the simulated speaker knows the {kind}s {', '.join(map(str, labels))}; "
                f"a trial asks for {label!r}",
                fix=f"add that {kind} to its parameters, or compile trials without it",
            )
        return list(labels).index(label)

    def probabilities(trial: Trial) -> Array:
        state = index(speaker.states, trial.cell["state"], "state")
        if trial.task == "literal":
            utterance = index(speaker.utterances, trial.cell["utterance"], "utterance")
            yes = speaker.lexicon.theta[utterance, state]
            return np.array([yes if o.id == "yes" else 1 - yes for o in trial.options])
        index(tuple(choices), trial.cell["goal"], "goal")
        row = choices[str(trial.cell["goal"])][state]
        shown = row[[index(speaker.utterances, o.id, "utterance") for o in trial.options]]
        if speaker.place_bias:
            shown = shown * _pull(speaker.place_bias, len(shown))
        normalised: Array = shown / shown.sum()
        return normalised

    return probabilities


def _pull(place_bias: tuple[float, ...], places: int) -> Array:
    if len(place_bias) != places:
        raise WolvesError(
            f"the simulated speaker has a bias for {len(place_bias)} places; a trial has {places}",
            fix="give place_bias one number for each option of a trial",
        )
    pull: Array = np.exp(np.array(place_bias))
    return pull
