"""Responses into counts: what is chosen, shared out and read again, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families import get, names
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.records import blank_response
from policies import FAMILY, SAMPLER, SCORER, answers, first_place, kind, said, scored


def test_the_registry_knows_the_family():
    assert names()[:1] == ["politeness"]
    assert set(names()) >= {"politeness", "dilemmas", "bargaining", "markets"}
    assert FAMILY.name == "politeness"
    with pytest.raises(WolvesError) as error:
        get("polite")
    assert "did you mean 'politeness'?" in error.value.fix


def test_whole_choices_are_counted(trials):
    table = FAMILY.tabulate(answers(trials, kind), scoring="sum")
    counts = table.rows
    assert list(counts.columns) == ["speaker", "goal", "framing", "state", "utterance", "count"]
    assert len(counts) == 4 * 3 * 4 * 8
    assert counts["count"].sum() == 624
    social = counts[counts["goal"] == "social"]
    assert social.groupby("utterance")["count"].sum()["amazing"] == 156
    informative = counts[(counts["goal"] == "informative") & (counts["state"] == 1)]
    assert informative.groupby("utterance")["count"].sum()["bad"] == 39
    assert table.speakers == ["anthropic/claude"]
    assert list(counts["utterance"][:8]) == [
        *("terrible", "bad", "good", "amazing"),
        *("not terrible", "not bad", "not good", "not amazing"),
    ]
    literal = table.aside["literal"]
    assert list(literal.columns) == ["speaker", "utterance", "state", "yes", "n"]
    assert (literal["n"] == 13).all()
    at = literal.set_index(["utterance", "state"])["yes"]
    assert at["good", 2] == 13
    assert at["good", 1] == 0
    assert at["not good", 1] == 13
    assert table.excluded.empty


def test_scores_are_shared_out_by_probability(choice):
    logprobs = {o.id: math.log(i + 1) for i, o in enumerate(sorted(choice[0].options, key=str))}
    table = FAMILY.tabulate([scored(choice[0], logprobs)], scoring="sum")
    counts = table.rows.set_index("utterance")["count"]
    assert counts.sum() == pytest.approx(1)
    for name, logprob in logprobs.items():
        assert counts[name] == pytest.approx(math.exp(logprob) / 36)


def test_each_scoring_does_what_it_says(choice):
    trial = choice[0]
    ids = [o.id for o in trial.options]
    rng = np.random.default_rng(1)
    logprobs = dict(zip(ids, rng.normal(-8, 2, 8), strict=True))
    tokens = dict(zip(ids, rng.integers(3, 7, 8).tolist(), strict=True))
    baseline = dict(zip(ids, rng.normal(-8, 2, 8), strict=True))
    expected = {
        "sum": logprobs,
        "mean": {k: logprobs[k] / tokens[k] for k in ids},
        "pmi": {k: logprobs[k] - baseline[k] for k in ids},
    }
    for scoring, values in expected.items():
        response = scored(trial, logprobs, tokens, baseline)
        table = FAMILY.tabulate([response], scoring=scoring)
        total = sum(math.exp(v) for v in values.values())
        counts = table.rows.set_index("utterance")["count"]
        for name in ids:
            assert counts[name] == pytest.approx(math.exp(values[name]) / total)
        assert table.meta["scoring"] == scoring


def test_a_judgment_in_score_mode_is_real_valued(trials):
    trial = next(t for t in trials if t.task == "literal")
    table = FAMILY.tabulate([scored(trial, {"yes": -0.5, "no": -1.5})], scoring="sum")
    row = table.aside["literal"].iloc[0]
    assert row["n"] == 1
    assert row["yes"] == pytest.approx(1 / (1 + math.exp(-1)))


def test_pmi_without_a_baseline_is_an_error(choice):
    response = scored(choice[0], {o.id: -1.0 for o in choice[0].options})
    with pytest.raises(WolvesError, match="without the scene"):
        FAMILY.tabulate([response], scoring="pmi")
    with pytest.raises(WolvesError, match="unknown scoring"):
        FAMILY.tabulate([response], scoring="avg")


def test_impossible_and_missing_scores(choice):
    trial = choice[0]
    ids = [o.id for o in trial.options]
    one = dict.fromkeys(ids, -math.inf) | {ids[0]: -2.0}
    assert FAMILY.tabulate([scored(trial, one)], scoring="sum").rows["count"].sum() == 1
    none = scored(trial, dict.fromkeys(ids, -math.inf))
    short = replace(none, scores=scored(trial, one).scores[:3])
    for response in (none, short):
        table = FAMILY.tabulate([response], scoring="sum")
        assert table.rows["count"].sum() == 0
        assert table.excluded["status"].tolist() == ["unparsed"]
        assert table.excluded["example"][0]


def test_texts_are_read_again_and_what_cannot_be_read_is_listed(choice):
    texts = ["It wasn't good.", "I can't say.", "", "Good or bad, who knows?", "hm"]
    responses = [
        # what was read when the answer came is wrong throughout
        replace(said(trial, text), value="amazing", status="answered" if text else "empty")
        for trial, text in zip(choice[:5], texts, strict=True)
    ]
    responses.append(replace(blank_response(choice[5], SAMPLER, 0), error="HTTP 500"))
    refused = replace(said(choice[6], "It is not for me."), status="refused")
    table = FAMILY.tabulate([*responses, refused], scoring="sum")
    assert table.rows["count"].sum() == 1
    assert table.rows.loc[table.rows["count"] == 1, "utterance"].tolist() == ["not good"]
    by_status = table.excluded.groupby("status")["n"].sum().to_dict()
    assert by_status == {"refused": 2, "empty": 1, "unparsed": 2, "failed": 1}
    assert "hm" in set(table.excluded["example"])
    assert "HTTP 500" in set(table.excluded["example"])
    assert table.meta["status"]["anthropic/claude"] == {"answered": 1, **by_status}
    # cells without a choice are still there, with zeros
    assert table.rows.groupby(["goal", "framing", "state"]).ngroups == len(
        {(t.cell["goal"], t.cell["framing"], t.cell["state"]) for t in choice[:7]}
    )


def test_a_choice_without_text_counts_as_recorded(choice):
    response = replace(blank_response(choice[0], SAMPLER, 0), status="answered", value="bad")
    table = FAMILY.tabulate([response], scoring="sum")
    assert table.rows.set_index("utterance")["count"]["bad"] == 1


def test_the_latest_response_that_did_not_fail_counts(choice):
    trial = choice[0]
    failed = blank_response(trial, SAMPLER, 0)
    responses = [
        failed,
        said(trial, "It was bad."),
        said(trial, "It was good."),
        failed,
        said(trial, "It was amazing.", replicate=1),
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    counts = table.rows.set_index("utterance")["count"]
    assert counts["good"] == 1
    assert counts["amazing"] == 1
    assert counts.sum() == 2
    assert table.meta["responses"] == 5
    assert table.meta["repeated"] == 3
    assert table.meta["answers"] == 2


def test_foreign_responses_are_counted_and_left_out(choice):
    one = said(choice[0], "It was good.")
    foreign = [
        replace(one, key="1", family="dilemmas"),
        replace(one, key="2", task="ranking"),
        replace(one, key="3", cell={"item": "poem"}),
        replace(one, key="4", cell={**one.cell, "state": "two"}),
    ]
    table = FAMILY.tabulate([one, *foreign], scoring="sum")
    assert table.meta["foreign"] == 4
    assert table.rows["count"].sum() == 1


def test_settings_of_one_model_are_never_added_up(choice):
    warm = replace(SAMPLER, temperature=1.0)
    score = replace(SCORER, provider="anthropic", model="claude")
    plain = [said(choice[0], "It was good.")]
    other = said(choice[0], "It was bad.", warm)
    by_score = scored(choice[0], {o.id: -1.0 for o in choice[0].options}, speaker=score)
    two = FAMILY.tabulate([*plain, by_score], scoring="sum")
    assert two.speakers == ["anthropic/claude (sample)", "anthropic/claude (score)"]
    three = FAMILY.tabulate([*plain, other, by_score], scoring="sum")
    assert len(three.speakers) == 3
    assert three.meta["speakers"][warm.slug]["temperature"] == 1.0
    assert three.rows.groupby("speaker")["count"].sum().tolist() == pytest.approx([1, 1, 1])


def test_two_scales_are_never_added_up():
    stars = trials_of(PolitenessDesign(scale="stars", limit=10))
    hearts = trials_of(PolitenessDesign(limit=10))
    mixed = [*answers(hearts, first_place), *answers(stars, first_place)]
    with pytest.raises(WolvesError) as error:
        FAMILY.tabulate(mixed, scoring="sum")
    assert "--only scale=hearts" in error.value.fix
