"""The simulated speaker, and how a speaker is named on the command line."""

import math
import threading
from collections import Counter
from dataclasses import replace

import pytest
from scipy.stats import chisquare

from many_wolves.errors import WolvesError
from many_wolves.speakers import Request
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from small_trials import SPEC, a_trial, simulated, trials


def ask(speaker, requests):
    return list(speaker.ask(requests, threading.Event()))


def test_draws_follow_the_probabilities():
    p = (0.2, 0.3, 0.5)
    said = Counter(r.value for r in ask(simulated(p=p), [Request(t) for t in trials(3000)]))
    counts = [said["bad"], said["good"], said["amazing"]]
    assert chisquare(counts, [3000 * x for x in p]).pvalue > 1e-3


def test_a_draw_does_not_depend_on_the_order_of_the_requests():
    requests = [Request(t, r) for t in trials(20) for r in range(2)]
    forth = {r.key: r.value for r in ask(simulated(), requests)}
    back = {r.key: r.value for r in ask(simulated(), requests[::-1])}
    assert forth == back
    assert len(forth) == 40
    other = {r.trial_id: r.value for r in ask(simulated(replace(SPEC, seed=9)), requests)}
    assert [other[t.id] for t in trials(20)] != [forth[Request(t).key(SPEC)] for t in trials(20)]


def test_scores_are_the_logarithms_of_the_probabilities():
    (found,) = ask(simulated(replace(SPEC, mode="score"), (0.0, 0.25, 0.75)), [Request(a_trial(1))])
    assert [s.option for s in found.scores] == ["bad", "good", "amazing"]
    assert found.scores[0].logprob < -600
    assert math.exp(found.scores[1].logprob) == pytest.approx(0.25)
    assert math.exp(found.scores[2].logprob) == pytest.approx(0.75)
    assert {s.baseline for s in found.scores} == {-math.log(3)}


def test_probabilities_that_are_none_are_refused():
    with pytest.raises(WolvesError, match="sum to one"):
        ask(simulated(p=(0.5, 0.6, 0.5)), [Request(a_trial(1))])


def test_a_halted_speaker_begins_nothing_new():
    halt = threading.Event()
    answers = simulated().ask([Request(t) for t in trials(9)], halt)
    next(answers)
    halt.set()
    assert list(answers) == []


def test_scoring_ignores_what_only_sampling_needs():
    wanted = SpeakerRequest("simulated", mode="score", parameters={"alpha": 1})
    assert describe(wanted) == describe(replace(wanted, seed=4, temperature=0.2, max_tokens=9))
    sampled = replace(wanted, mode="sample")
    assert describe(sampled) != describe(replace(sampled, seed=4))


@pytest.mark.parametrize(
    ("wanted", "fix"),
    [
        (SpeakerRequest("simulated"), "--parameters"),
        (SpeakerRequest("hf"), "--model_path"),
        (SpeakerRequest("hf", "m", effort="low", thinking_tokens=5), "leave one out"),
        (SpeakerRequest("hf", "m", tensor_parallel_size=2), "--provider vllm"),
        (SpeakerRequest("vllm", "m", device="cuda:1"), "CUDA_VISIBLE_DEVICES"),
        (SpeakerRequest("simulated", thinking_tokens=9), "--thinking_tokens"),
        (SpeakerRequest("hf", "m", batch=True), "--batch"),
    ],
)
def test_an_incomplete_speaker_is_an_error_with_its_fix(wanted, fix):
    with pytest.raises(WolvesError) as caught:
        describe(wanted)
    assert fix in caught.value.fix


def test_a_folder_without_a_model_is_refused(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(WolvesError, match="Hugging Face model folder") as caught:
        describe(SpeakerRequest("hf", path=tmp_path))
    assert str(tmp_path) in str(caught.value)
