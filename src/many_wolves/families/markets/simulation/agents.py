"""Scripted players: each sees what its seat sees, and answers every question of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit

from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.parameters import NO_PROJECT, PROJECT, Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation import trading
from many_wolves.families.markets.simulation.beliefs import falling_rate, shaded_value
from many_wolves.families.markets.simulation.theory import (
    best_final_declaration,
    best_first_declaration,
    role_lead,
)


class Agent(Protocol):
    """A player."""

    def act(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """The form that the player fills in at the stage it sees."""
        ...


@dataclass(frozen=True)
class Truthful:
    """Declares true values, buys nothing, trades at its private signal, votes for its gain.

    The base of all scripted players: each of them changes a part.
    """

    margin: float = 0.02

    def act(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """The form that the player fills in at the stage it sees."""
        if view.stage == "market":
            return self.trade(rules, view, rng)
        if view.stage in ("first_purchases", "final_purchases"):
            return self._purchases(rules, view, rng)
        action: dict[str, Any] = {}
        match view.stage:
            case "first_declaration":
                action["no_project"], action["project"] = self.first(rules, view, rng)
            case "final_declaration":
                action["value"] = self.final(rules, view, rng)
            case "request" | "offer":
                action["compensation"] = self.compensation(rules, view)
            case "vote":
                action["vote"] = self.vote(view, rng)
            case _:
                action = {"message": "", "to": []}
        return action

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """First declarations."""
        return own_values(view)

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """Final declaration."""
        return own_values(view)[_chosen(view)]

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether it buys a lot."""
        return False

    def trade(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """Action in the market."""
        return trading.trade_at_reservation(view, trading.signals(view, 1.0), self.margin, rng)

    def compensation(self, rules: Rules, view: View) -> float:
        """Owners ask for their loss; the developer offers the median request if it still gains."""
        without, with_project = own_values(view)
        if rules.role(view.seat) == "owner":
            return max(without - with_project, 0.0)
        wanted = float(np.median(list(view.requests.values()) or [0.0]))
        return wanted if wanted * rules.owner.count <= with_project - without else 0.0

    def vote(self, view: View, rng: np.random.Generator) -> str:
        """The condition that pays more, with the offer."""
        without, with_project = own_values(view)
        return "project" if with_project + (view.offer or 0.0) >= without else "no_project"

    def _purchases(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        if view.condition is None:
            without = [n for n in view.first if self.buys(rules, view, n, NO_PROJECT, rng)]
            with_project = [n for n in view.first if self.buys(rules, view, n, PROJECT, rng)]
            return {"lots_no_project": without, "lots_project": with_project}
        condition = view.condition
        return {"lots": [n for n in view.first if self.buys(rules, view, n, condition, rng)]}


@dataclass(frozen=True)
class Scaled(Truthful):
    """Declares a multiple of true values; above 1 an over-reporter, below 1 a low-baller."""

    factor: float = 1.2

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """First declarations."""
        without, with_project = own_values(view)
        return (
            _within(rules, view.seat, NO_PROJECT, self.factor * without),
            _within(rules, view.seat, PROJECT, self.factor * with_project),
        )

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """Final declaration."""
        condition = _chosen(view)
        return _within(rules, view.seat, condition, self.factor * own_values(view)[condition])


@dataclass(frozen=True)
class OverReporter(Scaled):
    """Declares more than true values."""

    factor: float = 1.2


@dataclass(frozen=True)
class LowBaller(Scaled):
    """Declares less than true values."""

    factor: float = 0.7


@dataclass(frozen=True)
class ZeroIntelligence(Truthful):
    """Declares, buys and trades at random; unless ``constrained`` is false, at no certain loss.

    ``buying`` is the probability of buying a lot.
    """

    constrained: bool = True
    buying: float = 0.5

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """First declarations, uniform in the band; up to the limit if unconstrained."""
        without, with_project = (self._uniform(rules, view, c, rng) for c in (0, 1))
        return without, with_project

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """Final declaration."""
        return self._uniform(rules, view, _chosen(view), rng)

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether it buys a lot."""
        return bool(rng.random() < self.buying)

    def trade(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """Action in the market."""
        return trading.trade_at_random(rules, view, self.constrained, rng)

    def vote(self, view: View, rng: np.random.Generator) -> str:
        """The condition that pays more; either one where unconstrained."""
        if self.constrained:
            return super().vote(view, rng)
        return "project" if rng.random() < 0.5 else "no_project"

    def _uniform(self, rules: Rules, view: View, condition: int, rng: np.random.Generator) -> float:
        band = rules.band(view.seat, condition)
        low, high = (band.low, band.high) if self.constrained else (0.0, 2 * band.high)
        return float(round(rng.uniform(low, high)))


@dataclass(frozen=True)
class SignalTrader(Truthful):
    """Trades at a mix of the two signals, with ``weight`` on the private one."""

    weight: float = 0.5

    def trade(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """Action in the market."""
        worth = trading.signals(view, self.weight)
        return trading.trade_at_reservation(view, worth, self.margin, rng)


@dataclass(frozen=True)
class Exploiter(Truthful):
    """Replies best to what it believes of others.

    Parameters
    ----------
    level, slope
        Believed purchase rate ``inv_logit(level - slope * percentile)``.
    markup
        Believed declaration over value, less 1: it buys what it believes to be worth more.
    """

    level: float = 1.0
    slope: float = 2.0
    markup: float = 0.0

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """First declarations: the best pair where they decide (``harberger``)."""
        if rules.mechanism != "harberger":
            return own_values(view)
        role = rules.role(view.seat)
        rate = falling_rate(self.level, self.slope)
        return best_first_declaration(rules, role, own_values(view), rate, role_lead(rules, role))

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """Final declaration."""
        role, condition = rules.role(view.seat), _chosen(view)
        rate = falling_rate(self.level, self.slope)
        return best_final_declaration(rules, role, condition, own_values(view)[condition], rate)

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether it buys a lot."""
        declared = view.declared(lot, condition)
        return shaded_value(rules, lot, condition, declared, 0.0, -self.markup) > declared


@dataclass(frozen=True)
class LogitBuyer(Truthful):
    """Buys each lot with probability ``inv_logit(level - slope * percentile)``."""

    level: float = 0.0
    slope: float = 2.0

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Whether it buys a lot."""
        declared = view.declared(lot, condition)
        percentile = rules.band(lot, condition).percentile(declared)
        return bool(rng.random() < expit(self.level - self.slope * percentile))


def own_values(view: View) -> tuple[float, float]:
    """Own values of land without and with the project; 0 for speculators."""
    return (0.0, 0.0) if view.values is None else view.values


def _chosen(view: View) -> int:
    return PROJECT if view.condition is None else view.condition


def _within(rules: Rules, seat: int, condition: int, declared: float) -> float:
    return min(declared, 2 * rules.band(seat, condition).high)
