"""Levels of the data: role prompts within groups, chains, and games within chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.outcomes import Array

Index = npt.NDArray[np.int64]
SPREAD = 0.5
"""Prior mean of the standard deviations between units, in prior sds of what varies."""


@dataclass(frozen=True)
class Levels:
    """The units of every level, and the unit of every row.

    Parameters
    ----------
    groups, participants
        Names; a participant is a role prompt within its group.
    of_participant
        (J,) group of each participant.
    participant, chain, game
        (N,) unit of each row.
    chains, games
        Names of chains and games.
    """

    groups: tuple[str, ...]
    participants: tuple[str, ...]
    of_participant: Index
    participant: Index
    chain: Index
    game: Index
    chains: tuple[str, ...]
    games: tuple[str, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Levels:
        """The levels of rows with group, participant, chain, branch and game."""
        group = frame["group"].fillna("").astype(str)
        who = group + ": " + frame["participant"].astype(str)
        groups, participants = _names(group), _names(who)
        first = dict(zip(who, group, strict=True))
        chain = frame["chain"].astype(str)
        game = chain + "." + frame["branch"].astype(str) + "." + frame["game"].astype(str)
        chains, games = _names(chain), _names(game)
        return cls(
            groups=groups,
            participants=participants,
            of_participant=_index([first[name] for name in participants], groups),
            participant=_index(who, participants),
            chain=_index(chain, chains),
            game=_index(game, games),
            chains=chains,
            games=games,
        )

    @property
    def by_group(self) -> bool:
        """Whether groups can differ: there are several."""
        return len(self.groups) > 1

    @property
    def by_participant(self) -> bool:
        """Whether role prompts can differ within groups."""
        return len(self.participants) > len(self.groups)

    @property
    def by_chain(self) -> bool:
        """Whether chains can differ: there are several, of several games each."""
        return 1 < len(self.chains) < len(self.games)

    @property
    def by_game(self) -> bool:
        """Whether games can differ: there are several, of several rows each."""
        return 1 < len(self.games) < self.game.size

    def data(self) -> dict[str, Any]:
        """The levels as Stan data."""
        return {
            "G": len(self.groups),
            "J": len(self.participants),
            "C": len(self.chains),
            "E": len(self.games),
            "group": (self.of_participant + 1).tolist(),
            "participant": (self.participant + 1).tolist(),
            "chain": (self.chain + 1).tolist(),
            "game": (self.game + 1).tolist(),
            "by_group": int(self.by_group),
            "by_participant": int(self.by_participant),
            "by_chain": int(self.by_chain),
            "by_game": int(self.by_game),
        }


@dataclass(frozen=True)
class Spread:
    """Deviations of units, drawn or given.

    Parameters
    ----------
    sd_group, sd_participant
        (K,) standard deviations of the coordinates that differ between role prompts.
    sd_chain, sd_game
        Standard deviations of the one deviation of each chain and game.
    participant
        (J, K) deviation of each role prompt, that of its group included.
    chain, game
        (C,) and (E,) deviations.
    """

    sd_group: Array
    sd_participant: Array
    sd_chain: float
    sd_game: float
    participant: Array
    chain: Array
    game: Array

    @classmethod
    def none(cls, levels: Levels, coordinates: int) -> Spread:
        """No unit deviates."""
        zero = np.zeros(coordinates)
        return cls(zero, zero, 0.0, 0.0, np.zeros((len(levels.participants), coordinates)),
                   np.zeros(len(levels.chains)), np.zeros(len(levels.games)))  # fmt: skip

    @classmethod
    def drawn(
        cls,
        levels: Levels,
        scale: Array,
        rng: np.random.Generator,
        spread: float = SPREAD,
        scale_game: float = 1.0,
    ) -> Spread:
        """Standard deviations from their exponential priors, and deviations of all units.

        ``scale`` (K,) and ``scale_game`` are what the prior means ``spread`` are multiples of.
        """
        K = scale.size
        sd_group = rng.exponential(spread, K) * scale * levels.by_group
        sd_participant = rng.exponential(spread, K) * scale * levels.by_participant
        sd_chain = float(rng.exponential(spread) * scale_game * levels.by_chain)
        sd_game = float(rng.exponential(spread) * scale_game * levels.by_game)
        groups = sd_group * rng.normal(size=(len(levels.groups), K))
        each = sd_participant * rng.normal(size=(len(levels.participants), K))
        return cls(
            sd_group,
            sd_participant,
            sd_chain,
            sd_game,
            groups[levels.of_participant] + each,
            sd_chain * rng.normal(size=len(levels.chains)),
            sd_game * rng.normal(size=len(levels.games)),
        )

    def softness(self, levels: Levels) -> Array:
        """(N,) deviation of each row's chain and game together."""
        found: Array = self.chain[levels.chain] + self.game[levels.game]
        return found

    def truth(self, levels: Levels) -> dict[str, Any]:
        """The standard deviations of the levels that there are, by the names of the posterior."""
        named = {
            "sd_group": (levels.by_group, self.sd_group),
            "sd_participant": (levels.by_participant, self.sd_participant),
            "sd_chain": (levels.by_chain, self.sd_chain),
            "sd_game": (levels.by_game, self.sd_game),
        }
        return {name: value for name, (there, value) in named.items() if there}


def _names(values: pd.Series | Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for value in values))


def _index(values: pd.Series | Sequence[str], names: Sequence[str]) -> Index:
    places = {name: n for n, name in enumerate(names)}
    return np.array([places[str(value)] for value in values], dtype=np.int64)
