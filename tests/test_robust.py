"""Tables at the edge: each is fitted with a good verdict, or refused before sampling."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from many_wolves import inference
from many_wolves.cli import run
from many_wolves.commands.fit import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import choice_counts, literal_counts
from many_wolves.inference.sampling.modes import gaussian_at_modes
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations

SETTINGS = Settings(chains=4, warmup=400, draws=400, seed=4)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(table(choice_counts())).program, "httpstan")


def table(counts, literal=None):
    aside = {} if literal is None else {"literal": literal}
    return Observations.from_rows(
        "politeness", counts.assign(speaker="edge", framing="first"), aside
    )


def few(total):
    counts = choice_counts()
    counts["count"] = 0.0
    counts.loc[counts.index[:: len(counts) // total][:total], "count"] = 1.0
    return counts


def always(utterance):
    counts = choice_counts()
    return counts.assign(count=np.where(counts["utterance"] == utterance, 20.0, 0.0))


def unanswered():
    """A goal and state without any answer."""
    counts = choice_counts()
    asked = (counts["goal"] == "social") & (counts["state"] == 2)
    return counts.assign(count=counts["count"].where(~asked, 0.0))


def many(total):
    counts = choice_counts()
    return counts.assign(count=counts["count"] * (total / counts["count"].sum()))


def stars(frame):
    """On five states: the last of four is used for the fourth and the fifth."""
    five = pd.concat([frame, frame[frame["state"] == 3].assign(state=4)], ignore_index=True)
    return five.assign(state=five["state"] + 1)


def only(frame, utterances):
    return frame[frame["utterance"].isin(utterances)].reset_index(drop=True)


def with_fine(frame):
    """Ten utterances: fine and not fine are as frequent as good and not good."""
    more = [
        frame[frame["utterance"] == old].assign(utterance=new)
        for old, new in (("good", "fine"), ("not good", "not fine"))
    ]
    return pd.concat([frame, *more], ignore_index=True)


SIX = ("bad", "good", "amazing", "not bad", "not good", "not amazing")
FITTED = {
    "a question without answers": lambda: table(unanswered()),
    "always the same": lambda: table(always("amazing")),
    "always the same negation": lambda: table(always("not bad")),
    "one goal": lambda: table(choice_counts().query("goal == 'both'").reset_index(drop=True)),
    "one state asked": lambda: table(choice_counts().query("state == 2").reset_index(drop=True)),
    "8 choices": lambda: table(few(8)),
    "a million choices": lambda: table(many(1e6)),
    "5 states": lambda: table(stars(choice_counts()), stars(literal_counts())),
    "6 utterances": lambda: table(only(choice_counts(), SIX), only(literal_counts(), SIX)),
    "10 utterances": lambda: table(with_fine(choice_counts()), with_fine(literal_counts())),
    "expected counts": lambda: table(choice_counts().assign(count=choice_counts()["count"] * 0.37)),
}


QUICK = ("a million choices", "5 states")
"""Fitted in `make test`; the others by `make test-slow`."""


def in_the_quick_suite(names, quick):
    """Test cases of which those not named quick are slow."""
    return [pytest.param(n, marks=() if n in quick else pytest.mark.slow) for n in names]


@pytest.mark.stan
@pytest.mark.parametrize("name", in_the_quick_suite(FITTED, QUICK))
def test_an_odd_table_is_fitted_with_a_good_verdict(program, name):
    problem = build(FITTED[name](), literal="fixed")
    done = inference.fit_with_retries(problem, program, PoliteSpeaker.parameters, SETTINGS)
    assert done.diagnostics.ok, done.diagnostics.verdict
    summary = done.summary[done.summary["parameter"] != "theta"]
    assert np.isfinite(summary[["mean", "sd", "hdi_low", "hdi_high"]].to_numpy()).all()
    predicted = done.tree["posterior"]["s2"].to_numpy()
    np.testing.assert_allclose(predicted.sum(axis=-1), 1.0, atol=1e-8)


REFUSED = {
    "always the same": "'amazing' to every question",
    "always the same negation": "'not bad' to every question",
    "a million choices": "more than 10 to one",
}
"""Why there is a fit with theta fixed only."""


NOT_REFUSED = [name for name in FITTED if name not in REFUSED]


@pytest.mark.stan
@pytest.mark.parametrize("name", in_the_quick_suite(NOT_REFUSED, ("8 choices",)))
def test_free_theta_with_unusual_choices(program, name):
    problem = build(FITTED[name](), literal="joint")
    done = inference.fit_with_retries(problem, program, PoliteSpeaker.parameters, SETTINGS)
    assert done.diagnostics.ok, done.diagnostics.verdict


@pytest.mark.parametrize("name", REFUSED)
def test_choices_that_would_make_up_the_meanings_are_refused(name):
    for literal in ("joint", "cut"):
        refused = build(FITTED[name](), literal=literal).refused
        assert refused is not None
        assert re.search(REFUSED[name], str(refused)) and "--literal fixed" in str(refused)
    assert build(FITTED[name](), literal="fixed").refused is None


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize("name", NOT_REFUSED)
def test_theta_from_the_judgments_alone_with_unusual_choices(program, name):
    problem = build(FITTED[name](), literal="cut")
    settings = replace(SETTINGS, warmup=1000, draws=1000)
    done = inference.fit_with_retries(problem, program, PoliteSpeaker.parameters, settings)
    assert done.diagnostics.ok, done.diagnostics.verdict


@pytest.mark.stan
def test_the_narrow_mode_with_more_mass_is_found(program):
    """Of six utterances: alpha about 3 is a wide hill, alpha about 13 a narrow one."""
    problem = build(FITTED["6 utterances"](), literal="joint")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        with program.open(problem.data) as model:
            found = gaussian_at_modes(model, rng)
        theta = int(np.size(problem.data["theta_given"]))
        alphas = [20 * norm.cdf(mode.x[theta]) for mode in found.modes]
        assert 11 < alphas[0] < 15
        assert found.shares[0] > 0.98


@pytest.mark.stan
def test_a_question_without_answers_gets_the_models_prediction(program):
    problem = build(FITTED["a question without answers"](), literal="fixed")
    done = inference.fit(problem, program, PoliteSpeaker.parameters, SETTINGS)
    whole = build(table(choice_counts()), literal="fixed")
    at = {"condition": "social", "state": 2}
    counts = np.array(whole.observed["counts"][1])[1, 2]
    predicted = done.tree["posterior"]["s2"].sel(at).mean(("chain", "draw")).to_numpy()
    assert np.corrcoef(predicted, counts / counts.sum())[0, 1] > 0.7
    assert (done.tree["posterior_predictive"]["counts"].sel(at) == 0).all()


def test_one_state_only_is_refused():
    choices = choice_counts().query("state == 2")
    with pytest.raises(WolvesError, match="not identified"):
        build(table(choices, literal_counts().query("state == 2")))


@pytest.mark.parametrize("rest", [0.0, 0.001])
def test_one_answer_throughout_is_refused_where_theta_would_follow_it(rest, tmp_path, capfd):
    choices = always("amazing")
    choices["count"] = choices["count"].where(choices["count"] > 0, rest)
    refused(written(tmp_path, choices), "'amazing' to every question.*--literal fixed", capfd)
    assert build(table(choices), literal="fixed").refused is None
    few_answers = table(choices.assign(count=choices["count"] / 20))
    assert build(few_answers, literal="joint").refused is None


def written(folder, choices, literal=None, placed=None):
    choices.to_csv(folder / "choices.csv", index=False)
    for name, frame in (("literal", literal), ("placed", placed)):
        if frame is not None:
            frame.to_csv(folder / f"{name}.csv", index=False)
    return [str(folder / "choices.csv"), "--out", str(folder / "fit")]


def changed(frame, row, column, value):
    frame = frame.astype({column: object})
    frame.loc[row, column] = value
    return frame


LITERAL_FAULTS = {
    "yes above n": (5, "yes", 80, "line 7.*column yes"),
    "negative": (2, "yes", -1, "line 4.*column yes"),
    "not a number": (3, "n", "many", "line 5.*column n"),
    "missing": (0, "n", None, "line 2.*column n"),
    "half a state": (9, "state", 1.5, "line 11.*column state"),
}
CHOICE_FAULTS = {
    "missing": (3, "count", None, "line 5.*column count"),
    "negative": (7, "count", -2, "line 9.*column count"),
    "infinite": (7, "count", "inf", "line 9.*column count"),
    "unknown utterance": (4, "utterance", "meh", "line 6.*column utterance"),
    "negative state": (4, "state", -1, "line 6.*column state"),
}


@pytest.mark.parametrize("fault", LITERAL_FAULTS)
def test_a_fault_in_the_judgments_is_named_by_file_row_and_column(fault, tmp_path, capfd):
    row, column, value, message = LITERAL_FAULTS[fault]
    literal = changed(literal_counts(), row, column, value)
    refused(written(tmp_path, choice_counts(), literal), f"literal.csv.*{message}", capfd)


@pytest.mark.parametrize("fault", CHOICE_FAULTS)
def test_a_fault_in_the_choices_is_named_by_file_row_and_column(fault, tmp_path, capfd):
    row, column, value, message = CHOICE_FAULTS[fault]
    choices = changed(choice_counts(), row, column, value)
    refused(written(tmp_path, choices), f"choices.csv.*{message}", capfd)


def test_position_bias_without_positions_is_an_error(tmp_path, capfd):
    arguments = [*written(tmp_path, choice_counts()), "--position-bias"]
    refused(arguments, "does not record the position of each option", capfd)


def refused(arguments, message, capfd):
    assert run(command, arguments) == 2
    said = capfd.readouterr().err
    assert re.search(message, said, re.DOTALL), said
    assert "Fix:" in said and "Traceback" not in said
