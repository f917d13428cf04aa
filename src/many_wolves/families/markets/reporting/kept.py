"""The sessions that a fit keeps, as tables with words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from many_wolves.families.markets.model.parts import Array
from many_wolves.families.markets.model.sessions import KEPT, WORDS
from many_wolves.figures.fitted import Fitted


def sessions_of(fit: Fitted) -> Mapping[str, pd.DataFrame]:
    """Tables of a fit's sessions, by name; those without a row are missing."""
    found = {}
    for name in KEPT:
        if fit.has("observed_data", name):
            values = fit.values("observed_data", name)
            columns = [str(c) for c in values[f"{name}_column"].to_numpy()]
            found[name] = decoded(values.to_numpy(), columns)
    return found


def designs_of(fit: Fitted) -> tuple[str, ...]:
    """Rules of a fit's sessions as JSON; none where its tables did not say them."""
    if not fit.has("observed_data", "sessions"):
        return ()
    return tuple(map(str, fit.values("observed_data", "sessions")["rules"].to_numpy()))


def decoded(values: Array, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of numbers with their words."""
    frame = pd.DataFrame(values, columns=list(columns))
    for name in set(columns) & set(WORDS):
        words = dict(enumerate(WORDS[name]))
        frame[name] = frame[name].map(words)
    return frame
