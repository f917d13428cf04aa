"""Scripted partners: what each offers and accepts, as a function of the game so far.

A partner is a rule of a few numbers. They are shares of the pie: ``demand`` is the share that
the partner itself asks for, ``offer`` the share that it leaves to the speaker. A partner accepts a
standing price that gives it at least its next demand (AC_next; Baarslag, Hindriks & Jonker 2014).
It never asks for less than its own limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import Move, Role, Terms, other
from many_wolves.families.bargaining.task.rules import State

SPEAKER = "speaker"
"""The rule of a partner without a script: another model, or the same."""
NUMBERS: Mapping[str, tuple[str, ...]] = {
    SPEAKER: (),
    "fixed": ("demand",),
    "schedule": ("opening", "bottom", "exponent"),
    "tit_for_tat": ("start", "share"),
    "split": (),
    "zeuthen": (),
    "random": ("low", "high"),
    "told": ("demands", "odds"),
    "last": ("offers",),
}
"""Rule -> its numbers. ``told`` and ``last`` take lists."""
PROBES = ("told", "last")
"""Rules of one message: the speaker knows the odds, or has the last word."""


@dataclass(frozen=True)
class View:
    """What a partner knows when it writes.

    Parameters
    ----------
    terms, state
        The game.
    role
        The partner's role.
    heard
        Shares that the speaker's standing price left to the partner: by its first price, then
        each time that the partner was to write, now included.
    demands
        Shares that the partner asked for, oldest first; its scripted first price among them.
    chance
        Source of its draws, the same whenever the game is gone through again.
    """

    terms: Terms
    state: State
    role: Role
    heard: Sequence[float]
    demands: Sequence[float]
    chance: Random

    @property
    def written(self) -> int:
        """Messages that the partner has written."""
        return self.state.messages // 2

    @property
    def offered(self) -> float | None:
        """The partner's share in the speaker's standing price; None where there is none."""
        standing = self.state.standing(other(self.role))
        return None if standing is None else self.terms.share(self.role, standing)

    @property
    def progress(self) -> float:
        """Time gone by, from 0 at its first offer to 1 at its last message."""
        first = len(self.demands) - self.written
        steps = self.terms.rounds - 1 + first
        return 1.0 if steps <= 0 else min(1.0, (self.written + first) / steps)


Demand = Callable[[Mapping[str, Any], View], float]
"""Share that a partner demands next."""


def partner_move(rule: Mapping[str, Any], view: View) -> Move:
    """The move of a scripted partner.

    Parameters
    ----------
    rule
        ``kind`` and the numbers that ``NUMBERS`` lists for it.
    view
        The game as the partner sees it.
    """
    kind = str(rule["kind"])
    if kind == "told":
        return _answer_at_odds(rule, view)
    if kind == "last":
        return Move("walk")
    demand = max(0.0, _DEMANDS[kind](rule, view))
    price = view.terms.on_grid(view.terms.price(view.role, demand), view.role)
    offered = view.offered
    if offered is not None and offered >= view.terms.share(view.role, price) - 1e-9:
        return Move("accept")
    return Move("offer", price)


def last_offer(rule: Mapping[str, Any], terms: Terms, role: Role, chance: Random) -> float:
    """The price of a ``last`` partner's only offer; ``role`` is the partner's."""
    share = float(chance.choice(list(rule["offers"])))
    return terms.on_grid(terms.price(other(role), share))


def told_prices(rule: Mapping[str, Any], terms: Terms, role: Role) -> list[float]:
    """The prices that a ``told`` partner names with their odds; ``role`` is the speaker's."""
    return [terms.on_grid(terms.price(role, float(share))) for share in rule["demands"]]


def odds_of(rule: Mapping[str, Any], terms: Terms, role: Role, price: float) -> float:
    """The told chance that a price is taken: that of the nearest price on the list."""
    prices = told_prices(rule, terms, role)
    nearest = min(range(len(prices)), key=lambda n: abs(prices[n] - price))
    return float(rule["odds"][nearest])


def check_rule(name: str, rule: Mapping[str, Any]) -> None:
    """Refuse a rule that is unknown or lacks a number.

    Raises
    ------
    WolvesError
        With what the rule needs.
    """
    kind = str(rule.get("kind", ""))
    if kind not in NUMBERS:
        raise WolvesError(
            f"partner {name!r}: expected one of the rules {', '.join(NUMBERS)}, found {kind!r}",
            fix=f"write `kind: {next(iter(NUMBERS))}`, or another of them",
        )
    found = set(rule) - {"kind"}
    if found != set(NUMBERS[kind]):
        raise WolvesError(
            f"partner {name!r}: expected the numbers {', '.join(NUMBERS[kind]) or 'none'}, "
            f"found {', '.join(sorted(found)) or 'none'}",
            fix=f"give {kind} these and no others: {', '.join(NUMBERS[kind]) or 'none'}",
        )
    if kind == "told" and len(rule["demands"]) != len(rule["odds"]):
        raise WolvesError(
            f"partner {name!r}: expected as many odds as demands, found {len(rule['odds'])} "
            f"and {len(rule['demands'])}",
            fix="give each demand its odds",
        )


def _answer_at_odds(rule: Mapping[str, Any], view: View) -> Move:
    """Accept the speaker's price at the announced odds, or leave."""
    standing = view.state.standing(other(view.role))
    if standing is None:
        return Move("walk")
    odds = odds_of(rule, view.terms, other(view.role), standing)
    return Move("accept") if view.chance.random() < odds else Move("walk")


def _fixed(rule: Mapping[str, Any], view: View) -> float:
    return float(rule["demand"])


def _schedule(rule: Mapping[str, Any], view: View) -> float:
    """Concede from opening to bottom: late if exponent > 1 (Boulware), early if < 1 (conceder)."""
    opening, bottom = float(rule["opening"]), float(rule["bottom"])
    gone = math.pow(view.progress, float(rule["exponent"]))
    demand = opening - (opening - bottom) * gone
    return min(demand, view.demands[-1]) if view.demands else demand


def _tit_for_tat(rule: Mapping[str, Any], view: View) -> float:
    """Concede as much as the speaker's last offer did, times ``share``."""
    if not view.demands:
        return float(rule["start"])
    conceded = view.heard[-1] - view.heard[-2] if len(view.heard) > 1 else 0.0
    return view.demands[-1] - float(rule["share"]) * max(0.0, conceded)


def _split(rule: Mapping[str, Any], view: View) -> float:
    """Offer the middle between both standing prices; take a price that is one step away."""
    own = view.demands[-1] if view.demands else 1.0
    if view.offered is None:
        return own
    step = view.terms.step / view.terms.pie
    return view.offered if own - view.offered <= step + 1e-9 else (own + view.offered) / 2


def _zeuthen(rule: Mapping[str, Any], view: View) -> float:
    """Concede where the own risk limit is the smaller one, just enough to turn the order.

    The risk limit of a side is (own demand - the other's offer) / own demand. The side with the
    smaller limit is the one whose demand has the smaller product of both shares (Harsanyi 1956).
    """
    own = view.demands[-1] if view.demands else 1.0
    if view.offered is None:
        return own
    theirs = view.offered * (1 - view.offered)
    if own * (1 - own) > theirs:
        return own
    needed = 0.5 + math.sqrt(max(0.0, 0.25 - theirs))
    step = view.terms.step / view.terms.pie
    return min(own - step, needed - step)


def _random(rule: Mapping[str, Any], view: View) -> float:
    return view.chance.uniform(float(rule["low"]), float(rule["high"]))


_DEMANDS: Mapping[str, Demand] = {
    "fixed": _fixed,
    "schedule": _schedule,
    "tit_for_tat": _tit_for_tat,
    "split": _split,
    "zeuthen": _zeuthen,
    "random": _random,
}
