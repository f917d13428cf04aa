"""What is no regular file is written into, never replaced; a link stays a link."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.replacement import refuse_other_page


def test_trials_go_into_a_pipe_that_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert run(wolves, ["compile", "--limit", "2", "--out", str(pipe)]) == 0
    reader.join(30)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert read[0].count(b"\n") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "a.json", tmp_path / "link.json"
    real.parent.mkdir()
    real.write_text("old")
    link.symlink_to(real)
    assert write_atomic(link, "new") == link
    assert link.is_symlink() and real.read_text() == "new"


def test_no_journal_and_no_page_is_a_device_or_a_socket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(wolves, ["choices", "/dev/zero"]) == 2
    assert "found a device" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("page.html")
        with pytest.raises(WolvesError, match="found a socket"):
            refuse_other_page("page.html")
    assert stat.S_ISSOCK((tmp_path / "page.html").stat().st_mode)


@pytest.mark.parametrize(
    "words",
    [
        ["fit", "/dev/zero"],
        ["study", "plan", "/dev/zero"],
        ["predict", "/dev/zero"],
    ],
)
def test_an_input_is_no_device(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It could have no end."""
    assert run(wolves, words) == 2
    assert "found a device" in capsys.readouterr().err


def test_an_error_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    for path, kind in ((tmp_path, IsADirectoryError), (tmp_path / ("x" * 250), OSError)):
        with pytest.raises(kind) as caught:
            write_atomic(path, "text")
        assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []

    def pieces() -> Iterator[bytes]:
        yield b"text"
        raise FileNotFoundError(2, "No such file", "another")

    with pytest.raises(FileNotFoundError) as lost:
        write_atomic(tmp_path / "new", pieces())
    assert lost.value.filename == "another"


def test_names_of_files_in_another_encoding_are_names(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    shutil.copy(
        Path(__file__).parent / "golden/schema1/politeness/hf-sample.jsonl", tmp_path / name
    )
    assert run(wolves, ["choices", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 0
    assert "caf\ufffd.jsonl" in (tmp_path / "out/meta.json").read_text()
