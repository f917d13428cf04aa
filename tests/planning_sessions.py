"""Sessions of the spatial planning experiment at a stage, for tests."""

from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session

MECHANISMS = ("harberger", "futarchy", "voting")


def session(mechanism="harberger", seed=1, **changes):
    rules = Rules.lab(mechanism, **changes)
    return Session.begin(rules, draw(rules, seed), seed)


def at(stage, mechanism="harberger", **changes):
    """A session without answers, at a stage."""
    now = session(mechanism, **changes)
    while now.present.stage != stage:
        now = now.step({})
    return now


def wait_or(actions, seats):
    nothing = {"action": "wait", "price": None, "order": None, "market": "project"}
    return {seat: actions.get(seat, nothing) for seat in seats}
