"""Answers of every type in Inspect: asked, scored, shown in the log, and read from it."""

from __future__ import annotations

import json

import pytest

from many_wolves.contracts import Reading
from many_wolves.records import Choose, Form, Number, Question
from test_answer_types import ANSWERS, trials

SAID = {
    "choose": ("Yes.", "a"),
    "number": ("31", 31),
    "text": ("I would say 31.", "I would say 31."),
    "form": ('{"say": "Fine.", "price": 31}', {"say": "Fine.", "price": 31}),
}
"""Task -> an answer, and its value."""


def read(question: Question, text: str) -> Reading:
    """The reader of a small family."""
    match question.answer:
        case Choose(options):
            return Reading(next(o.id for o in options if o.text == text), "answered")
        case Number():
            return Reading(float(text), "answered")
        case Form():
            return Reading(json.loads(text), "answered")
    return Reading(text, "answered")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory):
    """The log of two trials of each type; the second number is no answer."""
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import scorer
    from inspect_ai.solver import generate

    from many_wolves.evals.samples import dataset
    from many_wolves.evals.scoring import means, scored, share_read, shares

    metrics = [share_read(), shares("n", ["a"], "yes"), means("n", "number")]
    metrics.append(means("n", "price", "price"))

    @scorer(metrics=metrics, name="valued")
    def valued():
        async def score(state, target):
            return scored(state, read)

        return score

    def answer(messages, tools, tool_choice, config):
        task, _, number = messages[-1].text.rstrip("?").partition(" ")
        text = "" if (task, number) == ("number", "1") else SAID[task][0]
        output = ModelOutput.from_content("mockllm/model", text)
        # Without counts, Inspect would download a tokenizer.
        output.usage = ModelUsage(input_tokens=9, output_tokens=9, total_tokens=18)
        return output

    return evaluate(
        Task(dataset=dataset("types", trials(2)), solver=generate(), scorer=valued()),
        model=get_model("mockllm/model", custom_outputs=answer, memoize=False),
        log_dir=str(tmp_path_factory.mktemp("logs")),
        display="none",
    )[0]


def test_the_log_shows_the_value_and_the_words_of_every_type(log) -> None:
    shown = {}
    for sample in log.samples:
        [score] = sample.scores.values()
        shown[sample.input if isinstance(sample.input, str) else sample.input[-1].text] = score
    for task, (text, value) in SAID.items():
        score = shown[f"{task} 0?"]
        assert score.value == value and score.explanation == text
        assert score.metadata == {"status": "answered", "value": value}
    assert shown["number 1?"].value == "empty"
    assert shown["number 1?"].reason == "no_response"


def test_metrics_are_shares_of_choices_and_means_of_numbers(log) -> None:
    [scores] = log.results.scores
    found = {name: metric.value for name, metric in scores.metrics.items()}
    assert found["share_read"] == pytest.approx(7 / 8)
    assert found["number"] == found["number_0"] == 31
    assert found["price"] == found["price_1"] == 31


def test_the_log_is_read_as_a_journal_is(log) -> None:
    from pathlib import Path

    from many_wolves.evals.logs import read_log

    found = read_log(Path(log.location.removeprefix("file://")))
    assert not found.bad
    by_id = {trial.id: trial for trial in trials(2)}
    for response in found.responses:
        assert response.answer == ANSWERS[by_id[response.trial_id].task]
        empty = (response.task, response.cell["n"]) == ("number", 1)
        assert response.status == ("empty" if empty else "answered")
        assert response.value == (None if empty else SAID[response.task][1])
