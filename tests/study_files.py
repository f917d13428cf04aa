"""Study files, and what `wolves study` says of them, for the tests of studies."""

from __future__ import annotations

from pathlib import Path

from many_wolves.cli import run
from many_wolves.commands.study import command as study

STUDIES = Path(__file__).parents[1] / "studies"


def written(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text)
    return path


def told(capsys, *arguments: str | Path) -> str:
    """What `wolves study` prints."""
    status = run(study, [str(argument) for argument in arguments])
    out = capsys.readouterr()
    assert status == 0, out.err
    return out.out


def table(out: str) -> dict[str, list[str]]:
    """Numbers of every speaker by its name."""
    lines = [line.split() for line in out.splitlines()]
    start = next(i for i, line in enumerate(lines) if line[:2] == ["speaker", "answered"])
    end = next(i for i, line in enumerate(lines) if line[:1] == ["Tokens"])
    return {line[0]: line[1:] for line in lines[start + 1 : end]}


def checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder
