"""Results show themselves in a notebook: the verdict first, then the tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import many_wolves as mw
from many_wolves.workflows.compare import Comparison
from many_wolves.workflows.design import Design
from many_wolves.workflows.influence import Influence
from many_wolves.workflows.pool import Pooling
from many_wolves.workflows.sensitivity import Sensitivity
from many_wolves.workflows.simulation import Calibrated, Recovery

HERE = Path()


def rows(*ok: bool) -> pd.DataFrame:
    return pd.DataFrame({"parameter": "phi", "ok": ok})


def recovery(verdict: str, *failed: str) -> Recovery:
    return Recovery(pd.DataFrame({"quantity": ["phi"], "verdict": [verdict]}), failed, HERE, 4)


def influence(ok: bool, shift: float) -> Influence:
    part = {"speaker": ["a"], "parameter": ["phi"], "condition": ["<both>"], "left_out": ["cake"]}
    table = pd.DataFrame(part | {"how": "fitted again", "ok": ok})
    spread = pd.DataFrame(part | {"ratio": 1.0, "shift": shift})
    return Influence("item", table, spread, ("phi",), HERE)


def design(reliable: bool) -> Design:
    questions = pd.DataFrame({"goal": ["social"], "calls": [1]})
    weights = pd.DataFrame({"parameter": ["phi"], "sd": [0.1]})
    return Design((), (), weights, questions, 1, reliable)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Comparison(rows(True), HERE), "All rows are reliable."),
        (Comparison(rows(True, False), HERE), "Some rows are unreliable."),
        (Pooling(rows(False), HERE), "Some rows are unreliable."),
        (Sensitivity(rows(False), HERE), "Some numbers are unreliable."),
        (Calibrated(rows(True), "No quantity deviates.", True, HERE), "No quantity deviates."),
        (recovery("as stated"), "All intervals have their nominal coverage."),
        (recovery("too narrow"), "Some intervals do not have their nominal coverage."),
        (recovery("as stated", "no"), "All intervals have their nominal coverage. 1 of 4 fits"),
        (influence(True, 0.5), "All numbers are reliable."),
        (influence(False, 9.0), "Some numbers are unreliable."),
        (design(False), "The widths come from short chains that do not agree."),
        (design(True), "1 call"),
    ],
)
def test_the_verdict_comes_before_the_tables(result, verdict: str) -> None:
    first, table, _ = result._repr_html_().partition("<table")
    assert table and first.startswith(f"<p>{verdict}")


def test_the_largest_shift_is_part_of_the_verdict() -> None:
    first = influence(True, 9.0)._repr_html_().partition("<table")[0]
    assert "Largest shift of a weight without one item: 9.0" in first and "not met" in first


def test_a_study_shows_which_stages_are_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("study: s\ntitle: People & <others>\nhuman: [yoon2020]\n")
    first, table, rest = mw.Study("s.yaml")._repr_html_().partition("<table")
    assert "People &amp; &lt;others&gt;" in first and "0 of 3 stages are up to date." in first
    assert table and "fit yoon2020" in rest
