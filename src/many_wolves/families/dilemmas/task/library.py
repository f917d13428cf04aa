"""Partners of the Axelrod library, if it is installed."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.extras import install_command
from many_wolves.sources import Source, nearest

_MEND = f"{install_command('axelrod')}, or give the partner's five probabilities"


def check(name: Source) -> None:
    """Refuse a strategy that the library does not know.

    Raises
    ------
    WolvesError
        If there is none of that name, or the library is not installed.
    """
    try:
        known = _strategies()
    except WolvesError as fault:
        raise name.error(fault.problem, fault.fix) from fault
    if name.words() not in known:
        raise name.error(
            f"the Axelrod library has no strategy {name.words()!r}",
            nearest(name.words(), known).split(" known:")[0],
        )


def next_move(name: str, played: tuple[tuple[str, str], ...] | Any, chance: str) -> str:
    """What the strategy plays after these rounds (own move, other's), always the same.

    The rounds before are lived through again, each with the moves that were made.
    """
    import axelrod

    strategy = _strategies()[name]
    player, other = strategy(), axelrod.MockPlayer([axelrod.Action.C])
    seed = int.from_bytes(hashlib.blake2b(chance.encode(), digest_size=4).digest(), "little")
    player.set_seed(seed)
    for own, met in played:
        player.strategy(other)
        player.update_history(_action(own), _action(met))
        other.update_history(_action(met), _action(own))
    return "C" if player.strategy(other) == axelrod.Action.C else "D"


def _action(move: str) -> Any:
    import axelrod

    return axelrod.Action.C if move == "C" else axelrod.Action.D


@cache
def _strategies() -> dict[str, Any]:
    try:
        import axelrod
    except ImportError as error:
        raise WolvesError("the Axelrod library is not installed", fix=_MEND) from error
    return {strategy.name: strategy for strategy in axelrod.strategies}
