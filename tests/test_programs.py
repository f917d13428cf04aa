"""`wolves programs`: which Stan programs are compiled, and compiling them ahead."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import pytest

from many_wolves import inference
from many_wolves.cli import run, wolves
from many_wolves.inference.engines import embedded_build
from many_wolves.workflows.programs import build, programs

ROOT = Path(__file__).parent.parent


def test_every_program_of_a_model_is_listed_with_its_state(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    assert run(wolves, ["programs", "list", "--json"]) == 0
    rows = {row["program"]: row for row in json.loads(capsys.readouterr().out)["programs"]}
    assert {"politeness", "hierarchy", "decisions", "social", "strategies"} <= set(rows)
    assert {row["state"] for row in rows.values()} == {"not compiled"}
    assert rows["politeness"]["models"] == ["polite-speaker"]
    assert rows["decisions"]["models"] == ["memory-one", "principal-agent"]
    library = Path(rows["politeness"]["library"])
    library.parent.mkdir(parents=True)
    library.write_bytes(b"half of it")
    assert {p.name: p.state for p in programs()}["politeness"] == "damaged"


@pytest.mark.parametrize("kind", ["empty", "folder", "gone", "json", "json folder", "deep"])
def test_a_damaged_program_is_replaced(kind, tmp_path) -> None:
    target, facts = tmp_path / "x.so", tmp_path / "x.json"
    built = tmp_path / "built"
    built.write_bytes(b"whole")
    embedded_build._keep(built, target)
    assert embedded_build.is_whole(target)
    if kind == "empty":
        target.write_bytes(b"")
    elif kind == "json":
        facts.write_text("[]")
    elif kind == "deep":
        facts.write_text("[" * 100_000)
    elif kind == "gone":
        facts.unlink()
    else:
        place = target if kind == "folder" else facts
        place.unlink()
        (place / "inside").mkdir(parents=True)
    assert not embedded_build.is_whole(target)
    built.write_bytes(b"whole")
    embedded_build._keep(built, target)
    assert embedded_build.is_whole(target)


@pytest.mark.parametrize("kind", ["empty", "folder"])
def test_a_damaged_header_is_written_again(kind, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    header = embedded_build._headers()
    written = header.read_text()
    header.unlink()
    if kind == "empty":
        header.touch()
    else:
        header.mkdir()
    assert embedded_build._headers().read_text() == written != ""


def test_only_those_named_are_compiled(monkeypatch, capsys) -> None:
    asked: list[str] = []
    monkeypatch.setattr(inference, "load", lambda path, engine, say: asked.append(path.stem))
    monkeypatch.setattr(embedded_build, "headers_compiled", lambda say: nullcontext())
    build(["politeness"])
    assert asked == ["politeness"]
    asked.clear()
    build()
    assert sorted(asked) == sorted(p.name for p in programs())
    assert run(wolves, ["programs", "build", "politenes"]) == 2
    assert "did you mean 'politeness'" in capsys.readouterr().err


@pytest.mark.stan
def test_a_program_that_is_compiled_is_left_alone(capsys) -> None:
    assert run(wolves, ["programs", "build", "politeness"]) == 0
    capsys.readouterr()
    (one,) = [p for p in programs() if p.name == "politeness"]
    before = one.library.stat().st_mtime_ns
    assert run(wolves, ["programs", "build", "politeness"]) == 0
    assert capsys.readouterr().out == "politeness: compiled\n"
    assert one.library.stat().st_mtime_ns == before


def test_stan_programs_are_in_canonical_format(tmp_path):
    stanc = Path(find_spec("httpstan").origin).parent / "stanc"
    folder = shutil.copytree(ROOT / "rsa-model" / "stan_model", tmp_path / "stan")
    for path in folder.glob("*.stan"):
        done = subprocess.run(
            [
                *(stanc, "--allow-undefined", "--auto-format", "--max-line-length=80"),
                *(f"--include-paths={folder}", path),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        formatted = done.stdout.replace("  #include", "#include")
        assert formatted == path.read_text(), f"run stanc --auto-format on {path.name}"
