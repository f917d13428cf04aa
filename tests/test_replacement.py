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


@pytest.mark.parametrize("text", ["my notes", "<!doctype html>\n<p>a page of mine</p>", "{}"])
def test_a_report_does_not_replace_a_file_of_the_user(text, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("many_wolves.report.write_fit_report", lambda *_: pytest.fail("drawn"))
    mine = tmp_path / "notes.html"
    mine.write_text(text)
    fit = str(GOLDEN / "fits" / "politeness")
    assert run(wolves, ["report", fit, "--out", str(mine)]) == 2
    assert "does not contain a page of many-wolves" in capsys.readouterr().err
    assert mine.read_text() == text


def test_a_page_may_replace_a_page(tmp_path):
    from many_wolves.replacement import refuse_other_page
    from many_wolves.report.page import render_page

    page = tmp_path / "page.html"
    empty = {"title": "t", "verdict": "", "sections": [], "lead": "", "head": ""}
    page.write_text(render_page("page.html", empty))
    refuse_other_page(page)


def test_a_fit_does_not_replace_that_of_another_speaker(tmp_path, monkeypatch):
    import pandas as pd

    from many_wolves.observations import Observations
    from many_wolves.workflows.fits import default_folder

    monkeypatch.chdir(tmp_path)
    folders = []
    for name in ("a/b", "a b", "a-b", "\u6a21\u578b\u4e00", "\u6a21\u578b\u4e8c"):
        table = Observations("politeness", {"counts": pd.DataFrame({"speaker": [name]})})
        folders.append(default_folder(table))
        folders[-1].mkdir(parents=True)
        (folders[-1] / "fit.json").write_text(f'{{"speaker": "{name}"}}')
        assert default_folder(table) == folders[-1]
    assert len(set(folders)) == 5
    assert folders[0] == Path("rsa-output/a-b")


def test_a_null_byte_in_a_path_is_named(capsys):
    assert run(wolves, ["compile", "--limit", "2", "--out", "a\0b"]) == 2
    assert "null byte" in capsys.readouterr().err
