"""Files of the user that a mistyped --out once replaced, with exit status 0."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from many_wolves.cli import run, wolves

GOLDEN = Path(__file__).parent / "golden" / "schema1"
POLITE = GOLDEN / "politeness"
COLLECT = ["--provider", "simulated", "--model_name", "speaker"]
COLLECT += ["--parameters", str(POLITE / "parameters.json")]


@pytest.mark.parametrize("file", ["simulated-sample.jsonl", "parameters.json"])
def test_compile_does_not_replace_answers(file, tmp_path, capsys):
    path = shutil.copy(POLITE / file, tmp_path / "j.jsonl")
    before = Path(path).read_bytes()
    assert run(wolves, ["compile", "--limit", "2", "--out", str(path)]) == 2
    assert "does not contain trials" in capsys.readouterr().err
    assert Path(path).read_bytes() == before


def test_trials_are_compiled_over_trials(tmp_path):
    for limit in ("2", "3"):
        words = ["compile", "--limit", limit, "--out", str(tmp_path / "t.jsonl")]
        assert run(wolves, words) == 0


def test_collect_does_not_replace_its_trials(tmp_path, capsys):
    trials = Path(shutil.copy(POLITE / "trials.jsonl", tmp_path / "t.jsonl"))
    before = trials.read_bytes()
    assert run(wolves, ["collect", str(trials), *COLLECT, "--out", str(trials)]) == 2
    assert "does not contain answers" in capsys.readouterr().err
    assert trials.read_bytes() == before
    assert not (tmp_path / "t.jsonl.set-aside").exists()


def test_choices_do_not_replace_a_table_of_the_user(tmp_path, capsys):
    own = tmp_path / "literal.csv"
    own.write_text("utterance,state,yes,n\ngood,0,1,3\n")
    words = ["choices", str(POLITE / "simulated-sample.jsonl"), "--out"]
    assert run(wolves, [*words, str(tmp_path)]) == 2
    assert "does not contain a table" in capsys.readouterr().err
    assert own.read_text().startswith("utterance,state") and len(list(tmp_path.iterdir())) == 1
    for _ in range(2):
        assert run(wolves, [*words, str(tmp_path / "table")]) == 0


def test_an_export_does_not_replace_the_summary_of_a_fit(tmp_path, capsys):
    fit = shutil.copytree(GOLDEN / "fits" / "politeness", tmp_path / "fit")
    before = (fit / "summary.csv").read_bytes()
    assert run(wolves, ["export", str(fit), "--out", str(fit)]) == 2
    assert "does not contain summary of an earlier export" in capsys.readouterr().err
    assert (fit / "summary.csv").read_bytes() == before
    for _ in range(2):
        assert run(wolves, ["export", str(fit), "--out", str(tmp_path / "csv")]) == 0


def test_a_report_into_a_folder_is_refused_before_it_is_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("many_wolves.report.write_fit_report", lambda *_: pytest.fail("drawn"))
    fit = str(GOLDEN / "fits" / "politeness")
    assert run(wolves, ["report", fit, "--out", str(tmp_path)]) == 2
    assert "found a folder" in capsys.readouterr().err


def test_a_null_byte_in_a_path_is_named(capsys):
    assert run(wolves, ["compile", "--limit", "2", "--out", "a\0b"]) == 2
    assert "null byte" in capsys.readouterr().err
