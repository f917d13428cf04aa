"""Options that were scored mean the same in every family."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.observations import Observations
from many_wolves.records import (
    OptionScore,
    Response,
    SpeakerSpec,
    Trial,
    blank_response,
)
from many_wolves.workflows.compile import request as request_of
from many_wolves.workflows.compile import trials_of

SCORER = SpeakerSpec("hf", "tiny", mode="score")
TASKS = ("politeness", "dictator", "principal")
COLUMN = {"politeness": "utterance", "dilemmas": "choice"}


@pytest.fixture(scope="module", params=TASKS)
def trial(request: pytest.FixtureRequest) -> Trial:
    """The first trial of a task that can be scored."""
    few = {"tasks": ("choice",), "limit": 1} if request.param == "politeness" else {}
    asked = request_of((request.param,), few)
    return next(iter(trials_of(asked)))


def scores(trial: Trial, **changed: float | None) -> tuple[OptionScore, ...]:
    """A score for every option; ``changed`` is that of the first."""
    listed = [OptionScore(o.id, -1.0 - n, 2, -3.0) for n, o in enumerate(trial.options)]
    return (replace(listed[0], **changed), *listed[1:])


def response(trial: Trial, found: tuple[OptionScore, ...]) -> Response:
    return blank_response(trial, SCORER, 0, status="answered", scores=found)


def table(trial: Trial, found: tuple[OptionScore, ...], scoring: str) -> Observations:
    family = families.get(trial.family)
    return family.tabulate([response(trial, found)], scoring=scoring)


@pytest.mark.parametrize(
    ("scoring", "value"),
    [
        ("sum", lambda s: s.logprob),
        ("mean", lambda s: s.logprob / s.tokens),
        ("pmi", lambda s: s.logprob - s.baseline),
    ],
)
def test_probabilities_follow_from_scores(trial, scoring, value):
    found = scores(trial, tokens=5)
    weights = {s.option: math.exp(value(s)) for s in found}
    rows = table(trial, found, scoring).rows.set_index(COLUMN[trial.family])["count"]
    for option, weight in weights.items():
        assert rows[option] == pytest.approx(weight / sum(weights.values()))


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (lambda trial: scores(trial)[1:], "no score for"),
        (lambda trial: scores(trial, logprob=math.nan), "scores that are not numbers"),
        (
            lambda trial: tuple(replace(s, logprob=-math.inf) for s in scores(trial)),
            "scores that are not numbers",
        ),
    ],
)
def test_what_cannot_be_scored_is_counted_as_unparsed(trial, found, why):
    made = table(trial, found(trial), "sum")
    assert made.total == 0
    [row] = made.excluded.to_dict("records")
    assert row["status"] == "unparsed"
    assert why in row["example"]


@pytest.mark.parametrize(
    ("scoring", "changed", "words"),
    [
        ("mean", {"tokens": 0}, "number of tokens"),
        ("pmi", {"baseline": None}, "scores without the scene"),
        ("pmi", {"baseline": -math.inf}, "probability zero without the scene"),
        ("median", {}, "unknown scoring 'median'"),
    ],
)
def test_a_scoring_that_is_not_possible_is_refused(trial, scoring, changed, words):
    with pytest.raises(WolvesError, match=words):
        table(trial, scores(trial, **changed), scoring)


def test_two_settings_of_one_model_are_two_speakers(trial):
    other = replace(SCORER, seed=9)
    both = [response(trial, scores(trial))]
    both.append(blank_response(trial, other, 0, status="answered", scores=scores(trial)))
    made = families.get(trial.family).tabulate(both, scoring="sum")
    assert made.speakers == [SCORER.slug, other.slug]
    assert list(made.meta["speakers"]) == made.speakers


def test_the_newest_answer_counts_unless_it_failed(trial):
    first = response(trial, scores(trial))
    newer = response(trial, scores(trial, logprob=-20.0))
    failed = blank_response(trial, SCORER, 0, error="server gone")
    made = families.get(trial.family).tabulate([first, newer, failed], scoring="sum")
    rows = made.rows.set_index(COLUMN[trial.family])["count"]
    assert rows[trial.options[0].id] < 1e-6
    assert made.meta["repeated"] == 2 and made.total == pytest.approx(1)
