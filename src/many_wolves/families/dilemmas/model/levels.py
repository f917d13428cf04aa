"""Participants within groups: how many standard normals, and draws of them from the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.contracts import Array


@dataclass(frozen=True)
class Levels:
    """Who takes part, and at which levels coefficients vary.

    Parameters
    ----------
    participants
        (group, participant) of each, in the order of the axes.
    groups
        Names of the groups.
    """

    participants: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Levels:
        """The levels of (group, participant) pairs, each in the order of first appearance."""
        groups = tuple(dict.fromkeys(group for group, _ in pairs))
        found = sorted(dict.fromkeys(pairs), key=lambda p: (groups.index(p[0]), p[1]))
        return cls(tuple(found), groups)

    @property
    def of_participants(self) -> list[int]:
        """Number of each participant's group, from zero."""
        return [self.groups.index(group) for group, _ in self.participants]

    @property
    def by_group(self) -> bool:
        """Whether groups can differ: there are several."""
        return len(self.groups) > 1

    @property
    def by_participant(self) -> bool:
        """Whether participants can differ within groups."""
        return len(self.participants) > len(self.groups)

    @property
    def names(self) -> list[str]:
        """``group: participant`` of each."""
        return [f"{group}: {name}" if group else name for group, name in self.participants]

    def data(self) -> dict[str, Any]:
        """The levels as Stan data."""
        return {
            "J": len(self.participants),
            "G": len(self.groups),
            "group": [number + 1 for number in self.of_participants],
            "by_group": int(self.by_group),
            "by_participant": int(self.by_participant),
        }

    def from_prior(
        self, coordinates: int, varying: int, spread: float, rng: np.random.Generator
    ) -> Drawn:
        """Standard normal coordinates of groups and participants, drawn from the prior."""
        middle = rng.normal(size=coordinates)
        vary = (np.arange(coordinates) < varying)[:, None]
        sd_group = rng.exponential(spread, varying) if self.by_group else np.zeros(0)
        sd_participant = rng.exponential(spread, varying) if self.by_participant else np.zeros(0)
        groups = np.tile(middle[:, None], len(self.groups))
        if self.by_group:
            groups += vary * _spread(sd_group, coordinates, len(self.groups), rng)
        each = groups[:, self.of_participants]
        if self.by_participant:
            each = each + vary * _spread(sd_participant, coordinates, len(self.participants), rng)
        return Drawn(middle, groups, each, sd_group, sd_participant)


@dataclass(frozen=True)
class Drawn:
    """Coordinates (K,) of the middle, (K, G) of groups, (K, J) of participants; sds (V,)."""

    middle: Array
    groups: Array
    each: Array
    sd_group: Array
    sd_participant: Array


def _spread(sd: Array, coordinates: int, units: int, rng: np.random.Generator) -> Array:
    scaled = np.zeros(coordinates)
    scaled[: sd.size] = sd
    drawn: Array = scaled[:, None] * rng.normal(size=(coordinates, units))
    return drawn
