"""Tables of statements for papers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.contracts import FindingsSpec
from many_wolves.findings.statement import Statement, percent


def titles(quantities: FindingsSpec) -> dict[str, str]:
    """Kind of finding -> its heading, in the order of a page."""
    name, who = quantities.signature_name, quantities.reference or "the reference"
    return {
        "contrasts": "Effects of post-training, size and other labels",
        "effort": "Effects of reasoning effort",
        quantities.conditions: f"Effects of a {quantities.condition} prompt",
        **({name: name[:1].upper() + name[1:]} if name else {}),
        "dynamics": "Training dynamics",
        "scaling": "Scaling laws",
        "distance": f"Distance of the answers from those of {who}",
    }


def matrix(statements: Sequence[Statement]) -> pd.DataFrame:
    """One row per subject, condition and contrast; one column per quantity.

    Cells read ``estimate [low, high]``, with one star for moderate and two for strong
    evidence on the direction; probabilities are in per cent.
    """
    keys = ["subject", "condition", "contrast"]
    rows = [
        {k: getattr(s, k) for k in keys} | {"quantity": s.quantity, "cell": cell(s)}
        for s in statements
    ]
    if not rows:
        return pd.DataFrame(columns=keys)
    frame = pd.DataFrame(rows)
    wide = frame.pivot_table(
        index=keys, columns="quantity", values="cell", aggfunc="first", sort=False, dropna=False
    )
    wide = wide.dropna(how="all").reindex(columns=list(dict.fromkeys(frame["quantity"])))
    found = wide.fillna("").reset_index()
    found.columns.name = None
    return found.loc[:, [c for c in found if (found[c] != "").any()]]


def cell(statement: Statement) -> str:
    """A statement's number as printed in a table."""
    if statement.kind == "probability":
        return percent(statement.estimate)
    low, high = statement.interval
    if statement.kind == "size":
        return f"{statement.estimate:.2f} [{low:.2f}, {high:.2f}]"
    stars = {"strong": "**", "moderate": "*"}.get(statement.evidence, "")
    return f"{statement.estimate:+.2f} [{low:+.2f}, {high:+.2f}]{stars}"
