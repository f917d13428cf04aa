"""``wolves serve``: serve an experiment with a local oTree server until interrupted."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from many_wolves import families, interrupts
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.contracts import ExperimentFamily
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest


@wolves_command("serve", as_json=True)
@click.argument("experiment")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port of the server; 0 means any free port.",
)
@click.option("--database", default="", help="postgresql://... (default: an SQLite file in --out).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("otree-server"),
    show_default=True,
    help="Folder of the database and the log.",
)
def command(*, experiment: str, port: int, database: str, out: Path) -> None:
    """Serve EXPERIMENT (a name, or the folder of any oTree project) with oTree on this machine.
    People join in a browser; models join with `wolves collect --engine otree --server URL`.
    Both commands need the same key OTREE_REST_KEY in the environment. Ctrl-C stops the
    server and its child processes; the database stays.
    """
    from many_wolves.worlds.otree.server import OTreeServer

    if not os.environ.get("OTREE_REST_KEY"):
        raise WolvesError(
            "the server needs a key for `wolves collect`",
            fix="export OTREE_REST_KEY=WORDS, the same for both commands",
        )
    stop = threading.Event()

    def halt(number: int, frame: FrameType | None) -> None:
        if not stop.is_set():
            interrupts.write("Stopping the server.")
        stop.set()

    project = _project(experiment, out)
    with OTreeServer(project, out, database=database, port=port) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, halt)
        place = server.address.url

        def words() -> None:
            click.echo(f"{place} serves {experiment}; log in {server.log}")
            click.echo("Ctrl-C stops it.")

        show({"experiment": experiment, "url": place, "log": server.log}, words)
        while server.running and not stop.wait(0.5):
            pass
        if not stop.is_set():
            raise WolvesError("the server has stopped", where=server.log)


def _project(experiment: str, out: Path) -> Path:
    """The project folder: the given one, or one written for an experiment by its name."""
    if Path(experiment).is_dir():
        return Path(experiment)
    known = {
        name: family
        for family in families.loadable()
        if isinstance(family, ExperimentFamily)
        for name in family.experiments
    }
    if experiment not in known:
        raise WolvesError(
            f"expected an experiment or a folder, found {experiment!r}",
            fix=nearest(experiment, known),
        )
    return known[experiment].write_experiment(experiment, out / "experiment")
