"""Checks of whether a speaker did the task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about a speaker's answers, with the numbers behind it.

    ``ok`` False means that the speaker did not do the task in this respect. A check whose
    ``statistic`` is NaN was not made, and its statement gives the reason. A ``note`` describes
    the speaker; it cannot fail.
    """

    name: str
    speaker: str
    ok: bool
    statement: str
    statistic: float
    p_value: float
    note: bool = False

    @property
    def made(self) -> bool:
        """Whether the answers allowed the check."""
        return not math.isnan(self.statistic)

    @property
    def verdict(self) -> str:
        """``ok``, ``FAILED``, ``not checked`` or ``note``."""
        if not self.ok:
            return "FAILED"
        if self.note:
            return "note"
        return "ok" if self.made else "not checked"

    def to_json(self) -> dict[str, Any]:
        """The check as a JSON object; ``note`` only if it is one."""
        found = asdict(self)
        return found if self.note else {k: v for k, v in found.items() if k != "note"}


def summary(checks: Sequence[Check]) -> str:
    """A short summary of one speaker's checks."""
    failed = [check.name for check in checks if not check.ok]
    if failed:
        return f"failed: {', '.join(failed)}"
    unknown = [check.name for check in checks if check.verdict == "not checked"]
    if unknown:
        return f"not checked: {', '.join(unknown)}"
    return "ok" if checks else "none"
