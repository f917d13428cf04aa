"""What is no regular file is written into, never replaced; a link stays a link."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from pathlib import Path

from many_wolves.cli import run, wolves
from many_wolves.files import write_atomic


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


def test_names_of_files_in_another_encoding_are_names(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    shutil.copy(
        Path(__file__).parent / "golden/schema1/politeness/hf-sample.jsonl", tmp_path / name
    )
    assert run(wolves, ["choices", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 0
    assert "caf\ufffd.jsonl" in (tmp_path / "out/meta.json").read_text()
