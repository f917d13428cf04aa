"""Records of schema 2: answer types, ids, keys, and what a line on disk must be."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.files import canonical_json, fingerprint
from many_wolves.records import (
    Choose,
    Form,
    Message,
    Number,
    Option,
    Response,
    SpeakerSpec,
    Text,
    Trial,
    blank_response,
    response_key,
)
from many_wolves.store.journal_lines import read_journal, read_lines
from small_trials import SPEC, a_trial, answers

PRICE = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}
TYPES = [
    Choose((Option("a", "A"), Option("b", "B")), (Message("user", "A or B?"),)),
    Number(0, 10, "$", whole=True),
    Number(),
    Text(300),
    Form(PRICE),
]
VALUES = ["b", 7, -2.5, "Sixteen, then.", {"price": 16.0}]


def asks(answer, **more) -> Trial:
    return Trial("toy", "task", {"n": 1}, answer, (Message("user", "How much?"),), **more)


@pytest.mark.parametrize("answer", TYPES, ids=str)
def test_a_trial_reads_back_with_its_id(answer):
    for trial in (asks(answer), asks(answer, seat="critic", episode="e", turn=3, script={"x": 1})):
        record = json.loads(json.dumps(trial.to_json()))
        assert record["schema"] == 2
        assert Trial.from_json(record) == trial
        assert ("seat" in record) == bool(trial.seat)
        record["turn"] += 1
        with pytest.raises(ValueError, match="expected id"):
            Trial.from_json(record)


@pytest.mark.parametrize(("answer", "value"), list(zip(TYPES, VALUES, strict=True)), ids=str)
def test_a_response_reads_back_with_its_value_and_without_the_baseline(answer, value):
    trial = asks(answer, seat="critic")
    response = blank_response(trial, SPEC, 2, "answered", value=value, text="words")
    found = Response.from_json(json.loads(canonical_json(response.to_json())))
    assert found == response
    assert found.value == value
    assert found.seat == "critic"
    assert found.options == trial.options
    assert not isinstance(answer, Choose) or found.answer == replace(answer, baseline=())
    assert Response.from_json(response.to_json() | {"value": None}).value is None


def test_different_answer_types_are_different_trials():
    ids = [asks(answer).id for answer in [*TYPES, Number(0, 10, "$"), Text(301)]]
    assert len(set(ids)) == len(ids)
    assert asks(Text()).id != asks(Text(), seat="critic").id


def test_the_id_of_a_choice_is_that_of_schema_1():
    trial = a_trial(1)
    old = {
        "family": trial.family,
        "task": trial.task,
        "cell": trial.cell,
        "options": [{"id": o.id, "text": o.text} for o in trial.options],
        "messages": [{"role": m.role, "content": m.content} for m in trial.messages],
        "baseline": [],
        "episode": "",
        "turn": 0,
    }
    assert trial.id == fingerprint(old)


def test_late_settings_enter_a_key_only_where_they_are_set():
    assert "adapter" not in SPEC.settings
    assert len(SPEC.settings) == 15
    tuned = replace(SPEC, adapter="kind", adapter_weights="0f")
    assert tuned.settings["adapter"] == "kind"
    assert response_key("0", tuned, 0) != response_key("0", SPEC, 0)
    assert tuned.name == "simulated/tester+kind"
    assert SpeakerSpec.from_json(tuned.settings) == tuned
    assert len(replace(SPEC, model="m" * 300).slug) < 240


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": None},
        {"key": ["a"]},
        {"text": None},
        {"text": ["It was good."]},
        {"effort_used": float("nan")},
        {"cell": None},
        {"cell": {"goal": ["social"]}},
        {"cell": {"goal": None}},
        {"cell": {"state": float("nan")}},
        {"cell": {"state": True}},
        {"replicate": "0"},
        {"replicate": True},
        {"status": "done"},
        {"status": []},
        {"value": "none of them"},
        {"value": {"price": 1}},
        {"answer": None},
        {"answer": {"type": "song"}},
        {"answer": {"type": "number", "low": 2, "high": 1}},
        {"answer": {"type": "form", "schema": {"type": "array"}}},
        {"speaker": None},
        {"speaker": {"provider": "hf", "model": ["m"]}},
        {"speaker": {"provider": "hf", "model": "m", "colour": "red"}},
        {"scores": None},
        {"scores": [{"option": "bad", "logprob": "0", "tokens": 1}]},
        {"unknown": 1},
        {"schema": 3},
        {"schema": None},
        {"latency_s": "fast"},
    ],
    ids=str,
)
def test_a_line_with_a_field_of_another_type_is_named_and_no_answer(tmp_path, wrong):
    (good,) = answers([a_trial(1)])
    lines = [good.to_json(), good.to_json() | wrong]
    path = tmp_path / "j.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    reading = read_journal(path)
    assert reading.responses == (good,)
    ((number, reason),) = reading.bad
    assert number == 2
    assert reason
    assert [line.response for line in read_lines(path)] == [good, None]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"answer": {"type": "choose", "options": None}}, "expected a list of options, found None"),
        (
            {"answer": {"type": "choose", "options": [1]}},
            "expected an option as an object, found 1",
        ),
        (
            {"answer": {"type": "choose", "options": [{"text": "a"}]}},
            "the field 'id' of an option is missing",
        ),
        ({"scores": [1.5]}, "expected a score as an object, found 1.5"),
        ({"time": "today"}, "the field 'time' of an answer is unknown"),
        ({"speaker": {"provider": "openai"}}, "the field 'model' of the speaker is missing"),
        ({"schema": "1"}, "expected schema 1 or 2, found '1'"),
    ],
)
def test_what_is_wrong_in_a_line_is_said_without_words_of_the_code(wrong, words):
    (good,) = answers([a_trial(1)])
    with pytest.raises((TypeError, ValueError)) as caught:
        Response.from_json(good.to_json() | wrong)
    assert str(caught.value) == words


def test_lines_that_are_no_json_are_named(tmp_path):
    path = tmp_path / "j.jsonl"
    good = json.dumps(answers([a_trial(1)])[0].to_json()).encode()
    bad = [b"[1, 2]", b"{" * 100_000, b"[" * 100_000, good.replace(b"cake", b"ca\xffke"), b"nul"]
    path.write_bytes(b"\n".join([*bad, b"", good, good[:50]]))
    reading = read_journal(path)
    assert [number for number, _ in reading.bad] == [1, 2, 3, 4, 5]
    assert "UTF-8" in reading.bad[3][1]
    assert len(reading.responses) == 1
    assert reading.torn


def test_halves_of_surrogate_pairs_are_replaced(tmp_path):
    (good,) = answers([a_trial(1)])
    path = tmp_path / "j.jsonl"
    path.write_text(json.dumps(replace(good, text="good \ud83d").to_json()) + "\n")
    (found,) = read_journal(path).responses
    assert found.text == "good \ufffd"
    canonical_json(found.to_json()).encode()


def test_counts_of_tokens_that_are_no_numbers_are_left_out():
    (good,) = answers([a_trial(1)])
    record = good.to_json() | {"usage": {"input": 3, "output": None, "reasoning": "many"}}
    assert Response.from_json(record).usage == {"input": 3}


def test_answers_with_keys_of_their_own_are_read_and_counted(tmp_path):
    (good,) = answers([a_trial(1)])
    path = tmp_path / "j.jsonl"
    path.write_text(json.dumps(replace(good, key="mine-0").to_json()) + "\n")
    reading = read_journal(path)
    assert len(reading.responses) == 1
    assert "1 answer with a key" in reading.note


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(answers([a_trial(1)])[0].to_json())),
)
def test_no_altered_field_ends_in_another_error(value, name):
    (good,) = answers([a_trial(1)])
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        Response.from_json(good.to_json() | {name: value})
