"""Names that read as missing values, or as numbers, in every table that is read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from many_wolves.families.markets.reading.from_csv import from_csv
from many_wolves.inference.evaluation.loo import difference, read_parts
from many_wolves.report.sensitivity import sensitivity_section
from many_wolves.workflows.labels import read_labels
from market_sessions import played

NAMES = ["None", "NA", "nan", "null", "007", "3.10", "1e3", "TRUE"]


@pytest.mark.parametrize("name", NAMES)
def test_speakers_and_sessions_of_markets_keep_their_names(name: str, tmp_path: Path) -> None:
    payoffs = played().tables["payoffs"].assign(speaker=name, session=name)
    payoffs["euro"] = np.nan
    payoffs.to_csv(tmp_path / "payoffs.csv", index=False, na_rep="NA")
    found = from_csv(tmp_path / "payoffs.csv", "planning")
    assert found.speakers == [name]
    assert set(found.rows["session"]) == {name}
    assert found.rows["euro"].isna().all() and found.rows["payoff"].dtype.kind in "fi"


def test_labels_that_look_like_numbers_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "speaker,version,family,pair,size,empty\n"
        "a,3.1,nan,007,7,\nb,3.10,inf,7,70,2\nc,4,None,1_0,0.5,\n"
    )
    assert read_labels(tmp_path / "l.csv") == {
        "a": {"version": "3.1", "family": "nan", "pair": "007", "size": 7},
        "b": {"version": "3.10", "family": "inf", "pair": "7", "size": 70, "empty": 2},
        "c": {"version": "4", "family": "None", "pair": "1_0", "size": 0.5},
    }


@pytest.mark.parametrize("name", ["NA", "007"])
def test_parts_left_out_are_the_same_ones_when_they_are_read_back(
    name: str, tmp_path: Path
) -> None:
    parts = pd.DataFrame(
        {"goal": [name, "x"], "n": [2.0, 3.0], "elpd": [-1.0, -2.0], "pareto_k": [0.1, np.nan]}
    )
    parts.to_csv(tmp_path / "loo.csv", index=False)
    assert difference(read_parts(tmp_path / "loo.csv"), parts, "choice")[0] == 0.0


def test_a_goal_named_na_is_in_the_table_of_sensitivity(tmp_path: Path) -> None:
    row = {"parameter": "w_inf", "condition": "NA", "mean": 0.5, "sd": 0.1, "shift": 0.2}
    row |= {"hdi_low": 0.4, "hdi_high": 0.6, "ok": True, "sensitivity": 0.01}
    rows = [{"variant": name, **row} for name in ("as fitted", "flat")]
    pd.DataFrame(rows).to_csv(tmp_path / "sensitivity.csv", index=False)
    (tmp_path / "sensitivity.json").write_text(json.dumps({"flat": "a flat prior"}))
    section = sensitivity_section(tmp_path)
    assert section is not None
    assert "w_inf NA" in " ".join(section.paragraphs)
