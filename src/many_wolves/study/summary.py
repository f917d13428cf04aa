"""The weights of a study's fits, as one Markdown table."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

WEIGHTS = ("w_inf", "w_soc", "w_pres", "phi")
"""Columns of the table, as the fit's summary names them."""


def table(fits: Sequence[tuple[str, Path]]) -> str:
    """Posterior mean and 95 % interval of every weight, one row a speaker and condition.

    Parameters
    ----------
    fits
        Name and fit folder of each speaker, in the order of the rows.

    Returns
    -------
    str
        A Markdown table; a fit that failed its diagnostics is marked, and a
        weight that a fit does not have is a dash.
    """
    rows = [["speaker", "goal", *WEIGHTS, "converged"]]
    for name, folder in fits:
        cells = _cells(folder)
        diagnostics = json.loads((folder / "diagnostics.json").read_text(encoding="utf-8"))
        verdict = "yes" if diagnostics["ok"] else "no"
        for condition in dict.fromkeys(c for p, c in cells if p in WEIGHTS and c):
            shown = [cells.get((weight, condition), "-") for weight in WEIGHTS]
            rows.append([name, condition, *shown, verdict])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths], widths), *lines[1:]])


def _cells(folder: Path) -> dict[tuple[str, str], str]:
    """``mean [low, high]`` by parameter and condition."""
    with (folder / "summary.csv").open(newline="", encoding="utf-8") as handle:
        return {
            (row["parameter"], row["condition"]): (
                f"{float(row['mean']):.2f} "
                f"[{float(row['hdi_low']):.2f}, {float(row['hdi_high']):.2f}]"
            )
            for row in csv.DictReader(handle)
        }


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
    )
