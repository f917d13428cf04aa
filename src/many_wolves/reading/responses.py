"""Selects the responses that count, and labels their speakers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from many_wolves.records import Response, SpeakerSpec


@dataclass
class Intake:
    """The incoming responses; every one is counted in a number or is among ``newest``.

    Parameters
    ----------
    newest
        The response that counts for each question.
    responses, foreign, repeated
        Number of responses; number from another family; number with a newer response.
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
    """For every question, the latest response that did not fail.

    Parameters
    ----------
    responses
        Responses of any speakers, in the order of arrival.
    ours
        Whether a response belongs to the family.
    question
        Key of a question: trial, settings and replicate.
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
    """Slug -> label: the speaker's name, with mode or settings if names are not unique.

    Two settings of one model are two speakers, whose answers are never pooled.
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
