"""``python tests/help_texts.py`` writes what every command's ``--help`` prints, one file each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from many_wolves.cli import wolves

FOLDER = Path(__file__).parent / "help"
WIDTH = 80


def commands(
    group: click.Command = wolves, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, groups included; ``()`` is ``wolves`` itself."""
    yield path
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from commands(command, (*path, name))


def help_text(words: tuple[str, ...]) -> str:
    """What ``wolves WORDS --help`` prints at a width of 80 columns."""
    result = CliRunner().invoke(
        wolves, [*words, "--help"], prog_name="wolves", terminal_width=WIDTH, env={"NO_COLOR": "1"}
    )
    assert result.exit_code == 0, result.output
    return result.output.replace(f"{Path.home()}{os.sep}", "~/")


def file_of(words: tuple[str, ...]) -> Path:
    """The file that holds the help of a command."""
    return FOLDER / f"{'-'.join(('wolves', *words))}.txt"


def write_all() -> None:
    """Write every file and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    written = {file_of(words): help_text(words) for words in commands()}
    for path in set(FOLDER.glob("*.txt")) - written.keys():
        path.unlink()
    for path, text in written.items():
        path.write_text(text)


if __name__ == "__main__":
    write_all()
