"""How far a moderator model and the rules read the same games alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from many_wolves.families.bargaining.moves import same
from many_wolves.records import Check


def moderator_notes(speaker: str, readings: pd.DataFrame) -> list[Check]:
    """Agreement of each moderator with the rules, by answer form.

    Parameters
    ----------
    speaker
        Whose games.
    readings
        The table ``readings``.
    """
    own = readings[readings["speaker"] == speaker]
    return [
        _note(speaker, str(moderator), str(form), part)
        for (moderator, form), part in own.groupby(["moderator", "form"], sort=True)
    ]


def kappa(one: Sequence[str], two: Sequence[str]) -> float:
    """Agreement of two readers beyond chance; NaN if both give one and the same state.

    Cohen (1960), Educational and Psychological Measurement 20: (observed - expected) /
    (1 - expected).
    """
    a, b = pd.Series(one, dtype=object), pd.Series(two, dtype=object)
    shares = a.value_counts(normalize=True).mul(b.value_counts(normalize=True), fill_value=0.0)
    expected = float(shares.sum())
    if not len(a) or math.isclose(expected, 1.0):
        return math.nan
    return (float((a == b).mean()) - expected) / (1 - expected)


def _note(speaker: str, moderator: str, form: str, part: pd.DataFrame) -> Check:
    read = part[part["moderator_state"] != ""]
    rules, model = list(read["rules_state"]), list(read["moderator_state"])
    alike = sum(a == b for a, b in zip(rules, model, strict=True))
    value = kappa(rules, model)
    both = read[(read["rules_state"] == "deal") & (read["moderator_state"] == "deal")]
    pairs = zip(both["rules_price"], both["moderator_price"], strict=True)
    prices = sum(_price(a) is not None and same(_price(a), _price(b)) for a, b in pairs)
    beyond = "undefined: only one state" if math.isnan(value) else f"{value:.2f}"
    unread = len(part) - len(read)
    return Check(
        "moderator",
        speaker,
        True,
        f"{speaker}, form {form}: the rules read {alike} of {len(read)} states as {moderator} does "
        f"(kappa {beyond}), and {prices} of {len(both)} prices of deals that both see"
        + (f"; answers of the moderator that could not be read: {unread}" if unread else ""),
        value,
        math.nan,
        note=True,
    )


def _price(value: object) -> float | None:
    return None if value in ("", None) else float(str(value))
