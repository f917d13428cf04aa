"""``wolves fit-all``: people and every speaker of every table, several at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.fit import fit_options, request_of
from many_wolves.commands.options import TASK, WORKERS
from many_wolves.workflows.fit_all import fit_many, people_of, tables_in


@wolves_command("fit-all", as_json=True)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[TABLES]...")
@click.option(
    "--tables",
    type=click.Path(path_type=Path),
    help="Folder with tables, TABLES/*/choices; rsa-output when no TABLES are given.",
)
@TASK
@click.option(
    "--human/--no-human",
    default=None,
    help="Fit the people of the tables' task family as well; the default where tables are found.",
)
@fit_options
@WORKERS
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, such as tcp://host:8786.")
@click.option(
    "--out", default="rsa-output/fits", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--allow-unconverged", is_flag=True, help="Exit with 0 even if a fit failed.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(
    files: tuple[Path, ...],
    tables: Path | None,
    task: str | None,
    human: bool | None,
    out: Path,
    workers: int | None,
    cluster: str | None,
    allow_unconverged: bool,
    **options: Any,
) -> int:
    """Fit the speakers of all TABLES: CSV files, folders of `wolves choices`, or folders of them.

    Several fits run at once, each on one core. A fit that is there already, of the
    same answers and options, is kept; interrupt it and run it again to go on.

    \b
    Exit status: 0 all converged, 1 some did not, 2 some cannot be fitted.
    """
    from many_wolves.errors import WolvesError
    from many_wolves.inference.threads import cores

    places = [*files, *([tables] if tables else [])] or [Path("rsa-output")]
    try:
        found = [table for place in places for table in tables_in(place, task)]
    except WolvesError:
        if not human:
            raise
        found = []
    people = people_of(found) if human is not False else []
    done = fit_many(
        [*people, *found], out, request_of(options), workers=workers or cores(), cluster=cluster
    )

    def words() -> None:
        for sentence in (*done.refused, *done.failed):
            click.echo(sentence)
        click.echo(f"{len(done.folders) - len(done.failed)} fits that converged in {out}")

    show({"folders": done.folders, "not_converged": done.failed, "refused": done.refused}, words)
    if done.refused:
        return 2
    return 1 if done.failed and not allow_unconverged else 0
