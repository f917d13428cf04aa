"""Log densities of the models of bargaining, from the NumPy simulators and SciPy alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax
from scipy.stats import dirichlet, expon, norm

from many_wolves.families.bargaining.model import (
    aspiration,
    begun_games,
    concession,
    made_choices,
    made_moves,
    outcomes,
    values,
    words,
)
from many_wolves.families.bargaining.model.levels import Spread
from many_wolves.families.bargaining.simulation import aspiration as simulated_aspiration
from many_wolves.families.bargaining.simulation import concession as simulated_concession
from many_wolves.families.bargaining.simulation import outcomes as simulated_outcomes
from many_wolves.families.bargaining.simulation import values as simulated_values


@dataclass
class Taken:
    """Unconstrained values, taken one parameter after the other, with their prior."""

    x: np.ndarray
    lp: float = 0.0
    at: int = 0
    found: dict = field(default_factory=dict)

    def raw(self, *shape):
        """Values in Stan's order: the first index runs fastest."""
        n = int(np.prod(shape)) if shape else 1
        part = self.x[self.at : self.at + n]
        self.at += n
        return part.reshape(shape, order="F") if shape else float(part[0])

    def normal(self, *shape):
        found = self.raw(*shape)
        self.lp += norm.logpdf(found).sum()
        return found

    def sd(self, n, spread):
        """Positive values, exponential a priori; the Jacobian of the logarithm is added."""
        log = self.raw(n)
        self.lp += (expon.logpdf(np.exp(log), scale=spread) + log).sum()
        return np.exp(log)

    def done(self):
        assert self.at == self.x.size
        return self.lp


def prompts(t, data, scale):
    """(J, K) deviations of role prompts, and the standard normals taken on the way."""
    K, spread = len(scale), data["spread"]
    G, J = data["G"], data["J"]
    each = np.zeros((K, J))
    if data["by_group"]:
        sd = t.sd(K, spread)
        each += sd[:, None] * t.normal(K, G)[:, np.array(data["group"]) - 1]
    if data["by_participant"]:
        sd = t.sd(K, spread)
        each += sd[:, None] * t.normal(K, J)
    return (np.array(scale)[:, None] * each).T


def units(t, data, name, size):
    """(size,) deviations of chains or games."""
    if not data[f"by_{name}"]:
        return np.zeros(size)
    sd = t.sd(1, data["spread"])
    return sd[0] * t.normal(size)


def spread_of(t, data, scale):
    each = prompts(t, data, scale)
    chain = units(t, data, "chain", data["C"])
    game = units(t, data, "game", data["E"]) if "by_game" in data else np.zeros(1)
    zero = np.zeros(len(scale))
    return Spread(zero, zero, 0.0, 0.0, each, chain, game)


def of_concession(problem, observations, x, memory="all"):
    moves = made_moves.read_moves(observations, memory)
    t, P = Taken(x), problem.data["P"]
    intercept = concession.PRIOR_MEAN + concession.PRIOR_SD * t.normal(6)
    slope = t.normal(6, P) * moves.covariates.sd
    scale = float(np.exp(concession.SCALE_MEAN + concession.SCALE_SD * t.normal()))
    spread = spread_of(t, problem.data, concession.PRIOR_SD)
    b = np.column_stack([intercept, slope])
    known = simulated_concession.Parameters(b[:5], b[5], scale)
    shift, size_shift, soft = concession._shifts(moves, spread)
    at = concession._Masked.of(moves)
    rows = simulated_concession.row_log_likelihood(
        at, known, shift, size_shift, soft, moves.kind, moves.fraction
    )
    return t.done() + rows.sum()


def of_aspiration(problem, observations, x, **options):
    written = aspiration.read_written(observations, **options)
    t, P = Taken(x), problem.data["P"]
    middle, slope, others = t.normal(3), t.normal(3, P), t.normal(5)
    spread = spread_of(t, problem.data, aspiration.PRIOR_SD)
    everything = np.concatenate([middle, others, slope.ravel()])
    p, _ = aspiration._parameters(
        everything, written, bool(options.get("reciprocity", True)), spread
    )
    rows = simulated_aspiration.row_log_likelihood(written.at, p, written.action, written.demand)
    return t.done() + rows.sum()


def of_values(problem, observations, x, fair="even", deal=True):
    chosen = made_choices.read_chosen(observations)
    V, P = values._ratios(fair, deal), problem.data["P"]
    t = Taken(x)
    ratio, slope, beliefs = t.normal(V), t.normal(V, P), t.normal(4)
    talks = problem.data | {"E": problem.data["H"]}
    spread = spread_of(t, talks, np.full(V, values._RATIO_SD))
    everything = np.concatenate([ratio, beliefs, slope.ravel()])
    known = values._Known.of(everything, chosen, fair, deal, spread)
    fairness = "even" if fair == "none" else fair
    rows = simulated_values.row_log_likelihood(
        chosen.at, known.weights, known.beliefs, known.hope, chosen.option, fairness
    )
    return t.done() + rows.sum()


def of_outcomes(problem, observations, x, atom, jacobian):
    """``atom`` (4,) and the log Jacobian of its transform are given: Stan's own."""
    games = begun_games.read_games(observations)
    data, t, P = problem.data, Taken(x), problem.data["P"]
    intercept, slope = t.normal(3), t.normal(3, P)
    round_, scale = t.normal(), t.normal()
    t.raw(3)
    t.lp += dirichlet.logpdf(atom, outcomes.ATOM) + jacobian
    each = prompts(t, data, outcomes.PRIOR_SD)
    partner = np.zeros((data["Q"], 3))
    if data["by_partner"]:
        sd = t.sd(3, data["spread"])
        partner = (outcomes.PRIOR_SD[:, None] * sd[:, None] * t.normal(3, data["Q"])).T
    chain = units(t, data, "chain", data["C"])
    everything = np.concatenate([np.column_stack([intercept, slope]).ravel("F"), [round_, scale]])
    p = outcomes._parameters(everything, games, atom)
    zero = np.zeros(3)
    spread = Spread(zero, zero, 0.0, 0.0, each, chain, np.zeros(1))
    rows = simulated_outcomes.row_log_likelihood(
        games.at, p, outcomes._shift(games, spread, partner), games.last, games.as_words,
        games.share,
    )  # fmt: skip
    return t.done() + rows.sum()


def of_words(problem, observations, x, kind=True):
    at = words.read_situations(observations)
    data, V, P = problem.data, 1 + int(kind), problem.data["P"]
    t = Taken(x)
    ratio = words._RATIO_SD * t.normal(V)
    slope = t.normal(V, P) * at.covariates.sd
    precision = np.exp(2.5 + t.normal())
    each = prompts(t, data, np.full(V, words._RATIO_SD))
    odds = ratio + at.covariates.matrix @ slope.T + each[at.levels.participant]
    w = softmax(np.column_stack([np.zeros(len(odds)), odds]), axis=1)
    value = w[:, :1] * at.demand + w[:, 1:2] * at.accepts
    if kind:
        value = value + w[:, 2:] * at.kindness
    log_p = np.log(softmax(precision * value, axis=1))
    return t.done() + (at.counts * log_p).sum()
