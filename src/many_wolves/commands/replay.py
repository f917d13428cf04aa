"""``wolves replay``: show a session as one page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from many_wolves import interrupts
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.errors import WolvesError
from many_wolves.replacement import refuse_other_page


@wolves_command("replay", as_json=True)
@click.argument("session")
@click.argument("journals", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--trials",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trials of the session, for its original wording.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The page (default: SESSION.html).")
@click.option(
    "--watch", is_flag=True, help="Serve the page on this machine and follow the running session."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any free port",
    help="Port of --watch.",
)
def command(
    *,
    session: str,
    journals: tuple[Path, ...],
    trials: Path | None,
    out: Path | None,
    watch: bool,
    port: int,
) -> None:
    """Show a session as one page: phases, seats, markets, messages and payoffs.

    SESSION is the name of the session in the tables of `wolves choices`, or the beginning of it.
    JOURNALS are
    files or folders of `wolves collect` (default: llm-output). The page is self-contained. With
    --watch, no file is written, and Ctrl-C stops the server.
    """
    from many_wolves.files import write_atomic
    from many_wolves.report.replay import replay_page
    from many_wolves.workflows.replays import read_replay
    from many_wolves.workflows.watch import HERE, watching

    if not session.strip():
        raise WolvesError(
            "expected the name of a session, found an empty text",
            fix="give a name from the column `session` of a table of `wolves choices`",
        )
    sources = journals or (Path("llm-output"),)
    shown = read_replay(session, sources, trials)
    if not watch:
        place = out or Path(f"{shown.session}.html")
        refuse_other_page(place)
        write_atomic(place, replay_page(shown))
        show({"session": shown.session, "page": place}, lambda: click.echo(place))
        return

    def page() -> str:
        return replay_page(read_replay(shown.session, sources, trials), watched=True)

    with (
        watching(port, sources, page) as server,
        interrupts.words("Stopped: the page is no longer served."),
        suppress(KeyboardInterrupt),
    ):
        address = f"http://{HERE}:{server.server_port}/"

        def words() -> None:
            click.echo(f"{address} follows the session.")
            click.echo("Ctrl-C stops it.")

        show({"session": shown.session, "url": address}, words)
        server.serve_forever()
