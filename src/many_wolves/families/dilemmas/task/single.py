"""Games of a single turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from many_wolves.contracts import Episode, Turn
from many_wolves.records import Response


def single_turn(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The opening itself, until it is answered."""
    return () if answered else (Turn(replace(episode.opening, episode=episode.id)),)
