"""compare, recover, calibrate and power from the command line, on small problems."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.simulation.plan import CONDITIONS, differing
from many_wolves.workflows.compare import _of_same_data, _problems
from many_wolves.workflows.data import reference
from many_wolves.workflows.power import Power, designs

SHORT = ["--warmup", "150", "--draws", "150", "--chains", "2"]


def test_designs_go_from_small_to_large() -> None:
    assert list(designs([1, 13], [1, 13])) == [(1, 1), (1, 13), (13, 1), (13, 13)]


def test_power_says_what_more_items_and_more_replicates_do() -> None:
    sizes = {"items": [6, 6, 24], "replicates": [3, 12, 3], "answers": [144, 576, 576]}
    table = pd.DataFrame(sizes | {"power": [0.3, 0.4, 0.9], "low": 0.0, "high": 1.0})
    said = Power(table, "w_inf", 0.1, Path()).conclusion
    assert "from 6 to 24 items (3 replicates): 30 to 90 %" in said
    assert "from 3 to 12 replicates (6 items): 30 to 40 %" in said


def test_answers_of_one_item_are_planned_alike() -> None:
    model = PoliteSpeaker()
    given = differing("phi", 0.2, {"icc": 0.9, "lapse": 0.0})
    known, answered = model.simulate(model.planned(4, 25), np.random.default_rng(1), given)
    assert known["icc"] == 0.9
    shares = answered.rows.groupby(["item", "goal", "state"])["count"].max() / 25
    assert shares.mean() > 0.9
    assert answered.total == 4 * 25 * 8
    assert model.problem(answered).data["J"] == 4
    assert model.problem(model.planned(4, 1)).data["J"] == 4


def test_the_second_condition_differs_by_what_was_asked() -> None:
    found = differing("w_soc", 0.2, None)
    first, second = (found["weights"][c] for c in CONDITIONS)
    assert second["w_soc"] - first["w_soc"] == pytest.approx(0.2)
    for weights in (first, second):
        assert sum(weights[f"w_{u}"] for u in ("inf", "soc", "pres")) == pytest.approx(1)
    assert first["w_inf"] / first["w_pres"] == pytest.approx(second["w_inf"] / second["w_pres"])
    assert first["phi"] == second["phi"]
    assert differing("phi", 0.2, None)["weights"]["second"]["phi"] == pytest.approx(
        first["phi"] + 0.2
    )
    with pytest.raises(WolvesError, match="leaves the interval"):
        differing("w_soc", -0.5, None)


def test_the_conclusion_names_the_smallest_design_that_suffices() -> None:
    table = pd.DataFrame(
        {
            "items": [13, 13, 13],
            "replicates": [1, 3, 10],
            "answers": [104, 312, 1040],
            "power": [0.4, 0.85, 1.0],
            "low": [0.3, 0.75, 0.95],
            "high": [0.5, 0.92, 1.0],
        }
    )
    assert (
        "13 items x 3 replicates (312 answers in all)"
        in Power(table, "w_inf", 0.1, Path()).conclusion
    )
    assert "No design" in Power(table.iloc[:1], "w_inf", 0.1, Path()).conclusion
    assert "at most 100 %" in Power(table, "w_inf", 0.0, Path()).conclusion


def test_an_unknown_variant_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", "--human", "yoon2020", "--models", "inf+foo", "--out", str(tmp_path)]
    assert run(wolves, arguments) == 2
    assert "unknown variant 'inf+foo'" in capsys.readouterr().err


def test_own_meanings_are_a_variant_without_evidence() -> None:
    table, model = reference("yoon2020"), PoliteSpeaker()
    problems = _problems(model, table, {"literal": "fixed"}, ())
    full = problems["inf+soc+pres"]
    assert problems["own-meanings"].options["literal"] == "joint"
    same = {name for name, problem in problems.items() if _of_same_data(problem, full)}
    assert same == set(model.variants()) - {"own-meanings"}
    estimated = _problems(model, table, {"literal": "joint"}, ())
    assert set(estimated) == same
    assert all(_of_same_data(problem, estimated["inf"]) for problem in estimated.values())


@pytest.mark.stan
def test_compare_writes_its_rows_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", "--human", "yoon2020", "--literal", "fixed", "--models", "inf,soc"]
    arguments += ["--warmup", "400", "--draws", "500", "--chains", "2", "--out", str(tmp_path)]
    run(wolves, arguments)
    table = pd.read_csv(tmp_path / "comparison.csv").set_index("model")
    assert list(table.index) == ["inf+soc+pres", "inf", "soc"]
    assert (table["log_ml_se"] < 0.1).all()
    assert table.loc["inf+soc+pres", "log_bf"] == 0
    # Made once with 4 x 1000 draws and another parameterisation of the same program.
    assert table.loc["inf", "log_ml"] == pytest.approx(-4205.45, abs=0.1)
    assert table.loc["soc", "log_ml"] == pytest.approx(-4463.35, abs=0.1)
    assert table.loc["inf+soc+pres", "log_ml"] == pytest.approx(-3457.05, abs=0.3)
    assert table.loc["inf", "elpd_loo"] == pytest.approx(-4197.4, abs=1.0)
    assert (tmp_path / "comparison-figure.pdf").exists()
    before = (tmp_path / "variants" / "inf" / "posterior.nc").stat().st_mtime_ns
    (tmp_path / "comparison.csv").unlink()
    capsys.readouterr()
    run(wolves, arguments)
    assert capsys.readouterr().err.count("already done") == 3
    assert (tmp_path / "comparison.csv").exists()
    assert (tmp_path / "variants" / "inf" / "posterior.nc").stat().st_mtime_ns == before


@pytest.mark.stan
def test_calibrate_and_recover_judge_one_run(tmp_path: Path) -> None:
    arguments = ["--human", "yoon2020", "--literal", "fixed", "--utilities", "inf", *SHORT]
    out = tmp_path / "c"
    status = run(wolves, ["calibrate", *arguments, "--n", "20", "--out", str(out)])
    facts = json.loads((out / "calibration.json").read_text())
    assert facts["simulations"] == 20
    assert status == (0 if facts["ok"] else 1)
    quantities = pd.read_csv(out / "calibration.csv")["quantity"]
    assert set(quantities) == {"alpha", "cost", "log_lik"}
    assert (out / "calibration-ranks.png").exists()
    run(wolves, ["recover", *arguments, "--n", "20", "--out", str(out)])
    table = pd.read_csv(out / "recovery.csv").set_index("quantity")
    assert set(table.index) == {"alpha", "cost"}
    assert (table["n"] == 20).all()
    assert (table["rmse"] < table["prior_rmse"]).all()
    assert len((out / "simulations.jsonl").read_text().splitlines()) == 21


@pytest.mark.slow
@pytest.mark.stan
def test_power_of_a_large_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["power", "--weight", "w_soc", "--difference", "0.6", "--items", "13"]
    arguments += ["--replicates", "4", "--n", "10", *SHORT, "--out", str(tmp_path)]
    assert run(wolves, arguments) == 0
    table = pd.read_csv(tmp_path / "power.csv")
    assert table["answers"].to_list() == [2 * 4 * 13 * 4]
    assert table["power"].iloc[0] > 0.6
    assert np.isfinite(table["error"].iloc[0])
    assert "13 items x 4 replicates" in capsys.readouterr().out


@pytest.mark.stan
def test_a_choice_fitted_again_agrees_with_smoothing_where_that_is_good() -> None:
    from many_wolves import inference
    from many_wolves.families.politeness.model import PoliteSpeaker
    from many_wolves.families.politeness.model.problem import build
    from many_wolves.families.politeness.reading.human import human_table
    from many_wolves.inference.evaluation.bridge import between
    from many_wolves.inference.evaluation.compare import accuracy, refitting

    problem = build(human_table(), literal="fixed")
    program = inference.load(problem.program, "httpstan")
    settings = inference.Settings(warmup=200, draws=300, seed=4)
    done = inference.fit(problem, program, PoliteSpeaker.parameters, settings)
    smoothed = accuracy(done).parts.nsmallest(1, "pareto_k").iloc[0]
    labels = {name: smoothed[name] for name in ("condition", "state", "utterance")}
    refit = refitting(done, program, PoliteSpeaker.parameters, "choice", lambda _: None)
    assert refit is not None
    every = done.tree["log_likelihood"]["counts"].sel(labels).to_numpy() / smoothed["n"]
    again = between(every, refit(labels)).log_ml
    assert again == pytest.approx(smoothed["elpd"] / smoothed["n"], abs=0.01)
    assert problem.without is not None
    left = np.array(problem.without(labels, 1.0)["counts"])
    assert np.array(problem.data["counts"]).sum() - left.sum() == 1
    all_left = np.array(problem.without({"condition": "both", "state": 1}, np.inf)["counts"])
    assert all_left[2, :, 1].sum() == 0 < all_left.sum()
