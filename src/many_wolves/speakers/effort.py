"""Reasoning effort: its levels, and how many tokens of thought a level allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from many_wolves.records import Effort

LEVELS: tuple[str, ...] = get_args(Effort)
BUDGETS: Mapping[str, int] = {
    "none": 0,
    "minimal": 2048,
    "low": 4096,
    "medium": 10000,
    "high": 16000,
}
"""Tokens of thought for a level, where a provider or a local model counts tokens."""
