"""Engines by name, and their options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.families.markets.engines.local import LOCAL, LocalWorld
from many_wolves.sources import nearest
from many_wolves.worlds import World

FOLDER = "folder"
"""Option that every engine is given: where records of sessions go."""
OPTIONS: Mapping[str, tuple[str, ...]] = {
    LOCAL: (),
    "otree": ("project", "server", "database", "people", "look_again_s", "memory", "at_once"),
    "ibex": ("server", "turn_s", "pause_s", "title"),
}
"""Engine -> its options."""


def world(engine: str, options: Mapping[str, str]) -> World:
    """The engine called ``engine``; ``local`` where no name is given.

    Raises
    ------
    WolvesError
        If there is no such engine, or it has no such option.
    """
    name = engine or LOCAL
    if name not in OPTIONS:
        raise WolvesError(f"unknown engine {name!r}", fix=nearest(name, OPTIONS))
    given = {key: value for key, value in options.items() if key != FOLDER}
    for key in given:
        if key not in OPTIONS[name]:
            known = ", ".join(OPTIONS[name]) or "none"
            raise WolvesError(
                f"the engine {name} has no option {key!r}; it has {known}",
                fix="leave it out, or choose the engine with --engine",
            )
    if name == LOCAL:
        return LocalWorld()
    from many_wolves.worlds.server_world import ServerWorld

    folder = Path(options.get(FOLDER, "sessions"))
    if name == "otree":
        from many_wolves.families.markets.engines.otree import OTreeSessions

        return ServerWorld(OTreeSessions.of(given, folder), folder)
    from many_wolves.families.markets.engines.ibex_server import IbexSessions

    return ServerWorld(IbexSessions.of(given, folder), folder)
