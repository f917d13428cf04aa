"""Fits: Stan against the NumPy recursion, known weights recovered, the commands, bad input."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from densities import log_density, points_of
from many_wolves import inference
from many_wolves.cli import run
from many_wolves.commands.fit import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.model.recursion import (
    Condition,
    Lexicon,
    SpeakerParameters,
    phi_quadrature,
    speaker1,
    speaker2,
)
from many_wolves.families.politeness.options import NODES, Priors
from many_wolves.families.politeness.reading.human import choice_counts, human_table, literal_counts
from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Draws
from many_wolves.inference.sampling.diagnostics import judge
from many_wolves.inference.sampling.fit import with_data
from many_wolves.inference.sampling.summary import COLUMNS
from many_wolves.inference.settings import Settings
from many_wolves.inference.store import r_squared
from many_wolves.observations import Observations

ROOT = Path(__file__).parent.parent
SHORT = Settings(chains=4, warmup=250, draws=300, seed=3)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


@pytest.fixture(scope="module")
def human(program):
    return inference.fit(build(human_table()), program, PoliteSpeaker.parameters, SHORT)


def conditions_at(posterior, chain, draw):
    at = posterior.isel(chain=chain, draw=draw)
    weights = [
        Condition(**{name: float(at[name][c]) for name in ("w_inf", "w_soc", "w_pres", "phi")})
        for c in range(at.sizes["condition"])
    ]
    negated = np.array([str(u).startswith("not ") for u in at["utterance"].to_numpy()])
    lexicon = Lexicon(at["theta"].to_numpy(), negated, at["state"].to_numpy().astype(float))
    return lexicon, float(at["alpha"]), float(at["cost"]), weights


@pytest.mark.stan
def test_stan_predicts_what_the_recursion_predicts(human):
    posterior = human.tree["posterior"].to_dataset()
    for chain, draw in ((0, 0), (1, 100), (3, 299)):
        lexicon, alpha, cost, weights = conditions_at(posterior, chain, draw)
        expected = speaker2(lexicon, alpha, cost, weights, *phi_quadrature(NODES))
        found = posterior["s2"].isel(chain=chain, draw=draw).to_numpy()
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.stan
@pytest.mark.parametrize("cost_form", ["prior", "utility"])
@pytest.mark.parametrize(
    "utilities", [("inf",), ("soc",), ("pres",), ("inf", "soc"), ("inf", "pres"), ("soc", "pres")]
)
def test_density_is_prior_times_likelihood_of_the_recursion(program, utilities, cost_form):
    """The Stan density against NumPy: differences between points, priors and Jacobians included."""
    from scipy.stats import norm

    problem = build(human_table(), literal="fixed", utilities=utilities, cost_form=cost_form)
    points = points_of(program, problem, 4, seed=5, spread=0.7)
    theta = np.array(problem.data["theta_given"])
    negated = np.array(problem.data["negated"], dtype=bool)
    lexicon = Lexicon(theta, negated, np.array(problem.data["value"]))
    counts = np.array(problem.data["counts"]).transpose(0, 2, 1)

    def expected(z):
        alpha, cost = 20 * norm.cdf(z[0]), 1 + 9 * norm.cdf(z[1])
        free, C = len(utilities) - 1, 3
        weights = []
        for c in range(C):
            rest, w = 1.0, {}
            for k, name in enumerate(utilities[:-1]):
                share = norm.cdf(z[2 + c * free + k])
                w[name], rest = rest * share, rest * (1 - share)
            w[utilities[-1]] = rest
            phi = norm.cdf(z[-C + c]) if "pres" in utilities else 0.5
            weights.append(Condition(w.get("inf", 0), w.get("soc", 0), w.get("pres", 0), phi))
        S2 = speaker2(lexicon, alpha, cost, weights, *phi_quadrature(NODES), cost_form=cost_form)
        return norm.logpdf(z).sum() + (counts * np.log(S2)).sum()

    found = log_density(program, problem, points)
    np.testing.assert_allclose(found, [expected(z) for z in points], rtol=1e-9)


@pytest.mark.stan
def test_priors_are_as_documented(program):
    """Without data the draws follow the priors: U(0, 20), U(1, 10), Dirichlet, U(0, 1)."""
    problem = build(human_table())
    problem = with_data(problem, **problem.tempered(0.0))
    fit = inference.fit(problem, program, PoliteSpeaker.parameters, SHORT)
    posterior = fit.tree["posterior"].to_dataset()
    flat = posterior.stack(sample=("chain", "draw"))
    quarters = [0.25, 0.5, 0.75]
    assert np.allclose(np.quantile(flat["alpha"] / 20, quarters), quarters, atol=0.08)
    assert np.allclose(np.quantile((flat["cost"] - 1) / 9, quarters), quarters, atol=0.08)
    assert np.allclose(np.quantile(flat["phi"], quarters), quarters, atol=0.06)
    assert np.allclose(np.quantile(flat["theta"], quarters), quarters, atol=0.03)
    dirichlet = 1 - np.sqrt(1 - np.array(quarters))
    for name in ("w_inf", "w_soc", "w_pres"):
        assert np.allclose(np.quantile(flat[name], quarters), dirichlet, atol=0.06)


@pytest.mark.stan
def test_a_stated_prior_pulls(program):
    few = few_choices(8)
    wide = inference.fit(build(few, literal="fixed"), program, PoliteSpeaker.parameters, SHORT)
    tight = inference.fit(
        build(few, literal="fixed", priors=Priors(alpha=(20.0, 80.0))),
        program,
        PoliteSpeaker.parameters,
        SHORT,
    )
    assert row(tight, "alpha")["mean"] > row(wide, "alpha")["mean"] + 1
    assert tight.tree["log_prior"]["lprior"].std() > 0


@pytest.mark.stan
def test_the_human_fit_gives_the_recomputed_weights(human):
    expected = {
        ("w_inf", "informative"): 0.22,
        ("w_soc", "informative"): 0.01,
        ("w_pres", "informative"): 0.77,
        ("phi", "informative"): 0.50,
        ("w_inf", "social"): 0.15,
        ("w_soc", "social"): 0.26,
        ("w_pres", "social"): 0.58,
        ("phi", "social"): 0.39,
        ("w_inf", "both"): 0.22,
        ("w_soc", "both"): 0.10,
        ("w_pres", "both"): 0.67,
        ("phi", "both"): 0.39,
        ("alpha", ""): 5.5,
        ("cost", ""): 3.0,
    }
    for (parameter, condition), value in expected.items():
        found = row(human, parameter, condition)
        assert found["hdi_low"] - 0.01 <= value <= found["hdi_high"] + 0.01, (parameter, condition)
    assert human.diagnostics.divergences == 0
    assert r_squared(human) >= 0.98


@pytest.mark.stan
def test_known_weights_are_recovered(program):
    """Choices of a simulated speaker: the true weights lie in the 95 % intervals."""
    truth = {
        "informative": {"w_inf": 0.7, "w_soc": 0.1, "w_pres": 0.2, "phi": 0.8},
        "social": {"w_inf": 0.15, "w_soc": 0.55, "w_pres": 0.3, "phi": 0.2},
    }
    speaker = SpeakerParameters.from_json({"alpha": 5.0, "cost": 2.0, "weights": truth})
    rng = np.random.default_rng(11)
    rows = [
        ("wolf", goal, "first", state, utterance, count)
        for goal, table in speaker.choice_probabilities().items()
        for state, probabilities in zip(speaker.states, table, strict=True)
        for utterance, count in zip(
            speaker.utterances, rng.multinomial(600, probabilities), strict=True
        )
    ]
    columns = ["speaker", "goal", "framing", "state", "utterance", "count"]
    table = Observations.from_rows("politeness", pd.DataFrame(rows, columns=columns))
    fit = inference.fit(build(table, literal="fixed"), program, PoliteSpeaker.parameters, SHORT)
    inside = [
        row(fit, name, goal)["hdi_low"] <= value <= row(fit, name, goal)["hdi_high"]
        for goal, weights in truth.items()
        for name, value in weights.items()
    ]
    inside += [
        row(fit, "alpha")["hdi_low"] <= 5.0 <= row(fit, "alpha")["hdi_high"],
        row(fit, "cost")["hdi_low"] <= 2.0 <= row(fit, "cost")["hdi_high"],
    ]
    assert sum(inside) >= 9, fit.summary
    assert fit.diagnostics.divergences == 0


@pytest.mark.stan
def test_first_order_speaker(program):
    problem = build(human_table(), literal="fixed", utilities=("s1",))
    fit = inference.fit(problem, program, PoliteSpeaker.parameters, SHORT)
    posterior = fit.tree["posterior"].to_dataset().isel(chain=0, draw=7)
    assert "w_inf" not in posterior and set(fit.summary["parameter"]) >= {"phi", "alpha", "cost"}
    negated = np.array(problem.data["negated"], dtype=bool)
    lexicon = Lexicon(np.array(problem.data["theta_given"]), negated, np.arange(4.0))
    expected = speaker1(
        lexicon, float(posterior["alpha"]), float(posterior["cost"]), posterior["phi"].to_numpy()
    )
    np.testing.assert_allclose(posterior["s2"].to_numpy(), expected, atol=1e-9)


@pytest.mark.stan
def test_cut_carries_the_uncertainty_of_the_literal_data_and_no_more(program):
    problem = build(human_table(), literal="cut")
    short = Settings(chains=2, warmup=100, draws=120, seed=2)
    fit = inference.fit(problem, program, PoliteSpeaker.parameters, short)
    theta = fit.tree["posterior"]["theta"].stack(sample=("chain", "draw")).to_numpy()
    literal = literal_counts().set_index(["utterance", "state"]).loc[("bad", 2)]
    utterances = list(fit.problem.coords["utterance"])
    drawn = theta[utterances.index("bad"), 2]
    mean = (literal["yes"] + 1) / (literal["n"] + 2)
    sd = np.sqrt(mean * (1 - mean) / (literal["n"] + 3))
    assert abs(drawn.mean() - mean) < 4 * sd / np.sqrt(240), "choices must not move theta"
    assert 0.6 * sd < drawn.std() < 1.5 * sd
    assert np.isnan(fit.diagnostics.min_e_bfmi)


def row(fit, parameter, condition=""):
    found = fit.summary.query("parameter == @parameter and condition == @condition")
    assert len(found) == 1
    return found.iloc[0]


def few_choices(total):
    counts = choice_counts()
    counts["count"] = 0.0
    counts.loc[counts.index[:: len(counts) // total][:total], "count"] = 1.0
    return Observations.from_rows("politeness", counts.assign(speaker="few", framing="first"))


def test_a_verdict_names_what_failed():
    rng = np.random.default_rng(0)
    sampler = np.zeros((4, 200, len(SAMPLER_COLUMNS)))
    sampler[..., SAMPLER_COLUMNS.index("energy__")] = rng.normal(size=(4, 200)).cumsum(axis=1)
    sampler[0, :5, SAMPLER_COLUMNS.index("divergent__")] = 1
    alpha = rng.normal(size=(4, 200)) + np.array([0, 0, 0, 12])[:, None]
    summary = pd.DataFrame(
        [("alpha", "", 0, 1, 0, 1, 12.0, 15.0, 1.9)],
        columns=list(COLUMNS),
    )
    verdict = judge(
        Draws(alpha[..., None], sampler, 1.0, "none"), summary, {"alpha": alpha}, Settings()
    )
    said = " ".join(verdict.verdict)
    assert not verdict.ok and verdict.divergences == 5 and verdict.chains_apart == ("alpha",)
    for words in ("5 of 800 draws diverged", "R-hat is 1.900", "12 effective", "E-BFMI", "modes"):
        assert words in said


@pytest.mark.stan
def test_wolves_fit_writes_its_files_and_says_when_it_failed(program, tmp_path, capfd):
    """A fit of ten draws cannot converge: words, exit status 1, and 0 only when allowed."""
    arguments = ["--human", "yoon2020", "--literal", "fixed", "--engine", "httpstan"]
    arguments += ["--warmup", "50", "--draws", "50", "--no-report", "--out", str(tmp_path / "f")]
    assert run(command, arguments) == 1
    said = capfd.readouterr()
    assert "effective draws" in said.out and "do not use its numbers" in said.err
    assert run(command, [*arguments, "--allow-unconverged"]) == 0
    summary = pd.read_csv(tmp_path / "f" / "summary.csv")
    assert list(summary) == [
        "parameter",
        "condition",
        "mean",
        "sd",
        "hdi_low",
        "hdi_high",
        "ess_bulk",
        "ess_tail",
        "r_hat",
    ]
    assert {"w_inf", "w_soc", "w_pres", "phi", "alpha", "cost", "theta"} == set(
        summary["parameter"]
    )
    diagnostics = json.loads((tmp_path / "f" / "diagnostics.json").read_text())
    assert diagnostics["ok"] is False and {"divergences", "max_r_hat", "min_ess_bulk"} < set(
        diagnostics
    )
    import xarray as xr

    tree = xr.load_datatree(tmp_path / "f" / "posterior.nc")
    for group in ("posterior", "posterior_predictive", "log_likelihood", "log_prior"):
        assert group in tree.children
    assert tree["posterior_predictive"]["counts"].dims[2:] == ("condition", "state", "utterance")
    totals = tree["posterior_predictive"]["counts"].sum("utterance").to_numpy()
    observed = tree["observed_data"]["counts"].sum("utterance").to_numpy()
    assert (totals == observed[None, None]).all(), "replications have as many choices as were made"


@pytest.mark.stan
def test_same_seed_same_draws(program, tmp_path):
    problem = build(human_table(), literal="fixed")
    short = Settings(chains=2, warmup=60, draws=60, seed=9)
    one, two = (
        inference.fit(problem, program, PoliteSpeaker.parameters, short).draws for _ in range(2)
    )
    np.testing.assert_array_equal(one.x, two.x)


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda f: f.assign(count=f["count"].where(f.index != 3, np.nan)), "line 5.*column count"),
        (lambda f: f.assign(count=f["count"].where(f.index != 7, -2)), "line 9.*column count"),
        (lambda f: f.assign(count=0), "contains no choices"),
        (lambda f: f.drop(columns="goal"), "expected the columns"),
        (lambda f: f.assign(state=f["state"] + 0.5), "line 2.*column state"),
        (lambda f: f.assign(state=f["state"] + 7), "no literal judgments for state"),
        (lambda f: f[f["utterance"] == "good"], "two utterances"),
        (lambda f: f.replace({"utterance": {"good": "meh"}}), "line 4.*column utterance.*meh"),
        (lambda f: f.assign(count=f["count"].astype(object).where(f.index != 2, "x")), "line 4"),
        (lambda f: f.assign(speaker=["a", "b"] * (len(f) // 2)), "a fit needs one speaker"),
    ],
)
def test_choices_that_cannot_be_fitted(edit, message, tmp_path, capfd):
    path = tmp_path / "choices.csv"
    edit(choice_counts()).to_csv(path, index=False)
    assert run(command, [str(path), "--out", str(tmp_path / "fit")]) == 2
    said = capfd.readouterr().err
    import re

    assert re.search(message, said), said
    assert "Fix:" in said and "Traceback" not in said and not (tmp_path / "fit").exists()


def test_more_yes_than_judgments(tmp_path, capfd):
    choice_counts().to_csv(tmp_path / "choices.csv", index=False)
    judged = literal_counts()
    judged.loc[4, "yes"] = 77
    judged.to_csv(tmp_path / "literal.csv", index=False)
    assert run(command, [str(tmp_path / "choices.csv")]) == 2
    said = capfd.readouterr().err
    assert "77 yes-answers among 49" in said and "literal.csv" in said and "line 6" in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["missing.csv"],
        ["--human", "nobody"],
        ["--human", "yoon2020", "--utilities", "fun"],
        ["--human", "yoon2020", "--utilities", ""],
        ["--human", "yoon2020", "--literal", "guess"],
    ],
)
def test_bad_usage_is_a_message(arguments, capfd):
    assert run(command, arguments) == 2
    said = capfd.readouterr().err
    assert said and "Traceback" not in said


def test_a_requested_but_missing_cmdstan_is_an_error(monkeypatch):
    monkeypatch.setattr("many_wolves.inference.engines.select.find_cmdstan", lambda: None)
    with pytest.raises(WolvesError, match="install_cmdstan"):
        inference.choose("cmdstan")
    assert inference.choose("auto").name == "httpstan"


@pytest.mark.stan
def test_the_staged_script_fits_as_the_command_does(program, tmp_path):
    script = ROOT / "rsa-model" / "stan_model" / "fit_speaker2_model.py"
    out = tmp_path / "fit"
    arguments = ["--human", "yoon2020", "--literal", "fixed", "--engine", "httpstan"]
    arguments += ["--warmup", "50", "--draws", "50", "--no-report", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(script), *arguments, "--allow-unconverged"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (out / "fit.json").exists() and "Traceback" not in done.stderr
