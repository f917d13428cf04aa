"""The games by name, and the functions of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from many_wolves.contracts import Episode, Extent, Turn
from many_wolves.errors import WolvesError
from many_wolves.factorial import Factorial
from many_wolves.families.dilemmas.task import dictator, dilemma, principal, ultimatum
from many_wolves.families.dilemmas.task.design import Material
from many_wolves.records import Response, Trial
from many_wolves.sources import nearest


class Rules(Protocol):
    """What the module of a game offers."""

    def factors(self, design: Material, partners: Sequence[str], seed: int) -> Factorial:
        """Every cell of the game."""
        ...

    def opening(self, design: Material, cell: Mapping[str, Any], seed: int) -> Trial:
        """The opening of the game in one cell."""
        ...

    def extent(self, opening: Trial) -> Extent:
        """Seats, and turns at most."""
        ...

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """What is asked next."""
        ...


_GAMES: Mapping[str, Rules] = {
    "dictator": dictator,
    "dilemma": dilemma,
    "ultimatum": ultimatum,
    "principal": principal,
}


def game_of(name: str) -> Rules:
    """The game of that name.

    Raises
    ------
    WolvesError
        If there is none.
    """
    if name not in _GAMES:
        raise WolvesError(f"unknown game {name!r}", fix=nearest(name, _GAMES))
    return _GAMES[name]
