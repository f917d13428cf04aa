"""``wolves choices``: read journals and Inspect logs into tables, and check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves import families
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.records.check import summary

if TYPE_CHECKING:
    from many_wolves.contracts import Observations

KINDS = ("hf", "api", "all")
STATUSES = ("answered", "unparsed", "refused", "empty", "failed")


@wolves_command("choices", as_json=True)
@click.argument("journals", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--task",
    "family",
    metavar="NAME",
    help="Task or task family (default: that of the answers). Without JOURNALS, its journals in "
    f"llm-output/TASK are read (default: those of {families.DEFAULT}).",
)
@click.option(
    "--model_type",
    "kind",
    type=click.Choice(KINDS),
    default="all",
    show_default=True,
    help="Read only local models (hf: transformers and vLLM), or only API models.",
)
@click.option(
    "--scoring",
    type=click.Choice(["sum", "mean", "pmi"]),
    default="sum",
    show_default=True,
    help="Score mode: log-probability of an option, its mean per token, or its gain over the "
    "log-probability without the scene.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FACTOR=VALUE",
    help="Keep only this part of the design, for example scale=hearts or framing=third; can be "
    "given several times.",
)
@click.option(
    "--trials",
    type=click.Path(path_type=Path),
    help="Keep only answers to the trials in this file, which `wolves compile` wrote.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the table (default: rsa-output/TASK[-MODEL_TYPE]/choices).",
)
def command(
    *,
    journals: tuple[Path, ...],
    family: str | None,
    kind: Any,
    scoring: Any,
    only: tuple[str, ...],
    trials: Path | None,
    out: Path | None,
) -> None:
    """Read answers into a table of choices.

    JOURNALS are files or folders of `wolves collect`, or logs (.eval) of `inspect
    eval many_wolves/politeness`. Unreadable answers are counted and listed with an
    example, never guessed.
    """
    from many_wolves.tables import write_table
    from many_wolves.workflows.choices import Selection, family_named, tabulated

    # An unknown family is reported before any file is read.
    wanted = family_named(family) if family else None
    sources = journals or (Path("llm-output") / (wanted or families.DEFAULT),)
    table = tabulated(sources, Selection(wanted, kind, only, trials), scoring)
    name = table.family if kind == "all" else f"{table.family}-{kind}"
    folder = write_table(table, out or Path("rsa-output") / name / "choices")

    def words() -> None:
        click.echo(_overview(table))
        for check in table.checks:
            click.echo(f"{check.verdict:11}  {check.statement}")
        click.echo(f"table in {folder}")

    checks = [
        {
            "name": c.name,
            "speaker": c.speaker,
            "ok": c.ok,
            "verdict": c.verdict,
            "statement": c.statement,
        }
        for c in table.checks
    ]
    result = {"folder": folder, "speakers": table.speakers, "answers": table.total}
    show(result | {"status": table.meta.get("status", {}), "checks": checks}, words)


def _overview(table: Observations) -> str:
    """A short table with the number of readable answers and the checks of each speaker."""
    rows = [["speaker", *STATUSES, "checks"]]
    for speaker, found in dict(table.meta.get("status", {})).items():
        verdict = summary([check for check in table.checks if check.speaker == speaker])
        rows.append([speaker, *(str(found.get(status, 0)) for status in STATUSES), verdict])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < i <= len(STATUSES) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
