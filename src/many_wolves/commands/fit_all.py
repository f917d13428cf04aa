"""Fit people and every speaker of every choice table that lies in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from many_wolves.files import file_name


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
        for name in table.speakers:
            place = out / file_name(name)
            if place in {taken for _, taken in jobs}:
                place = out / file_name(f"{folder.parent.name} {name}")
            jobs.append((table.of(name), place))
    statuses = []
    for number, (table, folder) in enumerate(jobs, start=1):
        click.echo(f"[{number}/{len(jobs)}] {table.speakers[0]} -> {folder}", err=True)
        statuses.append(run_fit(table, folder, FitOptions()))
    return max(statuses)
