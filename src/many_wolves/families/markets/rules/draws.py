"""Values and private signals of a session: drawn by seed, or given as a series."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from .parameters import CONDITIONS, Pair, Rules


@dataclass(frozen=True)
class Draws:
    """Values by round and landowner, private signals by round and seat.

    Parameters
    ----------
    values
        Round number -> seat -> value without and with the project, in points.
    signals
        Round number -> seat -> private signal of a share's worth under each condition.
    paid_round
        The round that is paid to everyone.
    """

    values: Mapping[int, Mapping[int, Pair]]
    signals: Mapping[int, Mapping[int, Pair]]
    paid_round: int


def draw(rules: Rules, seed: int) -> Draws:
    """Draw a session: equal rules and seeds give equal draws, on any machine.

    Values are uniform in their band, to the thousand. A seat's private signal is the worth of a
    share at true values times a factor, to the point. The factor is uniform from ``signal_low`` to
    ``signal_high``.
    """
    values = {
        number: {
            seat: _pair(
                1000.0 * round(_uniform(rules, seat, c, seed, number) / 1000) for c in CONDITIONS
            )
            for seat in rules.landowners
        }
        for number in rules.round_numbers
    }
    return Draws(values, draw_signals(rules, values, seed), draw_paid_round(rules, seed))


def draw_signals(
    rules: Rules, values: Mapping[int, Mapping[int, Pair]], seed: int
) -> dict[int, dict[int, Pair]]:
    """Private signals for given values; none without a market."""
    if rules.mechanism == "voting":
        return {number: {} for number in values}
    signals: dict[int, dict[int, Pair]] = {}
    for number, by_seat in values.items():
        worth = [share_worth(rules, (pair[c] for pair in by_seat.values())) for c in CONDITIONS]
        signals[number] = {
            seat: _pair(
                float(round(worth[c] * _factor(rules, generator(seed, "signal", number, seat, c))))
                for c in CONDITIONS
            )
            for seat in rules.seats
        }
    return signals


def draw_paid_round(rules: Rules, seed: int) -> int:
    """The paid round, uniform over the rounds after practice."""
    return generator(seed, "paid round").randint(1, rules.rounds)


def from_series(
    rules: Rules, series: Mapping[int, Mapping[str, Sequence[Pair]]], seed: int
) -> Draws:
    """A session whose values and signals come from a table, such as the lab's.

    Parameters
    ----------
    rules
        The rules; there must be as many rows as seats of a role, or more.
    series
        Round number -> ``developer``, ``owner`` (values) and ``developer signal``,
        ``owner signal``, ``speculator signal`` -> one pair for each seat of the role.
    seed
        Of the paid round.

    Notes
    -----
    Signals of the series are those of the lab's final tax and number of shares. Under other
    rules they are scaled, to the point: a signal is proportional to the tax.

    Raises
    ------
    ValueError
        If a round or a seat is missing.
    """
    lab = Rules()
    scale = rules.final_tax / lab.final_tax * lab.total_shares / rules.total_shares
    values: dict[int, dict[int, Pair]] = {}
    signals: dict[int, dict[int, Pair]] = {}
    for number in rules.round_numbers:
        if number not in series:
            raise ValueError(f"expected round {number} in the series, found {sorted(series)}")
        table = series[number]
        values[number] = {s: _row(table, rules, s, "") for s in rules.landowners}
        market = rules.mechanism != "voting"
        signals[number] = (
            {s: _scaled(_row(table, rules, s, " signal"), scale) for s in rules.seats}
            if market
            else {}
        )
    return Draws(values, signals, draw_paid_round(rules, seed))


def _scaled(pair: Pair, scale: float) -> Pair:
    return pair if scale == 1 else _pair(float(round(signal * scale)) for signal in pair)


def share_worth(rules: Rules, declared: Iterable[float]) -> float:
    """What one tax share pays when these are the final declarations."""
    return rules.final_tax * sum(declared) / rules.total_shares


def others_lead(rules: Rules, seat: int) -> tuple[float, float]:
    """Mean and standard deviation of the sum of the others' ``d1 - d0`` where all are truthful.

    Values are uniform and independent, so middles of bands add up, and variances of
    ``(high - low)^2 / 12``.
    """
    mean = variance = 0.0
    for other in rules.landowners:
        if other == seat:
            continue
        without, project = rules.band(other, 0), rules.band(other, 1)
        mean += (project.low + project.high - without.low - without.high) / 2
        variance += sum((band.high - band.low) ** 2 / 12 for band in (without, project))
    return mean, max(variance, 1.0) ** 0.5


def generator(seed: int, *words: str | int) -> Random:
    """A separate generator for each use of a seed, so that one use never shifts another."""
    text = "/".join(str(word) for word in (seed, *words))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))


def in_seeded_order(seats: Iterable[int], seed: int, *words: str | int) -> list[int]:
    """Seats in an order that the seed and the words decide."""
    listed = sorted(seats)
    generator(seed, "order", *words).shuffle(listed)
    return listed


def _uniform(rules: Rules, seat: int, condition: int, seed: int, number: int) -> float:
    band = rules.band(seat, condition)
    return generator(seed, "value", number, seat, condition).uniform(band.low, band.high)


def _factor(rules: Rules, random: Random) -> float:
    return random.uniform(rules.signal_low, rules.signal_high)


def _row(table: Mapping[str, Sequence[Pair]], rules: Rules, seat: int, suffix: str) -> Pair:
    """The pair of a seat within its role's rows."""
    role = rules.role(seat)
    place = sum(rules.role(other) == role for other in range(1, seat))
    rows = table.get(role + suffix, ())
    if place >= len(rows):
        raise ValueError(f"{role}{suffix}: expected {place + 1} or more rows, found {len(rows)}")
    return _pair(rows[place])


def _pair(numbers: Iterable[float]) -> Pair:
    first, second = numbers
    return (float(first), float(second))
