"""``wolves data``: list the shipped data, and print their data cards."""

from __future__ import annotations

from dataclasses import asdict

import click

from many_wolves.commands.command import Group, show


@click.group(cls=Group)
def command() -> None:
    """Show the data of people and language models that ship with many-wolves."""


@command.command("list", as_json=True)
def list_command() -> None:
    """Print the names for --data, and the data sets for figures."""
    from many_wolves.workflows.data_sets import COLUMNS, listed

    found = listed()

    def words() -> None:
        rows = [COLUMNS, *((o.name, o.task, o.people, o.shown_answers, o.title) for o in found)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS) - 1)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            click.echo("  ".join([*cells, row[-1]]).rstrip())

    show({"data": [asdict(one) for one in found]}, words)


@command.command("show", as_json=True)
@click.argument("name")
def show_command(name: str) -> None:
    """Print the card of the data set NAME.

    A card has participants, source, licence, settings and known faults.
    """
    from many_wolves.workflows.data_sets import data_set, told

    show(data_set(name).card.model_dump(), lambda: click.echo(told(name)))
