"""Best replies that are known: for which casts, and what playing them gains."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.agents import (
    Agent,
    LogitBuyer,
    Scaled,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.families.markets.simulation.beliefs import constant_rate, falling_rate
from many_wolves.families.markets.simulation.play import Cast
from many_wolves.families.markets.simulation.theory import (
    Array,
    PurchaseRate,
    best_final_declaration,
    best_first_declaration,
    role_lead,
)


@dataclass(frozen=True)
class BestLandowner(Truthful):
    """Declares what pays most, given the purchase rate that the speculators really have."""

    rate: PurchaseRate = field(kw_only=True)

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """The best pair if declared sums decide; otherwise each declaration alone."""
        role, values = rules.role(view.seat), view.values or (0.0, 0.0)
        lead = role_lead(rules, role) if rules.mechanism == "harberger" else (0.0, 1e12)
        return best_first_declaration(rules, role, values, self.rate, lead)

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """The best final declaration."""
        role, condition = rules.role(view.seat), int(view.condition or 0)
        value = (view.values or (0.0, 0.0))[condition]
        return best_final_declaration(rules, role, condition, value, self.rate)


@dataclass(frozen=True)
class BestSpeculator(Truthful):
    """Buys every lot whose declaration is believed to be below the value, by its owner's factor."""

    factors: tuple[tuple[str, float], ...] = ()

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether the owner's role declares less than the value."""
        return dict(self.factors)[rules.role(lot)] < 1


def known_reply(rules: Rules, cast: Cast, role: str) -> Agent | None:
    """The best reply of a role to a cast, where it is known; None where it is not.

    It is known without a market (``ticks`` 0). Landowners' replies are known against speculators
    that buy at a known rate, alone or with truthful other landowners. Speculators' replies are
    known against landowners who declare multiples of their values.
    """
    if rules.ticks or rules.mechanism == "voting":
        return None
    if role == "speculator":
        return _speculator(cast)
    others = [*cast["owner"], *cast["developer"]]
    if rules.mechanism == "harberger" and any(type(other) is not Truthful for other in others):
        return None
    rates = [_rate(agent) for agent in cast["speculator"]]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        return None
    count = len(rules.speculators)

    def bought(percentile: Array) -> Array:
        left = np.ones_like(np.asarray(percentile, float))
        for place in range(count):
            left = left * (1 - known[place % len(known)](percentile))
        return 1 - left

    return BestLandowner(rate=bought)


def _speculator(cast: Cast) -> Agent | None:
    factors = []
    for role in ("owner", "developer"):
        kinds = {_factor(agent) for agent in cast[role]}
        factor = kinds.pop() if len(kinds) == 1 else None
        if factor is None:
            return None
        factors.append((role, factor))
    return BestSpeculator(factors=tuple(factors))


def _rate(agent: Agent) -> PurchaseRate | None:
    """The purchase rate of a scripted speculator, where it does not depend on anything else."""
    if isinstance(agent, LogitBuyer):
        return falling_rate(agent.level, agent.slope)
    if isinstance(agent, ZeroIntelligence):
        return constant_rate(agent.buying)
    return constant_rate(0.0) if type(agent) is Truthful else None


def _factor(agent: Agent) -> float | None:
    if isinstance(agent, Scaled):
        return agent.factor
    return 1.0 if type(agent) is Truthful else None
