"""Reasoning effort: its levels, and the reasoning tokens that each allows."""

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
"""Reasoning tokens per level, for providers and local models with a token budget."""
