"""Fit people and every speaker of every choice table that lies in a folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("fit-all")
@click.option("--tables", default="rsa-output", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--out", default="rsa-output/fits", show_default=True, type=click.Path(path_type=Path)
)
def command(tables: Path, out: Path) -> int:
    """Fit the second-order speaker to all tables under a folder."""
    from many_wolves.commands.fit import FitOptions, run_fit
    from many_wolves.commands.tables import load_table
    from many_wolves.families.politeness.human import human_table

    jobs = [(human_table(), out / "people")]
    for folder in sorted(tables.glob("*/choices")):
        table = load_table(folder)
        jobs += [(table.of(name), out / slug(name)) for name in table.speakers]
    statuses = []
    for number, (table, folder) in enumerate(jobs, start=1):
        click.echo(f"[{number}/{len(jobs)}] {table.speakers[0]} -> {folder}", err=True)
        statuses.append(run_fit(table, folder, FitOptions()))
    return max(statuses)


def slug(name: str) -> str:
    """A speaker's name as a folder name."""
    return "".join(c if c.isalnum() or c in ".+@-_" else "-" for c in name)
