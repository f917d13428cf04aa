"""Transformers speakers on a real model: what they score is what they sample."""

import json
import math
import runpy
import shutil
import sys
import threading
from collections import Counter
from dataclasses import replace

import pytest
from scipy.stats import chisquare

from local_models import ROOT, needs_torch, smollm2
from many_wolves.errors import WolvesError
from many_wolves.records import Message, Option, SpeakerSpec
from many_wolves.speakers import Request
from many_wolves.speakers.local.hf import HfSpeaker
from many_wolves.speakers.local.tokens import option_ids, prompt_ids
from many_wolves.speakers.prompting import completion, continuation, render
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from small_trials import a_trial, keys, write_trials

pytestmark = [pytest.mark.model, needs_torch]

SCORE = SpeakerSpec("hf", "smollm2", mode="score", dtype="float32")
SAMPLE = replace(SCORE, mode="sample", max_tokens=8, temperature=1.0)
SAID = ("It was good.", "It wasn't bad.", "It was great.", "It was bad.")
# Shared first tokens, shared whole prefixes, different lengths.
OPTIONS = tuple(
    Option(text, text)
    for text in (*SAID, "It wasn't good.", "It was not bad.", "It was okay.", "It was good")
)
TALK = (
    Message("system", "Be brief."),
    *(
        m
        for i in range(6)
        for m in (Message("user", "How was it?"), Message("assistant", SAID[i % 4]))
    ),
    Message("user", "How was it?"),
)


def opened(folder):
    import torch

    torch.set_num_threads(1)
    return HfSpeaker.open(SCORE, folder, device="cpu", threads=1)._loaded


@pytest.fixture(scope="module")
def whole():
    return opened(smollm2())


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The first eight of thirty layers: batches and caches work as with all of them."""
    folder = tmp_path_factory.mktemp("models") / "eight-layers"
    shutil.copytree(smollm2(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").symlink_to(smollm2() / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 8}))
    return opened(folder)


def ask(loaded, spec, requests, batch_size=16):
    found = list(HfSpeaker(spec, loaded, batch_size).ask(requests, threading.Event()))
    found.sort(key=lambda r: (r.trial_id, r.replicate))
    return found


def fresh_logprob(loaded, messages, text, prompt_format):
    """Sum over an option's tokens and its end: one plain forward pass, nothing cached."""
    import torch

    prompt = render(loaded.tokenizer, messages, prompt_format)
    before = prompt_ids(loaded.tokenizer, prompt, prompt_format)
    said = continuation(text, prompt_format)
    ids = before + option_ids(loaded.tokenizer, prompt, before, said, prompt_format)
    with torch.no_grad():
        logp = loaded.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    words = sum(float(logp[i - 1, ids[i]]) for i in range(len(before), len(ids)))
    return words + float(logp[-1, list(loaded.ends)].logsumexp(0))


@pytest.mark.parametrize(
    ("prompt_format", "branches"),
    [
        ("chat", True),
        ("completion", False),
        pytest.param("chat", False, marks=pytest.mark.slow),
        pytest.param("completion", True, marks=pytest.mark.slow),
    ],
)
def test_cached_scores_equal_fresh_ones(loaded, prompt_format, branches):
    from many_wolves.speakers.local.load import end_tokens

    ends = end_tokens(loaded.model.generation_config, loaded.tokenizer, prompt_format)
    assert loaded.branches
    loaded = replace(loaded, ends=ends, branches=branches)
    spec = replace(SCORE, prompt_format=prompt_format)
    listed = [
        a_trial(1, OPTIONS[:4], baseline=(Message("user", "How was it?"),)),
        a_trial(2, OPTIONS[3::-1], "Was it good? " * 9),
        replace(a_trial(3, OPTIONS[:3]), messages=TALK),
        replace(a_trial(4, OPTIONS), messages=(*TALK[:-1], Message("user", "And then?"))),
    ]
    if not branches:
        del listed[-1]
    for response in ask(loaded, spec, [Request(t) for t in listed]):
        trial = next(t for t in listed if t.id == response.trial_id)
        for option, score in zip(trial.options, response.scores, strict=True):
            expected = fresh_logprob(loaded, trial.messages, option.text, prompt_format)
            assert score.option == option.id
            assert score.logprob == pytest.approx(expected, abs=1e-5 * max(1, -expected))
            if trial.baseline:
                expected = fresh_logprob(loaded, trial.baseline, option.text, prompt_format)
                assert score.baseline == pytest.approx(expected, abs=1e-5 * max(1, -expected))
            else:
                assert score.baseline is None


@pytest.mark.slow
def test_two_thousand_samples_match_the_scores(whole):
    trial = replace(a_trial(0, OPTIONS), messages=TALK)
    (scored,) = ask(whole, SCORE, [Request(trial)])
    p = {s.option: math.exp(s.logprob) for s in scored.scores}
    assert sum(p.values()) > 0.5
    n = 2000
    said = Counter(r.text for r in ask(whole, SAMPLE, [Request(trial, i) for i in range(n)], 500))
    likely = [o for o in p if n * p[o] >= 5]
    assert len(likely) >= 5
    observed = [said[o] for o in likely] + [n - sum(said[o] for o in likely)]
    expected = [n * p[o] for o in likely] + [n * (1 - sum(p[o] for o in likely))]
    assert chisquare(observed, expected).pvalue > 1e-3


def test_an_answer_depends_on_its_own_seed_and_not_on_its_batch(loaded):
    requests = [Request(a_trial(i), r) for i in range(2) for r in range(3)]
    few = replace(SAMPLE, max_tokens=4)
    together = ask(loaded, few, requests)
    alone = ask(loaded, few, requests[::-1], batch_size=1)
    assert [r.text for r in together] == [r.text for r in alone]
    assert len({r.text for r in together}) > 2
    shifted = ask(loaded, replace(few, seed=1), requests)
    first = {(r.trial_id, r.replicate): r.text for r in together}
    assert all(r.text == first[r.trial_id, r.replicate + 1] for r in shifted if r.replicate < 2)


def test_temperature_zero_and_a_small_nucleus_take_the_most_probable(loaded):
    requests = [Request(replace(a_trial(0), messages=TALK), i) for i in range(3)]
    coldest = {r.text for r in ask(loaded, replace(SAMPLE, temperature=0.0), requests)}
    narrow = {r.text for r in ask(loaded, replace(SAMPLE, top_p=1e-6), requests)}
    assert len(coldest) == 1
    assert coldest == narrow


def test_a_prompt_that_is_too_long_fails_alone(loaded):
    long = a_trial(1, prompt="word " * 9000)
    found = ask(loaded, SCORE, [Request(long), Request(a_trial(2))])
    by_trial = {r.trial_id: r for r in found}
    assert by_trial[long.id].status == "failed"
    assert "limit is 8192" in by_trial[long.id].error
    assert by_trial[a_trial(2).id].status == "answered"


def test_a_base_model_is_never_asked_to_chat_by_default(tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(smollm2(), folder, ignore=shutil.ignore_patterns("*.safetensors", "*.jinja"))
    with pytest.raises(WolvesError, match="no chat template") as caught:
        HfSpeaker.open(SCORE, folder)
    assert "--prompt_format completion" in caught.value.fix


def test_a_completion_prompt_is_plain_text():
    talk = (*TALK[:3], TALK[-1])
    assert completion(talk) == (
        "Be brief.\n\nHow was it?\n\nAnswer: It was good.\n\nHow was it?\n\nAnswer:"
    )


def test_who_answers_is_known_by_the_weights(tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(smollm2(), moved)
    here = describe(SpeakerRequest("hf", path=smollm2(), mode="score", dtype="float32"))
    there = describe(
        SpeakerRequest("hf", "smollm2", moved, mode="score", dtype="float32", threads=2)
    )
    assert here == there
    with (moved / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\1\2\3\4")
    assert describe(SpeakerRequest("hf", "smollm2", moved, mode="score", dtype="float32")) != here


def test_the_published_command_asks_a_model(tmp_path, monkeypatch, capsys):
    trials = write_trials(tmp_path / "t.jsonl", [a_trial(i) for i in range(4)])
    words = f"--model_type hf --model_name smollm2 --model_path {smollm2()} --task politeness"
    words += f" --batch_size 64 --threads 1 --mode score --api_key not-needed --out {tmp_path}"
    monkeypatch.setattr(sys, "argv", ["run-experiments.py", str(trials), *words.split()])
    capsys.readouterr()
    # In this process, which has torch and transformers already.
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "src" / "run-experiments.py"), run_name="__main__")
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    assert len(keys(ROOT / said.out.strip())) == 4
    assert "not-needed" not in said.out + said.err
    written = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert not any(b"not-needed" in f.read_bytes() for f in written)
