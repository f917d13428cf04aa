"""The numbers of a session: roles, money, bands of values, taxes, market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal, Self

Mechanism = Literal["harberger", "futarchy", "voting"]
Role = Literal["owner", "developer", "speculator"]

MECHANISMS: tuple[Mechanism, ...] = ("harberger", "futarchy", "voting")
ROLES: tuple[Role, ...] = ("owner", "developer", "speculator")
NO_PROJECT, PROJECT = 0, 1
CONDITIONS = (NO_PROJECT, PROJECT)

_MECHANISMS: Mapping[str, Mechanism] = {name: name for name in MECHANISMS}

Pair = tuple[float, float]
"""One number for each condition: without the project, with the project."""


@dataclass(frozen=True, slots=True)
class Band:
    """The range from which a value is drawn, uniformly."""

    low: float
    high: float

    def percentile(self, value: float) -> float:
        """Share of the band below ``value``: 0 at its low end, 1 at its high end."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a role starts a round with, and how its points become money.

    Parameters
    ----------
    count
        Number of seats.
    cash, shares
        Endowment of each round, in points and in tax shares.
    bands
        Ranges of the land's value without and with the project; none for speculators.
    base_points
        Points added to the payoff of the paid round.
    points_per_euro
        Exchange rate.
    """

    count: int
    cash: float
    shares: int
    bands: tuple[Band, ...] = ()
    base_points: float = 0.0
    points_per_euro: float = 20_000.0

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``asdict`` gave."""
        bands = tuple(Band(**band) for band in record.get("bands", ()))
        return cls(**{**record, "bands": bands})


OWNER = Terms(5, 60_000, 6, (Band(350_000, 600_000), Band(150_000, 350_000)), 200_000, 20_000)
DEVELOPER = Terms(1, 300_000, 30, (Band(200_000, 500_000), Band(500_000, 2_750_000)), 0, 50_000)
SPECULATOR = Terms(6, 50_000, 5, (), 400_000, 20_000)


@dataclass(frozen=True)
class Rules:
    """Everything that defines a session but its draws.

    Parameters
    ----------
    mechanism
        How the condition is chosen: by declared sums (``harberger``), by prices of two
        conditional markets (``futarchy``), by the owners' votes (``voting``).
    owner, developer, speculator
        Terms of the roles; there is one developer.
    rounds, practice
        Paid rounds, numbered from 1, and whether an unpaid round 0 comes first.
    first_tax, final_tax
        Tax rates on the first and on the final declaration.
    buyer_share
        Share of the gap between value and declaration that the buyers of a lot divide.
    total_shares
        Tax shares in all; those that no seat holds pay nobody.
    trade_fee
        Points that the buyer of a share pays on top of its price; negative for a subsidy.
    signal_low, signal_high
        Range of the factor on the private signal, uniform.
    ticks
        Turns of each seat in the market.
    talk
        Turns of each seat in a deliberation. ``voting`` has two deliberations, the other
        mechanisms one before the first declaration; 0 leaves them out.
    median_of
        Number of last prices whose median is shown, and chooses the condition (``futarchy``).
    show_up_fee
        Euro that everyone gets.
    repeated_purchases
        The lab's server counts a lot that a buyer lists several times as several purchases.
        True imitates that; the written rules know one purchase.
    """

    mechanism: Mechanism = "harberger"
    owner: Terms = OWNER
    developer: Terms = DEVELOPER
    speculator: Terms = SPECULATOR
    rounds: int = 5
    practice: bool = True
    first_tax: float = 0.01
    final_tax: float = 0.33
    buyer_share: float = 0.5
    total_shares: int = 100
    trade_fee: float = 0.0
    signal_low: float = 0.95
    signal_high: float = 1.05
    ticks: int = 20
    talk: int = 0
    median_of: int = 7
    show_up_fee: float = 5.0
    repeated_purchases: bool = False

    def __post_init__(self) -> None:
        """Check what would end in nonsense later.

        Raises
        ------
        ValueError
            If a number is outside its range.
        """
        limits: dict[str, tuple[float, float]] = {
            "first_tax": (0, 1),
            "final_tax": (0, 1),
            "buyer_share": (0, 1),
            "rounds": (1, 100),
            "ticks": (0, 10_000),
            "talk": (0, 1_000),
            "median_of": (1, 1_000),
            "total_shares": (1, 1_000_000),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: expected {low} to {high}, found {getattr(self, name)}")
        if self.mechanism not in MECHANISMS:
            raise ValueError(f"mechanism: expected one of {MECHANISMS}, found {self.mechanism!r}")
        if self.developer.count != 1 or self.owner.count < 1:
            raise ValueError("expected one developer and at least one owner")
        if not 0 < self.signal_low <= self.signal_high:
            raise ValueError("signal_low, signal_high: expected 0 < low <= high")
        for role in ("owner", "developer"):
            if len(self.terms(role).bands) != len(CONDITIONS):
                raise ValueError(f"{role}: expected a band of values for each condition")

    @cached_property
    def _roles(self) -> tuple[Role, ...]:
        """Roles by seat, as the lab numbers them: an owner, the developer, owners, buyers."""
        buyers = 0 if self.mechanism == "voting" else self.speculator.count
        roles: list[Role] = ["owner", "developer"]
        for _ in range(self.owner.count - 1):
            roles.append("owner")
        for _ in range(buyers):
            roles.append("speculator")
        return tuple(roles)

    @classmethod
    def lab(cls, mechanism: str = "harberger", **changes: Any) -> Self:
        """The lab's parameters for a mechanism, with changes by name.

        Voting has no speculators, no taxes and other base points, and owners talk.

        Raises
        ------
        KeyError
            If there is no such mechanism.
        """
        rules = cls(mechanism=_MECHANISMS[mechanism])
        if mechanism == "voting":
            rules = replace(
                rules,
                owner=replace(OWNER, base_points=0),
                developer=replace(DEVELOPER, base_points=500_000),
                speculator=replace(SPECULATOR, count=0),
                first_tax=0.0,
                final_tax=0.0,
                ticks=0,
                talk=2,
            )
        return replace(rules, **changes)

    def terms(self, role: str) -> Terms:
        """The terms of a role."""
        terms: Terms = getattr(self, role)
        return terms

    @property
    def seats(self) -> range:
        """Seat numbers, from 1."""
        return range(1, len(self._roles) + 1)

    @property
    def landowners(self) -> range:
        """Seats that own a lot; a lot has the number of its owner's seat."""
        return range(1, self.owner.count + 2)

    @property
    def speculators(self) -> range:
        """Seats of the speculators."""
        return range(self.owner.count + 2, len(self._roles) + 1)

    @property
    def round_numbers(self) -> range:
        """Rounds that are played; 0 is practice."""
        return range(0 if self.practice else 1, self.rounds + 1)

    def role(self, seat: int) -> Role:
        """The role of a seat."""
        return self._roles[seat - 1]

    def name(self, seat: int) -> str:
        """A seat as the others call it: ``Owner 2``, ``Developer``, ``Speculator 1``."""
        role = self.role(seat)
        if role == "developer":
            return "Developer"
        if role == "owner":
            return f"Owner {1 if seat == 1 else seat - 1}"
        return f"Speculator {seat - self.owner.count - 1}"

    def band(self, seat: int, condition: int) -> Band:
        """The range of a landowner's value under a condition."""
        return self.terms(self.role(seat)).bands[condition]

    def reward(self, seat: int, payoff: float) -> float:
        """Euro for the payoff of the paid round, the show-up fee included."""
        terms = self.terms(self.role(seat))
        points = terms.base_points + payoff
        cents = _half_up(points * 100 / terms.points_per_euro)
        return round(cents / 100 + self.show_up_fee, 2)

    def to_json(self) -> dict[str, Any]:
        """The rules as a JSON object."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``to_json`` gave; what is left out has its default.

        Raises
        ------
        TypeError, ValueError
            If a name is unknown or a number is outside its range.
        """
        values = dict(record)
        for role in ROLES:
            if role in values:
                values[role] = Terms.from_json(values[role])
        return cls(**values)


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Terms) else value


def _half_up(value: float) -> int:
    """Nearest whole number; halves go up, as in JavaScript."""
    return int((value + 0.5) // 1)
