"""Made-up speakers of known policies, for the tests of choice tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from many_wolves.families import get
from many_wolves.observations import Observations
from many_wolves.records import OptionScore, Response, SpeakerSpec, Trial, blank_response

FAMILY = get("politeness")
SAMPLER = SpeakerSpec("anthropic", "claude", mode="sample")
SCORER = SpeakerSpec("hf", "smollm2", mode="score")

Policy = Callable[[Trial], str]
"""The id of the option that a made-up speaker chooses."""


def said(trial: Trial, text: str, speaker: SpeakerSpec = SAMPLER, replicate: int = 0) -> Response:
    return replace(blank_response(trial, speaker, replicate), status="answered", text=text)


def text_of(trial: Trial, option: str) -> str:
    return next(o.text for o in trial.options if o.id == option)


def answers(trials: Iterable[Trial], policy: Policy, speaker: SpeakerSpec = SAMPLER):
    return [said(trial, text_of(trial, policy(trial)), speaker) for trial in trials]


def scored(
    trial: Trial,
    logprobs: dict[str, float],
    tokens: dict[str, int] | None = None,
    baseline: dict[str, float] | None = None,
    speaker: SpeakerSpec = SCORER,
) -> Response:
    scores = tuple(
        OptionScore(
            option=o.id,
            logprob=logprobs[o.id],
            tokens=(tokens or {}).get(o.id, 4),
            baseline=None if baseline is None else baseline[o.id],
        )
        for o in trial.options
    )
    return replace(blank_response(trial, speaker, 0), status="answered", scores=scores)


def honest(trial: Trial) -> str:
    if trial.task == "literal":
        state, utterance = trial.cell["state"], trial.cell["utterance"]
        true = {"terrible": 0, "bad": 1, "good": 2, "amazing": 3}
        word = utterance.removeprefix("not ")
        return "yes" if (true[word] == state) != utterance.startswith("not ") else "no"
    return ("terrible", "bad", "good", "amazing")[trial.cell["state"]]


def kind(trial: Trial) -> str:
    if trial.task == "choice" and trial.cell["goal"] == "social":
        return "amazing"
    return honest(trial)


def first_place(trial: Trial) -> str:
    return trial.options[0].id


def check(table: Observations, name: str):
    return next(c for c in table.checks if c.name == name)
