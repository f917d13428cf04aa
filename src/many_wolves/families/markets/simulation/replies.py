"""Best replies that can be computed: for which casts, and what they do.

Nothing is known of a best reply where there is a market (``ticks`` above 0) or a vote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from many_wolves.families.markets.rules.parameters import CONDITIONS, PROJECT, Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.agents import (
    Agent,
    LogitBuyer,
    Scaled,
    Truthful,
    ZeroIntelligence,
    own_values,
)
from many_wolves.families.markets.simulation.beliefs import constant_rate, falling_rate
from many_wolves.families.markets.simulation.play import Cast, seat_players
from many_wolves.families.markets.simulation.theory import (
    Array,
    PurchaseRate,
    best_final_declaration,
    final_utility,
)

DRAWS = 20_000
"""Draws of the other landowners' declarations, with a fixed seed."""
POINTS = 401
"""Declarations that are compared under each condition, from 0 to the limit."""


@dataclass(frozen=True)
class Others:
    """What the other landowners declare, in draws that are sorted by their lead.

    Parameters
    ----------
    lead
        Sum of ``d1 - d0`` of the first declarations, ascending, (N,).
    income
        What the own shares pay from their final taxes under each condition, (N, 2).
    """

    lead: Array
    income: Array


@dataclass(frozen=True)
class BestLandowner(Truthful):
    """Declares what pays most, given what the others really do.

    Parameters
    ----------
    rate
        Probability that somebody buys the lot, by percentile of its declaration.
    others
        What the other landowners declare; None where declarations do not decide.
    """

    rate: PurchaseRate = field(kw_only=True)
    others: Others | None = field(kw_only=True)

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """The pair with the highest expected points, over the rest of the round as well."""
        role, values = rules.role(view.seat), own_values(view)
        grids = [np.linspace(0, 2 * rules.band(view.seat, c).high, POINTS) for c in CONDITIONS]
        parts = [
            self._first_part(rules, role, c, values[c], grids[c])
            + self._rest(rules, role, c, values[c])
            for c in CONDITIONS
        ]
        if self.others is None:
            return float(grids[0][parts[0].argmax()]), float(grids[1][parts[1].argmax()])
        lead, income = self.others.lead, self.others.income
        needed = grids[0][:, None] - grids[1][None, :]
        fewer = np.searchsorted(lead, needed, side="left")
        zero = np.zeros(1)
        without = np.concatenate([zero, income[:, 0].cumsum()])
        with_project = np.concatenate([income[::-1, 1].cumsum()[::-1], zero])
        utility = fewer * parts[0][:, None] + without[fewer]
        utility += (len(lead) - fewer) * parts[1][None, :] + with_project[fewer]
        i, j = np.unravel_index(np.argmax(utility), utility.shape)
        return float(grids[0][i]), float(grids[1][j])

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """The best final declaration."""
        role, condition = rules.role(view.seat), int(view.condition or 0)
        value = own_values(view)[condition]
        return best_final_declaration(rules, role, condition, value, self.rate)

    def _first_part(
        self, rules: Rules, role: str, condition: int, value: float, declared: Array
    ) -> Array:
        """Points of the first stage under a condition, by declaration."""
        band = rules.terms(role).bands[condition]
        bought = self.rate((declared - band.low) / (band.high - band.low))
        gap: Array = rules.buyer_share * bought * (value - declared)
        return -rules.first_tax * declared - gap

    def _rest(self, rules: Rules, role: str, condition: int, value: float) -> float:
        """Value, and points of the best final declaration under a condition."""
        best = best_final_declaration(rules, role, condition, value, self.rate)
        points = final_utility(rules, role, condition, value, np.array([best]), self.rate)
        return float(points[0])


@dataclass(frozen=True)
class BestSpeculator(Truthful):
    """Buys every lot that is worth more than its declaration, by what its owner really does.

    Parameters
    ----------
    owners
        By lot, a multiple of the value that its owner declares, or None where declarations
        do not depend on the value.
    """

    owners: Mapping[int, float | None] = field(kw_only=True)

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether the expected value is above the declaration."""
        factor = self.owners[lot]
        if factor is not None:
            return factor < 1
        band = rules.band(lot, condition)
        return view.declared(lot, condition) < (band.low + band.high) / 2


def known_reply(rules: Rules, cast: Cast, role: str, place: int = 0) -> Agent | None:
    """The best reply of a seat to a cast, where it can be computed; None where it cannot.

    It can be without a market (``ticks`` 0). Landowners need speculators who buy at a known
    rate, and other landowners who declare multiples of their values or at random. Speculators
    need such landowners.

    Parameters
    ----------
    rules, cast
        The rules, and who sits on the other seats.
    role, place
        The seat: which one of the role.
    """
    if rules.ticks or rules.mechanism == "voting":
        return None
    seated = seat_players(rules, cast)
    seat = [s for s in rules.seats if rules.role(s) == role][place]
    others = {s: agent for s, agent in seated.items() if s != seat}
    landowners = {s: others[s] for s in rules.landowners if s in others}
    if not all(_is_known_owner(agent) for agent in landowners.values()):
        return None
    if role == "speculator":
        return BestSpeculator(owners={s: _factor(agent) for s, agent in landowners.items()})
    rates = [_rate(others[s]) for s in rules.speculators]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        return None

    def bought(percentile: Array) -> Array:
        left = np.ones_like(np.asarray(percentile, float))
        for rate in known:
            left = left * (1 - rate(percentile))
        return 1 - left

    decide = rules.mechanism == "harberger"
    drawn = _others(rules, landowners, rules.terms(role).shares) if decide else None
    return BestLandowner(rate=bought, others=drawn)


def _others(rules: Rules, landowners: Mapping[int, Agent], shares: int) -> Others:
    """Draws of what the other landowners declare first and finally."""
    rng = np.random.default_rng(1)
    lead, taxed = np.zeros(DRAWS), np.zeros((DRAWS, 2))
    for seat, agent in landowners.items():
        for c in CONDITIONS:
            band = rules.band(seat, c)
            if (factor := _factor(agent)) is not None:
                value = rng.uniform(band.low, band.high, DRAWS)
                first = final = np.minimum(factor * value, 2 * band.high)
            else:
                assert isinstance(agent, ZeroIntelligence)
                low, high = (band.low, band.high) if agent.constrained else (0, 2 * band.high)
                first, final = rng.uniform(low, high, (2, DRAWS))
            lead += first if c == PROJECT else -first
            taxed[:, c] += final
    order = np.argsort(lead)
    income = shares * rules.final_tax * taxed[order] / rules.total_shares
    return Others(lead[order], income)


def _rate(agent: Agent) -> PurchaseRate | None:
    """The purchase rate of a scripted speculator, where it does not depend on anything else."""
    if isinstance(agent, LogitBuyer):
        return falling_rate(agent.level, agent.slope)
    if isinstance(agent, ZeroIntelligence):
        return constant_rate(agent.buying)
    never = isinstance(agent, Truthful) and type(agent).buys is Truthful.buys
    return constant_rate(0.0) if never else None


def _is_known_owner(agent: Agent) -> bool:
    return isinstance(agent, ZeroIntelligence) or _factor(agent) is not None


def _factor(agent: Agent) -> float | None:
    """The multiple of its value that a landowner declares; None where it is none."""
    if isinstance(agent, Scaled):
        return agent.factor
    true = isinstance(agent, Truthful) and (type(agent).first, type(agent).final) == (
        Truthful.first,
        Truthful.final,
    )
    return 1.0 if true else None
