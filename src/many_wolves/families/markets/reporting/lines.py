"""Reference lines for sessions: truthful players, zero intelligence, the logit equilibrium."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from many_wolves.families.markets.model.sessions import kept_sessions
from many_wolves.families.markets.reporting.kept import decoded
from many_wolves.families.markets.rules.parameters import CONDITIONS, Rules
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.simulation.tables import played_tables
from many_wolves.families.markets.simulation.theory import LogitEquilibrium, logit_equilibrium

SCRIPTED: Mapping[str, str] = {"truthful": "truthful", "zero intelligence": "zero_intelligence"}
"""Name of a line, and the strategy behind it."""
EQUILIBRIUM = "logit equilibrium"
SESSIONS = 6
"""Sessions of each design that scripted players play: a second or two."""
MOST_DESIGNS = 4
"""Of more designs, the first ones are played."""


@lru_cache(maxsize=16)
def scripted(name: str, designs: tuple[str, ...]) -> Mapping[str, pd.DataFrame]:
    """Tables of scripted sessions with the same rules.

    Parameters
    ----------
    name
        A name in ``SCRIPTED``.
    designs
        Rules of the sessions as JSON.
    """
    rules = [Rules.from_json(json.loads(text)) for text in designs[:MOST_DESIGNS]]
    paid = [replace(one, practice=False) for one in rules]
    played = played_tables(paid, player(SCRIPTED[name]), name, range(1, SESSIONS + 1))
    coords, observed = kept_sessions(played)
    return {
        table: decoded(values, list(coords[f"{table}_column"]))
        for table, (dims, values) in observed.items()
        if table != "sessions"
    }


@lru_cache(maxsize=64)
def equilibrium(design: str, role: str, condition: int, precision: float) -> LogitEquilibrium:
    """The logit equilibrium of a design, given as JSON."""
    return logit_equilibrium(Rules.from_json(json.loads(design)), role, condition, precision)


def expected_declarations(designs: tuple[str, ...], precision: float) -> pd.DataFrame:
    """Mean declaration by value in equilibrium: role, condition, tax, value, declared."""
    parts = []
    for design, rules in _taxed(designs):
        for role in ("owner", "developer"):
            for condition in CONDITIONS:
                found = equilibrium(design, role, condition, precision)
                parts.append(
                    pd.DataFrame(
                        {
                            "role": role,
                            "condition": condition,
                            "tax": rules.final_tax,
                            "value": found.values,
                            "declared": found.choice @ found.declared,
                        }
                    )
                )
    return pd.concat(parts) if parts else pd.DataFrame()


def expected_turnover(designs: tuple[str, ...], precision: float) -> pd.DataFrame:
    """Purchase probability by percentile in equilibrium, averaged over conditions and designs."""
    at = np.linspace(0, 1, 21)
    parts = []
    for role in ("owner", "developer"):
        curves = [
            equilibrium(design, role, c, precision).rate(rules, role, c)(at)
            for design, rules in _taxed(designs)
            for c in CONDITIONS
        ]
        if curves:
            bought = np.mean(curves, axis=0)
            parts.append(pd.DataFrame({"role": role, "percentile": at, "bought": bought}))
    return pd.concat(parts) if parts else pd.DataFrame()


def _taxed(designs: tuple[str, ...]) -> list[tuple[str, Rules]]:
    """Designs in which final declarations are taxed and lots are bought."""
    read = [(design, Rules.from_json(json.loads(design))) for design in designs[:MOST_DESIGNS]]
    return [(text, rules) for text, rules in read if rules.final_tax > 0 and rules.speculators]
