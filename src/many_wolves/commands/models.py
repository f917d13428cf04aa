"""``wolves models``: make model folders from small models in index packages."""

from __future__ import annotations

from pathlib import Path

import click

from many_wolves.commands.command import Group
from many_wolves.speakers.local.packaged_models import PACKAGED, is_prepared, prepare


@click.group(cls=Group)
def command() -> None:
    """Prepare local model folders without a download from the hub."""


@command.command("prepare")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write (default: models/NAME).",
)
def prepare_command(name: str, out: Path | None) -> None:
    """Make a Hugging Face folder of the packaged model NAME and print its path."""
    folder = prepare(name, out or Path("models") / name, lambda text: click.echo(text, err=True))
    click.echo(folder)


@command.command("list")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("models"),
    show_default=True,
    help="Folder of prepared models.",
)
def list_command(folder: Path) -> None:
    """List the models that can be prepared, and their state."""
    for name, packaged in PACKAGED.items():
        state = f"prepared in {folder / name}" if is_prepared(folder / name) else "not prepared"
        click.echo(f"{name}: {packaged.about}; {packaged.license}; {state}")
