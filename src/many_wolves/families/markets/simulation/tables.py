"""Tables of sessions that scripted players play in process: designs, and lines to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from many_wolves.families.markets.rules.parameters import ROLES, Rules
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.tables import TABLES, counted, table_rows
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.observations import Observations


def played_tables(
    designs: Sequence[Rules], agent: Agent, speaker: str, seeds: Iterable[int] = (1,)
) -> Observations:
    """Sessions in which one player sits on all seats, one of each design and seed, as tables.

    Parameters
    ----------
    designs
        Rules of the sessions.
    agent
        The player.
    speaker
        What it is called in the tables.
    seeds
        Of draws, order of actions, and the player's luck.
    """
    cast: dict[str, list[Agent]] = {role: [agent] for role in ROLES}
    records = {
        f"{number}-{seed}": play_session(rules, seat_players(rules, cast), seed).record()
        for seed in seeds
        for number, rules in enumerate(designs, 1)
    }
    return tables_of(records, speaker)


def tables_of(records: Mapping[str, SessionRecord], speaker: str) -> Observations:
    """Records of sessions, by name, as tables of one speaker; tables without a row are left out."""
    tables = {}
    for name, columns in TABLES.items():
        rows = [
            row
            for session, record in records.items()
            for row in table_rows(name, session, record, dict.fromkeys(record.rules.seats, speaker))
        ]
        if rows:
            named = ["speaker" if column == "agent" else column for column in columns]
            tables[name] = pd.DataFrame(rows, columns=named)
    meta = {"task": "planning", "rules": counted(r.rules for r in records.values())}
    return Observations("markets", tables, "payoffs", meta=meta)
