"""Every speaker asks every answer type: sampled, scored where it can be, journalled, resumed."""

import json
import shutil
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from many_wolves.collection import collect
from many_wolves.errors import WolvesError
from many_wolves.reading import read
from many_wolves.records import (
    Choose,
    Form,
    Message,
    Number,
    Option,
    SpeakerSpec,
    Text,
    Trial,
)
from many_wolves.speakers import Request, SimulatedSpeaker
from many_wolves.speakers.cost import Budget, Price, estimate, size_of
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.store.journal_lines import read_journal
from small_trials import keys

PRICE = {
    "type": "object",
    "properties": {"say": {"type": "string"}, "price": {"type": "integer", "minimum": 0}},
    "required": ["say", "price"],
    "additionalProperties": False,
}
ANSWERS = {
    "choose": Choose((Option("a", "Yes."), Option("b", "No."))),
    "number": Number(0, 100, "$", whole=True),
    "text": Text(200),
    "form": Form(PRICE),
}
SPEC = SpeakerSpec("simulated", "toy", parameters={"level": 30})


def trials(n: int = 1) -> list[Trial]:
    """``n`` trials of each answer type."""
    return [
        Trial("toy", task, {"n": i}, answer, (Message("user", f"{task} {i}?"),))
        for i in range(n)
        for task, answer in ANSWERS.items()
    ]


class Haggler:
    """Simulated answers of every type around a level."""

    def answer(self, trial, rng):
        level = 30 + int(rng.integers(5))
        match trial.answer:
            case Number():
                return level
            case Text():
                return f"I would say {level}."
            case Form():
                return {"say": "Fine.", "price": level}

    def text(self, trial, value):
        match trial.answer:
            case Choose():
                return next(o.text for o in trial.options if o.id == value)
            case Form():
                return f"```json\n{json.dumps(value)}\n```"
        return str(value)

    def probabilities(self, trial):
        return np.array([0.75, 0.25])


def ask(speaker, requests):
    found = list(speaker.ask(requests, threading.Event()))
    return sorted(found, key=lambda r: (r.trial_id, r.replicate))


@pytest.mark.parametrize("mode", ["sample", "score"])
def test_a_simulated_speaker_answers_journals_and_resumes_every_type(tmp_path, mode):
    spec, listed, path = replace(SPEC, mode=mode), trials(20), tmp_path / "j.jsonl"

    def collected(part):
        return collect(
            part,
            replicates=2,
            spec=spec,
            open_speaker=lambda: SimulatedSpeaker(spec, Haggler()),
            reader=read,
            journal=path,
            say=print,
        )

    assert collected(listed[:41]).asked == {"answered": 82}
    done = collected(listed)
    assert (done.known["answered"], done.asked) == (82, {"answered": 78})
    found = read_journal(path).responses
    assert len(set(keys(path))) == len(found) == 160
    for response in found:
        scored = mode == "score" and response.task == "choose"
        assert bool(response.scores) == scored
        if scored:
            assert (response.value, response.text) == (None, "")
        elif response.task == "number":
            assert 30 <= response.value < 35
        elif response.task == "form":
            assert set(response.value) == {"say", "price"}
        elif response.task == "text":
            assert response.value.startswith("I would say 3")
        else:
            assert response.value in ("a", "b")
    assert len({r.value for r in found if r.task == "number"}) == 5
    again = ask(SimulatedSpeaker(spec, Haggler()), [Request(t, r) for t in listed for r in (0, 1)])
    assert {r.key: r.text for r in again} == {r.key: r.text for r in found}


def test_estimates_and_budgets_take_every_type():
    listed = trials(10)
    sizes = [size_of(trial) for trial in listed]
    sampled = estimate(sizes, mode="sample", thought=0)
    scored = estimate(sizes, mode="score", thought=0)
    assert 0 < scored.output < sampled.output
    assert estimate(sizes[:1], mode="score", thought=0).output == 0
    thinking = estimate(sizes, mode="sample", thought=100)
    assert thinking.output == sampled.output + 100 * len(listed)
    budget = Budget(Price(1, 1), 1.0)
    assert all(budget.reserve(trial, SPEC) for trial in listed)


def test_sampling_settings_count_where_a_question_is_no_choice():
    wanted = SpeakerRequest("simulated", mode="score", parameters={"level": 1}, seed=4)
    assert describe(wanted).seed == 0
    assert describe(wanted, sampled=True).seed == 4


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Folder of a tiny random model that chats without thoughts."""
    pytest.importorskip("torch")
    from thinking_model import SILENT, make

    return make(tmp_path_factory.mktemp("tiny") / "model", SILENT)


class TestTransformers:
    pytestmark = pytest.mark.model

    def opened(self, folder, **settings):
        from many_wolves.speakers.local.hf import HfSpeaker

        spec = SpeakerSpec("hf", "tiny", dtype="float32", temperature=1.0, max_tokens=16)
        return HfSpeaker.open(replace(spec, **settings), folder, device="cpu", threads=1)

    @pytest.mark.parametrize("mode", ["sample", "score"])
    def test_choices_are_scored_where_they_can_be_and_the_rest_is_sampled(self, tiny, mode):
        requests = [Request(trial, r) for trial in trials(3) for r in range(2)]
        found = ask(self.opened(tiny, mode=mode), requests)
        assert len(found) == len(requests)
        assert Counter(r.task for r in found) == dict.fromkeys(ANSWERS, 6)
        for response in found:
            scored = mode == "score" and response.task == "choose"
            assert len(response.scores) == (2 if scored else 0)
            assert bool(response.text) != scored
            assert scored or response.usage["output"] > 0

    def test_an_answer_at_the_limit_of_tokens_says_so(self, tiny):
        requests = [Request(trial, r) for trial in trials(2) for r in range(8)]
        found = ask(self.opened(tiny, max_tokens=4), requests)
        cut = [r for r in found if r.error]
        assert {r.error for r in cut} == {"cut off by the limit of 4 tokens"}
        assert {r.usage["output"] for r in cut} == {4}
        assert all(r.error for r in found if r.usage["output"] == 4 and len(r.text) == 4)

    @pytest.mark.parametrize(
        ("task", "said", "text"),
        [
            ("number", " 15\nNext", " 15"),
            ("choose", " Yes.\nNo.", " Yes."),
            ("text", " Deal.\nSee you.\n\nNext", " Deal.\nSee you."),
            ("text", "\n Deal.\n \nNext", " Deal."),
            ("form", ' {\n"price": 3\n}\n\nNext', ' {\n"price": 3\n}\n\nNext'),
        ],
    )
    def test_a_completion_ends_at_a_line_or_a_blank_line(self, tiny, task, said, text):
        speaker = self.opened(tiny, prompt_format="completion", max_tokens=60)
        (trial,) = [t for t in trials() if t.task == task]
        codec, tokenizer = speaker.codec, speaker._loaded.tokenizer
        job = codec.encode(Request(trial))
        ids = tokenizer(said, add_special_tokens=False)["input_ids"]
        found = codec.sampled(job, ids, 0.0)
        assert found.text == text
        line = tokenizer("\n", add_special_tokens=False)["input_ids"][0]
        one_line = task in ("number", "choose")
        assert (line in codec.ends(job)) == one_line
        ended = [n for n in range(1, len(ids) + 1) if codec.ended(job, ids[:n])]
        blank = said.find("\n\n", 1) + 2 if "\n\n" in said[1:] else said.find("\n \n") + 3
        assert ended == ([] if one_line else [blank])

    def test_an_end_token_that_is_none_is_named(self, tiny):
        from types import SimpleNamespace

        from many_wolves.speakers.local.load import end_tokens

        for wrong in ("</s>", [2, "</s>"], -1, True):
            tokenizer = SimpleNamespace(eos_token_id=2)
            with pytest.raises(WolvesError, match="end-of-sequence token") as caught:
                end_tokens(SimpleNamespace(eos_token_id=wrong), tokenizer, "chat")
            assert "eos_token_id" in caught.value.fix

    def test_a_token_that_the_weights_lack_is_named_before_the_first_answer(self, tiny, tmp_path):
        folder = shutil.copytree(tiny, tmp_path / "model")
        file = folder / "tokenizer_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"bos_token": " "}))
        with pytest.raises(WolvesError, match="its weights know the tokens 0 to"):
            self.opened(folder)
