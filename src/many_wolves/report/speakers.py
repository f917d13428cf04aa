"""The table of speakers: model, checkpoint, training step and effort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from many_wolves.figures import Fitted, Section, Table
from many_wolves.speakers.checkpoints import position

_ALWAYS = ("speaker", "model", "mode")


def speakers_section(fits: Sequence[Fitted]) -> Iterator[Section]:
    """A table of the speakers that were asked; None if there is none, as for people.

    The effective effort is the one that the requests contained, if that is known.
    Columns that would be empty for all speakers are left out.
    """
    rows = [row for fit in fits if (row := _row(fit)) is not None]
    if not rows:
        return
    frame = pd.DataFrame(rows).fillna("").astype(str)
    shown = [name for name in frame if name in _ALWAYS or (frame[name] != "").any()]
    table = Table(
        frame[shown],
        "Settings of every speaker. Training step and tokens are read from the name of the "
        "checkpoint.",
    )
    yield Section("speakers", "Speakers", (), (table,))


def _row(fit: Fitted) -> dict[str, Any] | None:
    source: Mapping[str, Any] = fit.info.get("source", {})
    spec = dict(source.get("speakers", {})).get(fit.speaker)
    if not spec:
        return None
    at = position(str(spec["revision"]))
    efforts = dict(source.get("efforts", {})).get(fit.speaker, {})
    asked = spec["effort"] or (
        f"{spec['thinking_tokens']} tokens" if spec["thinking_tokens"] is not None else ""
    )
    return {
        "speaker": fit.label,
        "model": f"{spec['provider']}/{spec['model']}",
        "checkpoint": spec["revision"],
        "step": "" if at.step is None else f"{at.step:,}",
        "tokens": "" if at.tokens is None else f"{at.tokens:,}",
        "effort asked": asked,
        "effective effort": ", ".join(efforts),
        "mode": spec["mode"],
    }
