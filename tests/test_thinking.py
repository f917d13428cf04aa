"""Local models that think: the thought has a budget, is closed, and the answer follows it.

The model is tiny and random (``thinking_model``): this shows that thoughts are made,
cut, closed and conditioned on as they should be, not that they help.
"""

import threading
from dataclasses import replace

import pytest

from local_models import needs_torch, smollm2
from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.errors import WolvesError
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers import Request
from many_wolves.speakers.local.hf import HfSpeaker
from many_wolves.speakers.local.thinking import settle
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.store.journal_lines import read_journal
from small_trials import a_trial, trials, write_trials
from thinking_model import ALWAYS, SILENT, TEMPLATE, make

pytestmark = [pytest.mark.model, needs_torch]

SAMPLE = SpeakerSpec(
    "hf", "tiny", dtype="float32", thinking_tokens=30, temperature=1.0, max_tokens=12
)
SCORE = replace(SAMPLE, mode="score")
USER = (Message("user", "Hi"),)


@pytest.fixture(scope="module", params=["one token", "spelt"])
def model(request, tmp_path_factory):
    return make(tmp_path_factory.mktemp("tiny") / "model", spelt=request.param == "spelt")


def opened(spec, folder, batch_size=16):
    return HfSpeaker.open(spec, folder, batch_size=batch_size, device="cpu", threads=1)


def ask(speaker, requests):
    found = list(speaker.ask(requests, threading.Event()))
    return sorted(found, key=lambda r: (r.trial_id, r.replicate))


def requests(n, replicates=1):
    return [Request(a_trial(i), r) for i in range(n) for r in range(replicates)]


def test_a_thought_keeps_to_its_budget_and_is_separated_from_the_answer(model):
    found = ask(opened(SAMPLE, model), requests(4, 6))
    lengths = {r.usage["reasoning"] for r in found}
    assert max(lengths) == 30
    assert min(lengths) < 30
    for response in found:
        assert response.effort_used == "30 tokens"
        assert "</think>" not in response.text + response.reasoning
        assert response.usage["reasoning"] < response.usage["output"] <= 30 + 12
    assert len({r.reasoning for r in found}) > 12


def test_a_thought_is_cut_at_its_tag_however_that_is_spelt(model):
    from many_wolves.speakers.local.load import load_tokenizer

    tokenizer = load_tokenizer(model, "", "chat")
    thinking = settle(tokenizer, SAMPLE)
    for said, thought in [
        ("so it was</think>", "so it was"),
        ("so it was</think>\n", "so it was"),
        ("so it was</thin", "so it was</thin"),
        ("so it was<|end|>", "so it was"),
        ("</think>", ""),
    ]:
        ids = tokenizer(said, add_special_tokens=False)["input_ids"]
        assert thinking.ended(tokenizer, ids) == ("</think>" in said)
        kept, text = thinking.cut(tokenizer, ids, [2])
        assert text == thought
        assert tokenizer.decode(list(kept)) == thought
    assert tokenizer.decode(thinking.close(tokenizer, "a")) == "\n</think>\n\n"
    assert tokenizer.decode(thinking.close(tokenizer, "a\n")) == "</think>\n\n"


def test_scores_are_those_of_the_options_after_the_closed_thought(model):
    import torch

    speaker = opened(SCORE, model)
    tokenizer, weights = speaker._loaded.tokenizer, speaker._loaded.model
    for response in ask(speaker, requests(3, 2)):
        (trial,) = [t for t in trials(3) if t.id == response.trial_id]
        (job,) = [speaker._think([speaker.codec.encode(Request(trial, response.replicate))])[0]]
        said = tokenizer.decode(job.prompt)
        assert said.count("</think>") == 1
        assert said.endswith("\n</think>\n\n")
        assert response.reasoning == job.reasoning
        assert response.reasoning in said
        for option, score in zip(trial.options, response.scores, strict=True):
            ids = tokenizer(option.text, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logits = weights(torch.tensor([[*job.prompt, *ids]])).logits[0].double()
            logp = logits.log_softmax(-1)[len(job.prompt) - 1 :]
            expected = sum(float(logp[i, token]) for i, token in enumerate([*ids, 2]))
            assert score.logprob == pytest.approx(expected, abs=1e-4)


def test_a_thought_depends_on_its_own_seed_and_not_on_its_batch(model):
    asked = requests(2, 3)
    together = ask(opened(SAMPLE, model), asked)
    alone = ask(opened(SAMPLE, model, 1), asked[::-1])
    assert [(r.reasoning, r.text) for r in together] == [(r.reasoning, r.text) for r in alone]
    other = ask(opened(replace(SAMPLE, seed=100), model), asked)
    assert [r.reasoning for r in together] != [r.reasoning for r in other]


@pytest.mark.parametrize("template", [TEMPLATE, ALWAYS])
@pytest.mark.parametrize("spec", [SAMPLE, SCORE])
def test_effort_none_answers_after_an_empty_thought(tmp_path, template, spec):
    folder = make(tmp_path / "model", template)
    speaker = opened(replace(spec, thinking_tokens=None, effort="none"), folder)
    (found,) = ask(speaker, requests(1))
    assert found.effort_used == "none"
    assert found.reasoning == ""
    assert "reasoning" not in found.usage
    said = speaker._loaded.tokenizer.decode(speaker.codec.encode(requests(1)[0]).prompt)
    assert said.endswith("assistant\n<think>\n\n</think>\n\n")


@pytest.mark.parametrize("template", [TEMPLATE, ALWAYS])
def test_the_prompt_of_a_thought_opens_it_once(tmp_path, template):
    speaker = opened(SAMPLE, make(tmp_path / "model", template))
    said = speaker._loaded.tokenizer.decode(speaker.codec.encode(requests(1)[0]).prompt)
    assert said.endswith("assistant\n<think>\n")
    assert said.count("<think>") == 1


def test_a_budget_that_the_window_cannot_hold_is_lowered_and_recorded(tmp_path):
    folder = make(tmp_path / "model", window=128)
    spec = replace(SAMPLE, thinking_tokens=None, effort="low")
    for response in ask(opened(spec, folder), requests(2)):
        room = 128 - response.usage["input"] - 12 - 4  # the answer, and what closes the thought
        assert response.speaker.effort == "low"
        assert response.effort_used == f"{room} tokens"
        assert response.status in ("answered", "empty")
    long = a_trial(9, prompt="word " * 30)
    (failed,) = ask(opened(spec, folder), [Request(long)])
    assert failed.status == "failed"
    assert "limit is 128" in failed.error


@pytest.mark.parametrize(
    ("template", "more", "words"),
    [
        (SILENT, {"effort": "low"}, "no thinking section"),
        (SILENT, {"thinking_tokens": 100}, "no thinking section"),
        (TEMPLATE, {}, "no effort was requested"),
        (TEMPLATE, {"effort": "low", "prompt_format": "completion"}, "chat format"),
    ],
)
def test_what_a_model_does_not_take_is_an_error_before_its_weights_are_read(
    tmp_path, template, more, words
):
    folder = make(tmp_path / "model", template)
    (folder / "model.safetensors").unlink()
    with pytest.raises(WolvesError, match=words) as caught:
        opened(replace(SCORE, **{"thinking_tokens": None, **more}), folder)
    assert "--effort" in caught.value.fix


def test_a_model_without_a_thinking_section_takes_effort_none():
    from many_wolves.speakers.local.load import load_tokenizer

    tokenizer = load_tokenizer(smollm2(), "", "chat")
    spec = SpeakerSpec("hf", "smollm2", effort="none")
    assert settle(tokenizer, spec) is None
    with pytest.raises(WolvesError, match="no thinking section"):
        settle(tokenizer, replace(spec, effort="medium"))


def test_score_mode_takes_replicates_where_thoughts_differ(tmp_path, capfd):
    folder = make(tmp_path / "tiny")
    capfd.readouterr()
    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--provider", "hf", "--model_path", str(folder), "--mode", "score"]
    words += ["--thinking_tokens", "20", "--threads", "1", "--out", str(tmp_path / "out")]
    assert run(command, [*words, "--replicates", "3"]) == 0
    (journal,) = (tmp_path / "out").rglob("*.jsonl")
    found = read_journal(journal).responses
    assert len(found) == 6
    assert len({r.reasoning for r in found}) == 6
    assert len({r.scores[0].logprob for r in found}) == 6
    assert run(command, [*words, "--effort", "low"]) == 2
    assert "found both" in capfd.readouterr().err


def test_chance_is_part_of_who_answers_only_where_something_is_drawn(tmp_path):
    folder = make(tmp_path / "tiny")

    def spec(**more):
        return describe(SpeakerRequest("hf", path=folder, mode="score", dtype="float32", **more))

    assert spec(effort="none", seed=1) == spec(effort="none", seed=2)
    assert spec(thinking_tokens=5, seed=1) != spec(thinking_tokens=5, seed=2)
    assert spec(thinking_tokens=5).temperature == 1.0
