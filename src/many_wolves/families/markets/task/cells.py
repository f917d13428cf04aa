"""What identifies a session and a question in every table: seats, rules, draws as a cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from many_wolves.families.markets.rules.draws import Draws
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.task.experiment import draws_for
from many_wolves.files import canonical_json
from many_wolves.records import Cell


@dataclass(frozen=True)
class Played:
    """What defines a session: rules, seed, and whose draws.

    Parameters
    ----------
    rules
        The rules.
    seed
        Of the draws, of the order of simultaneous actions, and of the paid round.
    lab_session
        Which of the lab's draws; 0 for draws by seed.
    """

    rules: Rules
    seed: int
    lab_session: int = 0

    @property
    def draws(self) -> Draws:
        """Values, signals, and the paid round."""
        return draws_for(self.rules, self.seed, self.lab_session)

    def cell(self) -> dict[str, str | int | float]:
        """The session as factors: enough to play it again."""
        return {
            "mechanism": self.rules.mechanism,
            "final_tax": self.rules.final_tax,
            "lab_session": self.lab_session,
            "session_seed": self.seed,
            "rules": changed_rules(self.rules),
        }

    @classmethod
    def of(cls, cell: Cell) -> Played:
        """The session that a cell names.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the cell is of no session of this version.
        """
        rules = rules_of(str(cell["mechanism"]), str(cell["rules"]))
        return cls(rules, int(cell["session_seed"]), int(cell["lab_session"]))


def seat_name(rules: Rules, number: int) -> str:
    """What a seat is called where speakers are seated: ``owner-1``, ``speculator-7``."""
    return f"{rules.role(number)}-{number}"


def seat_number(name: str) -> int:
    """The number of a seat from its name."""
    return int(name.rpartition("-")[2])


def changed_rules(rules: Rules) -> str:
    """What differs from the lab's rules of the mechanism, as JSON."""
    lab = Rules.lab(rules.mechanism).to_json()
    return canonical_json({k: v for k, v in rules.to_json().items() if v != lab[k]})


@lru_cache(maxsize=256)
def rules_of(mechanism: str, changes: str) -> Rules:
    """The rules that ``changed_rules`` describes."""
    named: Mapping[str, Any] = json.loads(changes)
    lab = Rules.lab(mechanism).to_json()
    return Rules.from_json({**lab, **named})
