"""`wolves study new`: the file that it writes is a study, whatever it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

import many_wolves as mw
from many_wolves import families
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.study import NewStudy, cast, new_study, read_study
from study_files import checkpoint


def test_it_asks_a_small_model_of_the_package_index(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(wolves, ["study", "new", "mine"]) == 0
    assert capsys.readouterr().out.strip() == "studies/mine.yaml"
    study = read_study("studies/mine.yaml")
    assert [s.prepare for s in study.speakers] == ["smollm2"]
    assert (tmp_path / "studies/mine.yaml").read_text().count("# ") > 10


def test_checkpoints_become_one_speaker_each(tmp_path: Path) -> None:
    for step in (100, 200):
        checkpoint(tmp_path / "my run" / f"checkpoint-{step}")
    wanted = NewStudy("mine", checkpoints=tmp_path / "my run")
    study = read_study(new_study(wanted, tmp_path / "s.yaml"))
    assert [c.name for c in cast(study)] == ["my-run@checkpoint-100", "my-run@checkpoint-200"]


@pytest.mark.parametrize(
    "more",
    [
        {"provider": "anthropic", "model": "claude-sonnet-4-5"},
        {"provider": "openai", "model": "no"},
        {"provider": "hf", "model": "org/base-1.5B"},
        {"task": "dilemma", "provider": "google", "model": "gemini-3-pro"},
        *({"task": task} for task in ("dictator", "ultimatum", "principal")),
    ],
)
def test_it_validates_for_every_task_and_provider(more: dict, tmp_path: Path) -> None:
    study = read_study(new_study(NewStudy("no", **more), tmp_path / "s.yaml"))
    assert study.study == "no"
    assert study.plan[0].task == more.get("task", families.DEFAULT)
    assert study.speakers[0].model == more.get("model", "")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (NewStudy("a b"), "letters, digits"),
        (NewStudy("x", task="dilema"), "did you mean 'dilemma'"),
        (NewStudy("x", provider="openai"), "--model NAME"),
        (NewStudy("x", checkpoints=Path("nowhere")), "no config.json"),
    ],
)
def test_what_makes_no_study_is_refused(wanted: NewStudy, words: str, tmp_path: Path) -> None:
    with pytest.raises(WolvesError, match=words):
        new_study(wanted, tmp_path / "s.yaml")
    assert not (tmp_path / "s.yaml").exists()


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("mine")
    with pytest.raises(WolvesError, match="a file with that name exists"):
        mw.Study.new("x", out=file)
    assert file.read_text() == "mine"
    assert mw.Study.new("x", out=tmp_path / "t.yaml").study.study == "x"
