"""Checks of simulated speakers before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from many_wolves.contracts import EpisodicFamily, TaskFamily, WorldFamily
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers.simulated import SimulatedSpeaker
from many_wolves.speakers.speaker_request import SpeakerRequest, open_speaker
from many_wolves.worlds import SPEAKER, Episode, Turn

_MOST = 2000
"""Number of trials that are checked; in larger files, later errors appear only when asked."""


def rehearse(
    wanted: Mapping[str, SpeakerRequest],
    specs: Mapping[str, SpeakerSpec],
    family: TaskFamily,
    trials: Iterable[Trial],
) -> None:
    """Let the simulated speakers answer their questions; of an episode, the first turns.

    Parameters
    ----------
    wanted, specs
        The speakers by seat. ``speaker`` means every seat that is not listed.
    family
        The family of the trials.
    trials
        Trials, or openings of episodes.

    Raises
    ------
    WolvesError
        If parameters are unknown, missing or unsuitable for a trial.
    """
    speakers = {
        seat: open_speaker(replace(one, delay_s=0.0), specs[seat], family.simulator)
        for seat, one in wanted.items()
        if one.provider == "simulated"
    }
    for trial, seat in _questions(family, islice(trials, _MOST), specs) if speakers else ():
        speaker = speakers.get(seat if seat in wanted else SPEAKER)
        if isinstance(speaker, SimulatedSpeaker):
            speaker.rehearse(trial)


def _questions(
    family: TaskFamily, trials: Iterable[Trial], specs: Mapping[str, SpeakerSpec]
) -> Iterator[Turn]:
    """Trials with their speakers, as far as they are known before any answer."""
    if isinstance(family, WorldFamily):
        return
    for trial in trials:
        if isinstance(family, EpisodicFamily):
            named = family.extent(trial).seats
            seats = {seat: specs[seat if seat in specs else SPEAKER] for seat in named}
            yield from family.turns(Episode(trial, 0, seats), ())
        else:
            yield Turn(trial)
