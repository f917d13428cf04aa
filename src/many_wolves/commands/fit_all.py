"""``wolves fit-all``: fit people and every speaker of every table, several at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.fit import fit_options, request_of, status_of
from many_wolves.commands.options import TASK, WORKERS
from many_wolves.workflows.data import reference
from many_wolves.workflows.fit_all import chosen, fit_many, people_of, tables_in
from many_wolves.workflows.labels import read_labels, with_labels


@wolves_command("fit-all", as_json=True)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[TABLES]...")
@click.option(
    "--tables",
    type=click.Path(path_type=Path),
    help="Folder with tables, TABLES/*/choices (default without TABLES: rsa-output).",
)
@click.option(
    "--data",
    "data",
    multiple=True,
    metavar="NAME",
    help="Speakers of shipped data, such as zhao2025; can be given several times.",
)
@click.option(
    "--speaker",
    "speakers",
    multiple=True,
    metavar="NAME",
    help="Only this speaker; can be given several times.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CSV file with the column speaker and labels for comparisons: family, training, ...",
)
@TASK
@click.option(
    "--human/--no-human",
    default=None,
    help="Fit the people of the tables' task family, too (default if tables are found).",
)
@fit_options
@WORKERS
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, such as tcp://host:8786.")
@click.option(
    "--out",
    default="rsa-output/fits",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the fits, one folder per speaker.",
)
@click.option("--allow-unconverged", is_flag=True, help="Exit with status 0 whatever the verdicts.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
def command(
    files: tuple[Path, ...],
    tables: Path | None,
    data: tuple[str, ...],
    speakers: tuple[str, ...],
    labels: Path | None,
    task: str | None,
    human: bool | None,
    out: Path,
    workers: int | None,
    cluster: str | None,
    allow_unconverged: bool,
    **options: Any,
) -> int:
    """Fit the speakers of all TABLES: CSV files, folders of `wolves choices`, or folders that
    contain these.

    With --data, speakers of shipped data are fitted; `wolves data list` prints the names.
    Several fits run at once, each on one core. Finished fits of the same answers and
    options are kept, so the command can be interrupted and resumed.

    \b
    Exit status: 0 every verdict is good, 1 some fits did not converge, 2 some cannot be
    fitted. Status 4 means that some speakers did not do the
    task, or the model does not describe them.
    """
    from many_wolves.errors import WolvesError
    from many_wolves.figures import read_all
    from many_wolves.inference.threads import cores
    from many_wolves.report.verdict import judge

    places = [*files, *([tables] if tables else [])]
    if not places and not data:
        places = [Path("rsa-output")]
    found = [reference(name) for name in data]
    try:
        found += [table for place in places for table in tables_in(place, task)]
    except WolvesError:
        if not human:
            raise
    if labels is not None:
        found = with_labels(found, read_labels(labels), labels)
    if speakers:
        found = chosen(found, speakers)
    people = people_of(found) if human is not False else []
    people = [one for one in people if one.meta["reference"] not in data]
    done = fit_many(
        [*people, *found], out, request_of(options), workers=workers or cores(), cluster=cluster
    )

    verdicts = {fit.label: judge(fit) for fit in read_all(done.folders)}

    def words() -> None:
        for sentence in (*done.refused, *done.failed):
            click.echo(sentence)
        for label, verdict in verdicts.items():
            click.echo(f"{label}: {verdict.headline}")
        sound = sum(verdict.grade == "good" for verdict in verdicts.values())
        click.echo(f"The verdict is good for {sound} of {len(verdicts)} fits in {out}")

    show(
        {
            "folders": done.folders,
            "not_converged": done.failed,
            "refused": done.refused,
            "verdicts": {name: [v.grade, v.headline] for name, v in verdicts.items()},
        },
        words,
    )
    return 2 if done.refused else status_of(list(verdicts.values()), allowed=allow_unconverged)
