"""Covariates of decisions on fixed scales, so that coefficients of different speakers compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.outcomes import Array

ARM_SD = 0.5
"""Prior sd of an arm's effect on the scale of log-odds or logits."""


@dataclass(frozen=True)
class Covariates:
    """Columns of a design matrix.

    Parameters
    ----------
    names
        (P,) names.
    matrix
        (N, P) values.
    sd
        (P,) prior sd of each column's coefficient.
    constant
        Columns that do not vary in these data, and so have no coefficient.
    """

    names: tuple[str, ...]
    matrix: Array
    sd: Array
    constant: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """A sentence on the columns that do not vary; none if all do."""
        if not self.constant:
            return []
        names = ", ".join(self.constant)
        return [f"Not varied in these games, and so without an effect: {names}."]

    @classmethod
    def of(cls, columns: Mapping[str, tuple[Array, float]]) -> Covariates:
        """Columns that vary; the others are named."""
        kept = {name: column for name, column in columns.items() if np.ptp(column[0]) > 0}
        n = len(next(iter(columns.values()))[0]) if columns else 0
        matrix = np.column_stack([c for c, _ in kept.values()]) if kept else np.zeros((n, 0))
        return cls(
            tuple(kept),
            matrix,
            np.array([sd for _, sd in kept.values()]),
            tuple(name for name in columns if name not in kept),
        )


def role_column(role: pd.Series) -> tuple[Array, float]:
    """1/2 for sellers, -1/2 for buyers."""
    return np.where(role == "seller", 0.5, -0.5), 1.0


def arm_columns(frame: pd.DataFrame) -> dict[str, tuple[Array, float]]:
    """Two columns for each arm: ``after ARM``, 1 once advice was given, and ``more ARM``.

    ``more`` counts the rounds of improvement beyond the first. The first game of a chain has
    neither, whatever its arm.
    """
    later = frame["game"].to_numpy(dtype=float) - 1
    columns: dict[str, tuple[Array, float]] = {}
    for arm in _arms(frame):
        here = (frame["arm"] == arm).to_numpy() & (later > 0)
        columns[f"after {arm}"] = (here.astype(float), ARM_SD)
        columns[f"more {arm}"] = (np.where(here, later - 1, 0.0), ARM_SD / 2)
    return columns


def arm_contrasts(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Contrasts of arms with constant advice: name -> the two columns that are compared.

    Without constant advice, the baseline is memory alone. The result is empty without either.
    """
    arms = [name.removeprefix("after ") for name in names if name.startswith("after ")]
    base = next((arm for arm in ("constant", "none") if arm in arms), None)
    if base is None:
        return {}
    return {f"{arm} - {base}": (f"after {arm}", f"after {base}") for arm in arms if arm != base}


def _arms(frame: pd.DataFrame) -> list[str]:
    later = frame["game"].to_numpy(dtype=float) > 1
    return [str(arm) for arm in dict.fromkeys(frame["arm"][later]) if arm]
