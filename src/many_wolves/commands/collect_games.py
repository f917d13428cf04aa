"""``wolves collect`` for tasks whose later questions depend on earlier answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from many_wolves.collection import AT_ONCE, Seat, Trials, play
from many_wolves.commands.collect_output import (
    FAILED,
    INTERRUPTED,
    OK,
    LoadError,
    check_folder,
    conclude,
    family_of,
    forget_fault,
    loading,
    record_fault,
    say,
)
from many_wolves.commands.dry_run import tell
from many_wolves.commands.seating import Casting, Episodes, Extents, cast, read_seats
from many_wolves.contracts import EpisodicFamily, WorldFamily
from many_wolves.errors import SettingError, WolvesError
from many_wolves.files import read_json_object
from many_wolves.records import SpeakerSpec
from many_wolves.speakers import Speaker
from many_wolves.speakers.speaker_request import LOCAL, SpeakerRequest, describe, open_speaker
from many_wolves.store.journal_lines import SESSIONS
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.worlds import EpisodicWorld, World


@dataclass(frozen=True)
class Table:
    """How episodes are played.

    Parameters
    ----------
    seats, opponent
        What ``--seat`` and ``--with`` say.
    at_once
        Episodes under way at once.
    seated
        Who sits on further seats, apart from those that ``seats`` names.
    engine, engine_options
        Where a family's questions come from, if they come from an engine.
    dry_run, explained
        Whether only to print what would be asked, and whether to explain it.
    """

    seats: tuple[str, ...] = ()
    opponent: str | None = None
    at_once: int = AT_ONCE
    engine: str = ""
    engine_options: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    explained: bool = False
    seated: Mapping[str, SpeakerRequest] = field(default_factory=dict)


def play_all(
    path: Path,
    replicates: int,
    several: list[SpeakerRequest],
    out: Path,
    family: EpisodicFamily | WorldFamily,
    table: Table,
) -> int:
    """Play the episodes of a file with each speaker; the exit status."""
    trials = Trials(path)
    family_of(list(trials.families))
    check_folder(several, out)
    extents = Extents(trials, replicates, family)
    sampled = trials.sampled or not isinstance(family, EpisodicFamily)
    statuses = []
    for wanted in several:
        try:
            named = read_seats(table.seats, table.opponent, wanted) | dict(table.seated)
            casting = cast(wanted, named, extents.seats, family.name, out, sampled=sampled)
            rehearse(casting.wanted, casting.specs, family, trials)
            episodes = Episodes(trials, replicates, casting.specs, family)
            if table.dry_run or table.explained:
                tell(episodes, extents, casting, family, explained=table.explained)
                continue
            statuses.append(ask(episodes, casting, family, table))
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


def as_proposed(wanted: SpeakerRequest, trials: Path) -> list[SpeakerRequest]:
    """The speaker with the settings that the design of the trials proposes.

    The user's settings have priority. Settings that the speaker does not support are left out, with
    a notice. A setting with several values makes several speakers.
    """
    manifest = trials.with_name(trials.name.removesuffix(".jsonl") + ".manifest.json")
    if wanted.provider == "simulated" or not manifest.is_file():
        return [wanted]
    if wanted.mode == "score" and not (wanted.thinks or Trials(trials).sampled):
        return [wanted]
    fix = "make the trials again with `wolves compile`, or remove this file"
    proposed = read_json_object(manifest, fix).get("asked_with", {})
    if not _proposals(proposed):
        raise WolvesError(
            f"expected numbers by setting in `asked_with`, found {proposed!r:.60}",
            where=manifest,
            fix=fix,
        )
    found = [wanted]
    for name, values in proposed.items():
        # An API's own limit leaves room for the thoughts that it is asked for.
        local = wanted.provider in LOCAL
        if getattr(wanted, name) is not None or (name == "max_tokens" and not local):
            continue
        told = ", ".join(f"{value:g}" for value in values)
        if local or _takes(replace(wanted, **{name: values[0]})):
            found = [replace(one, **{name: value}) for value in values for one in found]
            say(f"{name} {told}, from the design of the trials.")
        else:
            say(
                f"The design of the trials has {name} {told}, but this speaker does not support it."
            )
    return found


def _proposals(value: object) -> bool:
    """Whether a value names settings of speakers, each with numbers."""
    return isinstance(value, dict) and all(
        name in SpeakerRequest.__dataclass_fields__
        and isinstance(numbers, list)
        and numbers
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
        for name, numbers in value.items()
    )


def _takes(wanted: SpeakerRequest) -> bool:
    """Whether a speaker takes all of its settings; other faults are met when it is asked."""
    try:
        describe(wanted)
    except SettingError:
        return False
    except WolvesError:
        return True
    return True


def ask(
    episodes: Episodes, casting: Casting, family: EpisodicFamily | WorldFamily, table: Table
) -> int:
    """Play the episodes; the exit status."""
    seats = {
        seat: Seat(spec, casting.journals[seat], _opener(casting.wanted[seat], spec, family))
        for seat, spec in casting.specs.items()
    }
    world: World
    if isinstance(family, EpisodicFamily):
        world = EpisodicWorld(family.turns)
    else:
        folder = next(iter(casting.journals.values())).parent / SESSIONS
        world = family.world(table.engine, {"folder": str(folder), **table.engine_options})
    done = play(
        episodes,
        seats=seats,
        world=world,
        reader=family.read,
        say=say,
        at_once=table.at_once,
        total=len(episodes),
    )
    for journal in list(dict.fromkeys(casting.journals.values()))[1:]:
        click.echo(journal)
    unread = {s: n for s, n in done.asked.items() if s in ("unparsed", "refused", "empty")}
    if unread:
        told = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        say(f"{sum(unread.values())} answers could not be read: {told}.")
    return conclude(done, next(iter(casting.specs.values())))


def _opener(
    wanted: SpeakerRequest, spec: SpeakerSpec, family: EpisodicFamily | WorldFamily
) -> Callable[[], Speaker]:
    return lambda: loading(lambda: open_speaker(wanted, spec, family.simulator))
