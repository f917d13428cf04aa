"""Converts the arguments of the functions for the workflows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.notebook.observations import read_choices
from many_wolves.workflows.sampling import Sampling

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = Sampling()
"""Default sampling settings."""


def observations_of(choices: Observations | str | Path | pd.DataFrame) -> Observations:
    """Observations of one speaker from any input of ``read_choices``."""
    from many_wolves.workflows.data import of_one

    if isinstance(choices, Observations):
        return of_one(choices, None)
    return read_choices(choices)


def tables_of(choices: Any, task: str | None) -> list[Observations]:
    """Observations, one per table, from any input of ``fit_all``."""
    from many_wolves.workflows.data import from_frame
    from many_wolves.workflows.fit_all import tables_in

    if isinstance(choices, Observations):
        return [choices]
    if isinstance(choices, str | Path):
        return tables_in(Path(choices), task)
    if hasattr(choices, "columns"):
        return [from_frame(choices, task)]
    return [table for one in choices for table in tables_of(one, task)]


def sampling_of(
    engine: str, chains: int, warmup: int, draws: int, adapt_delta: float, seed: int
) -> Sampling:
    """Checked sampling settings."""
    given = {
        "engine": engine,
        "chains": chains,
        "warmup": warmup,
        "draws": draws,
        "adapt_delta": adapt_delta,
        "seed": seed,
    }
    return Sampling.read(given, of="sampling")
