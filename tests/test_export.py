"""Fits as CSV files: what R reads is what the fit holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import many_wolves as mw
from fit_folders import write_fit_folder
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.workflows.export import export

GOLDEN = Path(__file__).parent / "golden" / "schema1" / "fits"


def read(path: Path) -> pd.DataFrame:
    """A CSV file in which missing values have names only in columns of numbers."""
    text = {"speaker": str, "parameter": str, "condition": str}
    return pd.read_csv(path, keep_default_na=False, na_values={"value": ["NA"]}, dtype=text)


def test_draws_are_those_of_the_fit_one_row_each(tmp_path: Path) -> None:
    fit = mw.read_fit(GOLDEN / "politeness")
    draws = read(export([GOLDEN / "politeness"], tmp_path)[0])
    assert list(draws) == ["speaker", "chain", "draw", "parameter", "condition", "value"]
    assert "theta" not in set(draws["parameter"])
    own = fit.draws["posterior"]["w_soc"]
    for chain, draw, condition in ((1, 1, "informative"), (2, 50, "both")):
        row = draws.query(
            f"parameter == 'w_soc' and chain == {chain} and draw == {draw} "
            f"and condition == '{condition}'"
        )
        expected = float(own.sel(condition=condition)[chain - 1, draw - 1])
        assert row["value"].tolist() == pytest.approx([expected])
    means = draws.groupby(["parameter", "condition"])["value"].mean()
    summary = fit.weights.set_index(["parameter", "condition"])["mean"]
    assert np.allclose(means[summary.index], summary)


def test_choices_are_observed_beside_predicted(tmp_path: Path) -> None:
    export([GOLDEN / "politeness"], tmp_path)
    choices = read(tmp_path / "choices.csv")
    fit = mw.read_fit(GOLDEN / "politeness")
    assert choices["observed"].sum() == fit.fitted.info["choices"]
    cells = choices.groupby(["condition", "state"])
    assert np.allclose(cells["predicted"].sum(), 1)
    assert np.allclose(cells["share"].sum(), 1)
    assert (choices["low"] <= choices["predicted"]).all()
    assert np.corrcoef(choices["share"], choices["predicted"])[0, 1] ** 2 == pytest.approx(fit.r2)


def test_fits_of_several_tasks_and_speakers_stand_in_one_table(tmp_path: Path, capsys) -> None:
    for name in ("NA", "b, c"):
        write_fit_folder(tmp_path / "fits" / name, speaker=name, draws=20)
    words = ["export", str(tmp_path / "fits"), str(GOLDEN / "dilemma"), "--out", str(tmp_path)]
    assert run(wolves, words) == 0
    printed = capsys.readouterr().out.split()
    assert [Path(p).name for p in printed] == ["draws.csv", "summary.csv", "choices.csv"]
    assert set(read(tmp_path / "summary.csv")["speaker"]) == {"NA", "b, c", "speaker"}
    choices = read(tmp_path / "choices.csv")
    assert set(choices["option"]) == {"NA", "C", "D"}
    assert set(choices["state"]) == {"NA", "0", "1", "2", "3"}


def test_every_draw_where_it_is_asked_for(tmp_path: Path) -> None:
    mw.export(mw.read_fit(GOLDEN / "politeness"), tmp_path, every=True)
    draws = read(tmp_path / "draws.csv")
    assert "not amazing/3" in set(draws[draws["parameter"] == "theta"]["condition"])


def test_no_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WolvesError, match="expected a fit folder"):
        mw.export(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_condition_called_na_keeps_its_name(tmp_path: Path) -> None:
    folder = write_fit_folder(tmp_path / "fit", conditions=("NA", "None"), draws=20)
    weights = mw.read_fit(folder).weights
    assert set(weights["condition"]) >= {"NA", "None"}
