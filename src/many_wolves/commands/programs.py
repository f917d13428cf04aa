"""``wolves programs``: compile the Stan programs of the models before the first fit."""

from __future__ import annotations

import click

from many_wolves.commands.command import Group, show


@click.group(cls=Group)
def command() -> None:
    """Compile the models' programs before the first fit."""


@command.command("list", as_json=True)
def list_command() -> None:
    """List the programs, and whether each is compiled.

    Also prints their models and the cache folder.
    """
    from many_wolves.workflows.programs import programs

    found = programs()
    rows = [
        {
            "program": one.name,
            "state": one.state,
            "models": list(one.models),
            "library": one.library,
        }
        for one in found
    ]

    def words() -> None:
        for one in found:
            click.echo(f"{one.name}: {one.state}; {', '.join(one.models)}")
        click.echo(f"cached in {found[0].library.parent}" if found else "no family has a program")

    show({"programs": rows}, words)


@command.command("build", as_json=True)
@click.argument("names", nargs=-1)
@click.option(
    "--engine",
    type=click.Choice(["auto", "httpstan", "cmdstan"]),
    default="auto",
    show_default=True,
    help="As in `wolves fit`.",
)
def build_command(names: tuple[str, ...], engine: str) -> None:
    """Compile programs, so that the first fit does not have to.
    NAMES are programs or models (default: all programs). A program takes one to four
    minutes and 2 GB of memory; compiled ones are not compiled again. They are cached in
    MANY_WOLVES_CACHE, or ~/.cache/many-wolves, for every environment on a machine.
    They run only on the type of processor that compiled them.
    """
    from many_wolves.workflows.programs import build

    built = build(names, engine)  # type: ignore[arg-type]
    rows = [{"program": one.name, "library": one.library} for one in built]

    def words() -> None:
        for one in built:
            click.echo(f"{one.name}: {one.state}")

    show({"programs": rows}, words)
