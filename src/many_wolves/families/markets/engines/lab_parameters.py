"""The parameters with which the lab's server plays given rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.parameters import Rules

ROLE_NUMBERS = {"speculator": 1, "developer": 2, "owner": 3}


def lab_parameters(
    rules: Rules, timers: Mapping[int, float | None], lab_session: int, title: str
) -> dict[str, Any]:
    """Parameters with which the lab's server plays given rules.

    Parameters
    ----------
    rules
        The rules.
    timers
        Seconds by phase; None: until all have acted.
    lab_session
        Which of the lab's value draws, 1 to 11.
    title
        Name of the game there; no quotes.

    Raises
    ------
    WolvesError
        If the server does not know such rules.
    """
    fixed = {"buyer_share": 0.5, "total_shares": 100, "trade_fee": 0.0, "median_of": 7}
    other = [name for name, value in fixed.items() if getattr(rules, name) != value]
    for name in ("first_tax", "final_tax"):
        if abs(100 * getattr(rules, name) - round(100 * getattr(rules, name))) > 1e-9:
            other.append(f"{name} (whole percents)")
    other += [f"{name} (whole numbers)" for name, n in _integers(rules) if n != round(n)]
    if other:
        raise WolvesError(
            f"the lab's server does not allow other values of {', '.join(other)}",
            fix="leave these at their default, or play with --engine local or otree",
        )
    return {
        "title": title.replace("'", " ").replace('"', " "),
        "game_type": rules.mechanism,
        "session_number": lab_session,
        "round_count": rules.rounds,
        "practice": rules.practice,
        "minutes_for_trading": 10,
        "minutes_for_sniping": 600,
        "seconds_for_deliberation": 30,
        "agents_only": False,
        "show_up_fee": rules.show_up_fee,
        "tax_rate": {
            "initial": round(100 * rules.first_tax),
            "final": round(100 * rules.final_tax),
        },
        "signal": {
            "low": rules.signal_low,
            "high": rules.signal_high,
            # The lab's own signals belong to its 12 seats; others are drawn without a seed.
            "generate": (rules.owner.count, len(rules.speculators)) != (5, 6),
        },
        "speculators": role_parameters(rules, "speculator")
        | {"max_lot_purchases": 3, "cash_for_snipers": 250_000},
        "developers": role_parameters(rules, "developer")
        | {"profit": profit_bands(rules, "developer")},
        "owners": role_parameters(rules, "owner") | {"profit": profit_bands(rules, "owner")},
        "timers": {f"phase_{phase}": timers.get(phase) for phase in range(10)},
    }


def _integers(rules: Rules) -> Iterator[tuple[str, float]]:
    """Parameters that the server reads as integers: it cuts off what follows the point."""
    yield "show_up_fee", rules.show_up_fee
    for role in ROLE_NUMBERS:
        terms = rules.terms(role)
        for name in ("cash", "base_points", "points_per_euro"):
            yield f"{role} {name}", getattr(terms, name)
        for band in terms.bands:
            yield f"{role} bands", band.low
            yield f"{role} bands", band.high


def role_parameters(rules: Rules, role: str) -> dict[str, Any]:
    """Seats, endowment and payment of a role, as the server names them."""
    terms = rules.terms(role)
    seats = len(rules.speculators) if role == "speculator" else terms.count
    return {
        "count": seats,
        "balance": terms.cash,
        "shares": terms.shares,
        "base_points": terms.base_points,
        "reward_scale_factor": terms.points_per_euro,
    }


def profit_bands(rules: Rules, role: str) -> dict[str, Any]:
    """Ranges of the values of land of a role, by outcome."""
    without, with_project = rules.terms(role).bands
    return {
        name: {"low": band.low, "fixed": (band.low + band.high) / 2, "high": band.high}
        for name, band in (
            ("no_project", without),
            ("project_a", with_project),
            ("project_b", with_project),
        )
    }
