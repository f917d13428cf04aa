"""Sensitivity: weights against refits, power-scaling against a closed form, the command."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from fit_folders import draw_nothing
from many_wolves import inference
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.options import Priors
from many_wolves.families.politeness.reading.human import choice_counts, human_table
from many_wolves.inference.evaluation.sensitivity import (
    FITTED,
    LIKELIHOOD,
    PRIOR,
    power_scaling,
    reweighted,
    sensitivity,
)
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations
from many_wolves.report.sensitivity import sensitivity_section
from many_wolves.workflows.sensitivity import _kept, _with_fit

SETTINGS = Settings(chains=4, warmup=300, draws=500, seed=6)
NAMES = tuple(p.name for p in PoliteSpeaker.parameters)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


DEFAULT = Priors()


def few(priors=DEFAULT):
    """Some four hundred choices, so that priors matter, and weights still reach other priors."""
    counts = choice_counts()
    counts["count"] = np.floor(counts["count"] / 6)
    table = Observations.from_rows("politeness", counts.assign(speaker="few", framing="first"))
    return build(table, literal="fixed", priors=priors)


@pytest.fixture(scope="module")
def fitted(program):
    return inference.fit(few(), program, PoliteSpeaker.parameters, SETTINGS)


@pytest.mark.stan
def test_weighted_draws_are_those_of_a_fit_under_the_other_prior(program):
    base, other = (
        build(human_table(), literal="fixed", priors=p) for p in (Priors(), Priors(phi=(2.0, 2.0)))
    )
    one, again = (
        inference.fit(p, program, PoliteSpeaker.parameters, SETTINGS) for p in (base, other)
    )
    weighted = reweighted(one, other, program)
    assert weighted.ok and weighted.weights.sum() == pytest.approx(1)
    moved = []
    for name in ("w_inf", "w_soc", "w_pres", "phi", "alpha", "cost"):
        before, after = (f.tree["posterior"][name].to_numpy() for f in (one, again))
        flat = before.reshape(-1, *before.shape[2:])
        found = np.tensordot(weighted.weights, flat, 1)
        sd = flat.std(axis=0)
        np.testing.assert_allclose(found / sd, after.mean(axis=(0, 1)) / sd, atol=0.25)
        moved.append(np.atleast_1d(np.abs(found - flat.mean(axis=0)) / sd))
    assert np.max(np.concatenate(moved)) > 0.2


@pytest.mark.stan
def test_the_table_holds_every_parameter_under_every_assumption(program, fitted):
    model = PoliteSpeaker()
    given = {"literal": "fixed"}
    table = Observations.from_rows(
        "politeness",
        choice_counts().assign(
            count=np.floor(choice_counts()["count"] / 6), speaker="few", framing="first"
        ),
    )
    alternatives = {
        name: (model.problem(table, **{**given, **other.options}), other)
        for name, other in model.alternatives(**given).items()
    }

    def refit(problem):
        return inference.fit(problem, program, PoliteSpeaker.parameters, SETTINGS)

    found = sensitivity(fitted, NAMES, alternatives, program, refit)
    variants = [FITTED, PRIOR, LIKELIHOOD, "cost: utility", "phi ~ Beta(2, 2)"]
    variants += ["phi ~ Beta(.5, .5)", "w ~ Dirichlet(2)", "200 nodes"]
    assert list(dict.fromkeys(found["variant"])) == variants
    nodes = found[found["variant"] == "200 nodes"]
    # So few choices leave alpha free up to 20, where 32 nodes begin to be too few.
    assert nodes["shift"].abs().max() < 0.2 and (nodes["how"] == "draws weighted").all()
    cost = found[(found["variant"] == "cost: utility") & (found["parameter"] == "cost")]
    assert abs(cost["shift"].iloc[0]) > 0.5 and cost["verdict"].iloc[0]
    phi = found[found["parameter"] == "phi"].set_index(["variant", "condition"])["mean"]
    apart = (phi - 0.5).abs()
    # Where phi stands in the middle already, neither prior has a side to pull it to.
    aside = [c for c in ("informative", "social", "both") if apart[FITTED, c] > 0.1]
    assert aside
    for condition in aside:
        fitted_apart = apart[FITTED, condition]
        assert apart["phi ~ Beta(2, 2)", condition] < fitted_apart
        assert fitted_apart < apart["phi ~ Beta(.5, .5)", condition]
    # The flat priors are not moved by scaling; the likelihood is.
    scaled = found[found["variant"] == PRIOR]
    assert scaled["sensitivity"].abs().max() < 1e-6
    assert found[found["variant"] == LIKELIHOOD]["sensitivity"].max() > 0.05


def test_power_scaling_sees_a_prior_that_disagrees_with_the_data():
    """A normal mean with a normal prior: a sharp prior far off, and a vague one."""
    rng = np.random.default_rng(0)

    found = {}
    for sd in (0.2, 100.0):
        precision = 20 + sd**-2
        draws = rng.normal((20 * 1.0 + 0) / precision, precision**-0.5, size=(4, 1000))
        tree = xr.DataTree.from_dict(
            {
                "log_likelihood": xr.Dataset({"y": (("chain", "draw"), -10 * (draws - 1.0) ** 2)}),
                "log_prior": xr.Dataset({"lprior": (("chain", "draw"), -0.5 * (draws / sd) ** 2)}),
            }
        )
        rows = power_scaling(SimpleNamespace(tree=tree), {("mu", ""): draws})
        found[sd] = rows.set_index("variant")["sensitivity"]
        assert ("conflict" in rows["verdict"].iloc[0]) == (sd == 0.2)
    assert found[0.2][PRIOR] > 0.05 > found[100.0][PRIOR]
    assert found[0.2][LIKELIHOOD] > 0.05 and found[100.0][LIKELIHOOD] > 0.05


@pytest.mark.slow
@pytest.mark.stan
def test_the_command_writes_its_table_and_the_report_shows_it(
    program, tmp_path, capfd, monkeypatch
):
    draw_nothing(monkeypatch)
    choice_counts().to_csv(tmp_path / "choices.csv", index=False)
    out = tmp_path / "fit"
    arguments = ["sensitivity", str(tmp_path / "choices.csv"), "--literal", "fixed"]
    arguments += ["--engine", "httpstan", "--chains", "2", "--warmup", "200", "--draws", "400"]
    status = run(wolves, [*arguments, "--out", str(out)])
    found = pd.read_csv(out / "sensitivity.csv")
    assert status == (0 if found["ok"].all() else 1)
    said = capfd.readouterr()
    assert "Shift of the posterior mean" in said.out and "Traceback" not in said.err
    assert set(json.loads((out / "sensitivity.json").read_text())) < set(found["variant"])
    page = (out / "report.html").read_text()
    assert "Sensitivity" in page and "phi ~ Beta(2, 2)" in page and "200 nodes" in page
    drawn = (out / "posterior.nc").stat().st_mtime_ns
    assert run(wolves, [*arguments, "--out", str(out)]) == status
    assert "already done" in capfd.readouterr().err
    assert (out / "posterior.nc").stat().st_mtime_ns == drawn
    pd.testing.assert_frame_equal(pd.read_csv(out / "sensitivity.csv"), found)


def test_a_report_without_the_table_has_no_such_section(tmp_path):
    assert sensitivity_section(tmp_path) is None
    (tmp_path / "sensitivity.csv").write_text("a,b\n1,2\n")
    with pytest.raises(WolvesError, match=r"table of `wolves sensitivity`"):
        sensitivity_section(tmp_path)


def kept_rows():
    return pd.DataFrame({"parameter": ["phi"], "mean": [0.1], "shift": [np.nan], "ok": [True]})


def test_finished_alternatives_are_kept_until_their_inputs_change(tmp_path):
    made = []

    def make():
        made.append(1)
        return kept_rows()

    file = tmp_path / "alternatives" / "flat.json"
    for seal, count in (("a", 1), ("a", 1), ("b", 2), ("b", 2)):
        found = _kept(file, lambda seal=seal: seal, "flat", make)
        pd.testing.assert_frame_equal(found, kept_rows())
        assert len(made) == count
    file.write_text("{")
    _kept(file, lambda: "b", "flat", make)
    assert len(made) == 3


def test_the_whole_table_is_kept_with_its_own_fit_only(tmp_path):
    made = []

    def make():
        made.append(1)
        (tmp_path / "fit.json").write_text(json.dumps({"seconds": len(made)}))
        return kept_rows()

    def kept(seal):
        return _kept(tmp_path / "all.json", lambda: _with_fit(tmp_path, seal), "all", make)

    for seal, count in (("a", 1), ("a", 1), ("b", 2), ("b", 2)):
        pd.testing.assert_frame_equal(kept(seal), kept_rows())
        assert len(made) == count
    (tmp_path / "fit.json").write_text("{}")
    kept("b")
    assert len(made) == 3
    (tmp_path / "fit.json").unlink()
    kept("b")
    assert len(made) == 4
