"""Responses in any order: which of them count, and what their speakers are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from many_wolves.records import Response, SpeakerSpec


@dataclass
class Intake:
    """What came in; every response is in one of the numbers, or among ``newest``.

    Parameters
    ----------
    newest
        The response that counts for each question.
    responses, foreign, repeated
        How many came; how many belong to another family; how many have a newer one.
    speakers
        Settings of each speaker by its label.
    names
        Slug of a speaker -> its label.
    """

    newest: list[Response] = field(default_factory=list)
    responses: int = 0
    foreign: int = 0
    repeated: int = 0
    speakers: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def take_newest(
    responses: Iterable[Response],
    ours: Callable[[Response], bool],
    question: Callable[[Response], Hashable] = lambda response: response.key,
) -> Intake:
    """Of several responses to one question, the latest that did not fail.

    Parameters
    ----------
    responses
        Of any speakers, in the order in which they came.
    ours
        Whether a response belongs to the family.
    question
        What is the same for all responses to one question: trial, settings and replicate.
    """
    intake = Intake()
    newest: dict[Hashable, Response] = {}
    for response in responses:
        intake.responses += 1
        if not ours(response):
            intake.foreign += 1
            continue
        spot = question(response)
        before = newest.get(spot)
        intake.repeated += before is not None
        if before is None or response.status != "failed" or before.status == "failed":
            newest[spot] = response
    intake.newest = list(newest.values())
    specs = {response.speaker.slug: response.speaker for response in intake.newest}
    intake.names = labels(specs.values())
    intake.speakers = {intake.names[slug]: dict(spec.settings) for slug, spec in specs.items()}
    return intake


def labels(specs: Iterable[SpeakerSpec]) -> dict[str, str]:
    """Slug -> label: the speaker's name, with mode or settings where names are the same.

    Two settings of one model are two speakers: their answers are never added up.
    """
    known = {spec.slug: spec for spec in specs}
    names = Counter(spec.name for spec in known.values())
    modes = Counter((spec.name, spec.mode) for spec in known.values())
    found: dict[str, str] = {}
    for slug, spec in known.items():
        if names[spec.name] == 1:
            found[slug] = spec.name
        else:
            alone = modes[spec.name, spec.mode] == 1
            found[slug] = f"{spec.name} ({spec.mode})" if alone else slug
    return found
