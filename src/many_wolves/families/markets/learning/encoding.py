"""What a learner sees as numbers, and what its numbers do; nothing here needs the extra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.draws import share_worth
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation import trading
from many_wolves.families.markets.simulation.agents import Truthful

Array = npt.NDArray[np.float32]

STAGES = (
    "first_declaration",
    "first_purchases",
    "market",
    "final_declaration",
    "final_purchases",
    "request",
    "offer",
    "vote",
)


@dataclass(frozen=True)
class Encoding:
    """Sizes of what a role sees and does under given rules.

    Parameters
    ----------
    rules, role
        The rules, and the role.
    """

    rules: Rules
    role: str

    @property
    def observation_size(self) -> int:
        """Stage, own values and bands, condition, lots (declared, percentile), market."""
        return len(STAGES) + 3 + 4 + 2 + 3 * len(self.rules.landowners) + 10

    @property
    def action_size(self) -> int:
        """Declarations (2), market (side and price), lots under each condition."""
        return 4 + (2 * len(self.rules.landowners) if self.role == "speculator" else 0)

    def observe(self, view: View) -> Array:
        """What a seat sees as numbers around 1."""
        rules = self.rules
        seen = [float(view.stage == stage) for stage in STAGES]
        seen += [float(view.condition == c) for c in (0, 1)] + [float(view.condition is None)]
        bands = rules.terms(self.role).bands
        values = view.values or (0.0, 0.0)
        for c in (0, 1):
            band = bands[c] if bands else None
            seen.append(values[c] / band.high if band else 0.0)
            seen.append(band.percentile(values[c]) if band else 0.0)
        seen.append((view.first_gain or 0.0) / 100_000)
        seen.append((view.offer or 0.0) / 100_000)
        for lot in rules.landowners:
            seen += self._lot(view, lot)
        seen += self._market(view)
        return np.clip(np.array(seen, np.float32), -10, 10)

    def act(self, view: View, numbers: npt.ArrayLike) -> Action:
        """The form that numbers in [-1, 1] mean at a stage.

        A declaration is ``value (1 + number)``, so from 0 to twice the value. A lot is bought
        where its number is above 0. In the market the first number says what is done (sell at
        once, ask, wait, bid, buy at once), the second one the price around the signal.
        """
        a = np.clip(np.asarray(numbers, float), -1, 1)
        values = view.values or (0.0, 0.0)
        form: Action
        match view.stage:
            case "first_declaration":
                form = {
                    name: self._declaration(view, c, values[c] * (1 + a[c]))
                    for c, name in enumerate(("no_project", "project"))
                }
            case "final_declaration":
                c = int(view.condition or 0)
                form = {"value": self._declaration(view, c, values[c] * (1 + a[c]))}
            case "first_purchases" | "final_purchases":
                form = self._purchases(view, a[4:])
            case "market":
                form = self._trade(view, a[2:4])
            case "request" | "offer":
                form = {"compensation": round(float(100_000 * (1 + a[0])))}
            case _:
                form = Truthful().act(self.rules, view, np.random.default_rng(0))
        return form

    def _lot(self, view: View, lot: int) -> list[float]:
        conditions = (0, 1) if view.condition is None else (view.condition, view.condition)
        if view.final and view.condition is not None:
            declared = (view.final[lot],) * 2
        elif view.first:
            declared = (view.first[lot][conditions[0]], view.first[lot][conditions[1]])
        else:
            return [0.0, 0.0, 0.0]
        places = [
            self.rules.band(lot, c).percentile(d) for c, d in zip(conditions, declared, strict=True)
        ]
        return [1.0, *places]

    def _market(self, view: View) -> list[float]:
        if not view.markets:
            return [0.0] * 10
        seen: list[float] = []
        for c in (0, 1):
            market = view.markets.get(c)
            if market is None:
                seen += [0.0] * 5
                continue
            signal = self._signal(view, c)
            public = (view.public_signal or (0.0, 0.0))[c] or 0.0
            ask, bid = market.best("ask") or 0.0, market.best("bid") or 0.0
            seen += [public / signal, ask / signal, bid / signal, (market.median or 0.0) / signal]
            seen.append(market.shares / max(self.rules.terms(self.role).shares, 1))
        return seen

    def _signal(self, view: View, c: int) -> float:
        private = (view.private_signal or (0.0, 0.0))[c] or 0.0
        middle = share_worth(
            self.rules, (self.rules.band(lot, c).high for lot in self.rules.landowners)
        )
        return private or middle

    def _declaration(self, view: View, c: int, amount: float) -> float:
        limit = 2 * self.rules.band(view.seat, c).high
        return float(round(min(max(amount, 0.0), limit)))

    def _purchases(self, view: View, numbers: npt.NDArray[np.float64]) -> Action:
        lots = list(self.rules.landowners)
        without, project = numbers[: len(lots)] > 0, numbers[len(lots) :] > 0
        if view.condition is None:
            return {
                "lots_no_project": [lot for lot, on in zip(lots, without, strict=True) if on],
                "lots_project": [lot for lot, on in zip(lots, project, strict=True) if on],
            }
        chosen = project if view.condition else without
        return {"lots": [lot for lot, on in zip(lots, chosen, strict=True) if on]}

    def _trade(self, view: View, numbers: npt.NDArray[np.float64]) -> Action:
        condition = max(view.markets)
        market = view.markets[condition]
        kind = ("sell", "ask", "wait", "bid", "buy")[min(int((numbers[0] + 1) / 2 * 5), 4)]
        price = float(round(self._signal(view, condition) * (1 + 0.2 * numbers[1])))
        if kind in ("sell", "ask") and not trading.can_sell(market):
            kind = "wait"
        if kind == "bid" and price > trading.free_cash(market):
            kind = "wait"
        offered = market.best("ask" if kind == "buy" else "bid")
        if kind in ("buy", "sell") and (
            offered is None or (kind == "buy" and offered > market.cash)
        ):
            kind = "wait"
        return trading.market_action(
            view, condition, kind, price if kind in ("ask", "bid") else None
        )
