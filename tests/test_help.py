"""The help of every command is what it was when someone last read it."""

from __future__ import annotations

import re

import click
import pytest

from help_texts import FOLDER, commands, file_of, help_text
from many_wolves.cli import wolves

ALL = list(commands())


@pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words) or "wolves")
def test_help(words: tuple[str, ...]) -> None:
    path = file_of(words)
    assert path.is_file(), f"{path.name} is missing. Fix: make help-texts"
    assert help_text(words) == path.read_text(), "Fix: make help-texts, and read the difference"


def test_no_file_is_left_of_a_command_that_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.txt")} == {file_of(words).name for words in ALL}


def silent(command: click.Command, name: str) -> list[str]:
    """Options of a command and its subcommands that do not say what they do."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        parts = {n: command.get_command(context, n) for n in command.list_commands(context)}
        return [option for n, part in parts.items() for option in silent(part, f"{name} {n}")]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    return [f"{name} {option.opts[0]}" for option in options if not option.help]


def test_every_option_says_what_it_does() -> None:
    assert not silent(wolves, "wolves")


def test_no_summary_of_a_command_is_cut() -> None:
    rows = [row for file in FOLDER.glob("*.txt") for row in file.read_text().splitlines()]
    assert not [row for row in rows if re.match(r"  [a-z]", row) and row.endswith("...")]
