"""What ``wolves collect`` does where later questions depend on earlier answers."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from many_wolves.collection import Seat, Trials, play
from many_wolves.commands.collecting import (
    FAILED,
    INTERRUPTED,
    OK,
    LoadError,
    check_folder,
    conclude,
    family_of,
    forget_fault,
    loading,
    read_parameters,
    record_fault,
    say,
)
from many_wolves.commands.episodes import Casting, Episodes, cast
from many_wolves.commands.telling import tell
from many_wolves.contracts import EpisodicFamily
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.sources import nearest
from many_wolves.speakers.wanted import LOCAL, Wanted, describe, open_speaker

ITSELF = "self"
_NAMES = {"model_type": "provider", "model_name": "model", "model_path": "path"}


def play_all(
    path: Path,
    replicates: int,
    several: list[Wanted],
    opponent: str | None,
    out: Path,
    family: EpisodicFamily,
    at_once: int,
    told: tuple[bool, bool],
) -> int:
    """Play the episodes of a file with each speaker; the exit status.

    ``opponent`` names the speaker of the second seat, as ``--with`` does. ``told``: whether
    only to tell what would be asked, and whether to explain it.
    """
    trials = Trials(path)
    family_of(list(trials.families))
    check_folder(several, out)
    statuses = []
    for wanted in several:
        seats = [wanted] + ([other_speaker(opponent, wanted)] if opponent else [])
        try:
            casting = cast(seats, family.name, out)
            episodes = Episodes(trials, replicates, casting.specs, family)
            if any(told):
                tell(episodes, casting, family, explained=told[1])
                continue
            statuses.append(ask(episodes, casting, family, at_once))
        except LoadError as fault:
            if len(several) == 1:
                raise
            record_fault(fault, wanted, out, family.name)
            statuses.append(FAILED)
        else:
            if wanted.revision and out.suffix != ".jsonl":
                forget_fault(wanted, out, family.name)
        if statuses[-1] == INTERRUPTED:
            break
    return max(statuses, default=OK)


def as_proposed(wanted: Wanted, trials: Path) -> list[Wanted]:
    """The speaker with the settings that the design of the trials proposes.

    Settings that the user gave stay; those that the speaker does not take are left out,
    and the user is told. A setting with several values makes several speakers.
    """
    manifest = trials.with_name(trials.name.removesuffix(".jsonl") + ".manifest.json")
    if wanted.provider == "simulated" or not manifest.is_file():
        return [wanted]
    if wanted.mode == "score" and not wanted.thinks:
        return [wanted]
    proposed = json.loads(manifest.read_text(encoding="utf-8")).get("asked_with", {})
    found = [wanted]
    for name, values in proposed.items():
        # An API's own limit leaves room for the thoughts that it is asked for.
        local = wanted.provider in LOCAL
        if getattr(wanted, name) is not None or (name == "max_tokens" and not local):
            continue
        told = ", ".join(f"{value:g}" for value in values)
        if local or _takes(replace(wanted, **{name: values[0]})):
            found = [replace(one, **{name: value}) for value in values for one in found]
            say(f"{name} {told}, as the design of the trials says.")
        else:
            say(f"The trials' design says {name} {told}; this speaker takes none.")
    return found


def _takes(wanted: Wanted) -> bool:
    try:
        describe(wanted)
    except WolvesError as fault:
        return "takes no" not in fault.problem
    return True


def other_speaker(words: str, first: Wanted) -> Wanted:
    """The speaker of the second seat: the first again, or the one that a file describes.

    Raises
    ------
    WolvesError
        If the file is at fault.
    """
    if words == ITSELF:
        return first
    path = Path(words)
    found = {_NAMES.get(name, name): value for name, value in read_parameters(path).items()}
    known = {field.name for field in fields(Wanted)} - {"api_key", "patience", "delay_s"}
    for name in found:
        if name not in known:
            raise WolvesError(
                f"unknown setting {name!r} of the other speaker",
                where=path,
                mend=nearest(name, known),
            )
    if isinstance(found.get("parameters"), str):
        found["parameters"] = read_parameters(path.parent / found["parameters"])
    if found.get("path"):
        found["path"] = Path(found["path"])
    return Wanted(**{"provider": "", **found}, patience=first.patience)


def ask(episodes: Episodes, casting: Casting, family: EpisodicFamily, at_once: int) -> int:
    """Play the episodes; the exit status."""
    seats = [
        Seat(spec, journal, _opener(wanted, spec, family))
        for wanted, spec, journal in zip(
            casting.wanted, casting.specs, casting.journals, strict=True
        )
    ]
    done = play(
        episodes,
        seats=seats,
        take_turns=family.turns,
        reader=family.read,
        say=say,
        at_once=at_once,
        total=len(episodes),
    )
    for journal in dict.fromkeys(casting.journals[1:]):
        if journal != casting.journals[0]:
            click.echo(journal)
    unread = {s: n for s, n in done.asked.items() if s in ("unparsed", "refused", "empty")}
    if unread:
        told = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        say(f"{sum(unread.values())} episodes ended by an answer without a choice: {told}.")
    return conclude(done, casting.specs[0])


def _opener(wanted: Wanted, spec: SpeakerSpec, family: EpisodicFamily) -> Any:
    return lambda: loading(lambda: open_speaker(wanted, spec, family.simulator))
