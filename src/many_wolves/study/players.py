"""The speakers of a study as those who sit down to a game."""

from __future__ import annotations

from pathlib import Path

from many_wolves.speakers.config import SpeakerConfig
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.study.reading import read_study
from many_wolves.study.speakers import Cast, cast


def players_of(path: Path) -> dict[str, SpeakerRequest]:
    """Every speaker x revision x effort of a study file, by its name there.

    A simulated speaker plays with ``as_player`` where the study says it, else with ``parameters``.

    Raises
    ------
    WolvesError
        If the file is at fault, or a pattern of revisions fits nothing.
    """
    return {one.name: _wanted(one) for one in cast(read_study(path))}


def _wanted(one: Cast) -> SpeakerRequest:
    entry = one.entry
    folder = Path("models") / entry.prepare if entry.prepare else entry.path
    who = {
        "provider": entry.provider,
        "model": entry.model or (one.name if entry.provider == "simulated" else ""),
        "path": folder,
        "revision": one.revision,
        "effort": one.effort,
        "base_url": entry.base_url,
        "parameters": entry.as_player or entry.parameters,
    }
    how = {name: value for name, value in one.asking.items() if name in SpeakerConfig.model_fields}
    given = {name: value for name, value in {**how, **who}.items() if value not in (None, "", {})}
    return SpeakerConfig.read(given, of=f"the speaker {one.name!r}").wanted()
