"""The speakers of a study as players of a game."""

from __future__ import annotations

from pathlib import Path

from many_wolves.speakers.config import SpeakerConfig
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.study.paths import StudyPaths
from many_wolves.study.seats import settings_of
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.study_file import read_study


def players_of(path: Path) -> dict[str, SpeakerRequest]:
    """Every speaker x revision x effort of a study file, by name.

    A simulated speaker plays with ``as_player`` if the study sets it, otherwise with
    ``parameters``.

    Raises
    ------
    WolvesError
        If the file is invalid, or a pattern of revisions matches nothing.
    """
    study = read_study(path)
    places = StudyPaths(study.study)
    return {one.name: _wanted(one, places) for one in cast(study)}


def _wanted(one: Cast, places: StudyPaths) -> SpeakerRequest:
    entry = one.entry
    settings = settings_of(
        one.model_copy(update={"parameters": entry.as_player or entry.parameters}), places
    )
    if entry.provider == "simulated":
        settings.setdefault("model", one.name)
    return SpeakerConfig.read(settings, of=f"the speaker {one.name!r}").wanted()
