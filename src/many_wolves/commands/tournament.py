"""``wolves tournament``: play every speaker against every other in the same episodes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import click

from many_wolves import families
from many_wolves.collection import AT_ONCE
from many_wolves.commands.collect_output import OK, act, failing, interrupted, say
from many_wolves.commands.command import Results
from many_wolves.commands.command import command as wolves_command
from many_wolves.contracts import EpisodicFamily
from many_wolves.errors import WolvesError
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.workflows.collect import Collection, Table, family_in
from many_wolves.workflows.seats import PARTNER, read_seats, speaker_of_file


@wolves_command("tournament", as_json=True)
@click.argument("trials", type=click.Path(path_type=Path))
@click.argument(
    "players", nargs=-1, type=click.Path(path_type=Path), metavar="STUDY.yaml|FILE.json ..."
)
@click.option(
    "--replicates",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    help="Number of times that each pair plays every trial.",
)
@click.option(
    "--itself/--not-itself",
    default=True,
    show_default=True,
    help="Whether each speaker also plays against itself.",
)
@click.option(
    "--seat",
    "seats",
    multiple=True,
    metavar="NAME=FILE.json|self",
    help="Speaker for a further seat, such as critic, in all episodes.",
)
@click.option(
    "--at_once", type=click.IntRange(1), default=AT_ONCE, show_default=True,
    help="Number of games played at once.",
)  # fmt: skip
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("llm-output"),
    show_default=True,
    help="Folder of journals.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the numbers of calls and tokens and the cost; ask nothing.",
)
def command(
    *,
    trials: Path,
    players: tuple[Path, ...],
    replicates: int,
    itself: bool,
    seats: tuple[str, ...],
    at_once: int,
    out: Path,
    dry_run: bool,
) -> int:
    """Play all ordered pairs of speakers: the first in the seat `speaker`, the second in `partner`.

    TRIALS are openings for two speakers, for instance from `wolves compile --task haggle --preset
    tournament`; every pair plays the same ones. Each FILE.json describes a speaker by
    the options of `wolves collect`; STUDY.yaml means all speakers of a study file.
    Every speaker has one journal. If you run the command again, it asks only missing answers.
    """
    read = _read(players)
    if len(read) < 2:
        raise WolvesError(
            f"expected two speakers or more, found {len(read)}",
            fix="wolves tournament TRIALS study.yaml; or each in a file: one.json two.json",
        )
    if out.suffix == ".jsonl":
        raise WolvesError(
            "expected a folder, found one journal", where=out,
            fix="give a folder with --out: each speaker has a separate journal",
        )  # fmt: skip
    family = families.get(family_in(trials))
    if not isinstance(family, EpisodicFamily):
        raise WolvesError(
            f"the family {family.name!r} has no games for two speakers",
            where=trials,
            fix="wolves compile --task haggle --preset tournament",
        )
    pairs = [(a, b) for a, b in product(read, read) if itself or a != b]
    others = read_seats(seats, None, RetryPolicy())
    statuses, results = [], Results("pairs")
    do = act(dry_run, False, results)
    for number, (one, two) in enumerate(pairs, start=1):
        say(f"{number}/{len(pairs)}: {one} against {two}")
        table = Table({**others, PARTNER: read[two]}, at_once)
        collection = Collection(trials, out, replicates, table)
        statuses += collection.each([read[one]], do, failing(results), interrupted)
        if interrupted(statuses[-1]):
            break
    results.close()
    return max(statuses, default=OK)


def _read(files: tuple[Path, ...]) -> dict[str, SpeakerRequest]:
    """The speakers that the files describe, by the name of the file or their name in the study."""
    found: dict[str, SpeakerRequest] = {}
    for file in dict.fromkeys(files):
        if file.suffix in (".yaml", ".yml"):
            from many_wolves.study.players import players_of

            several = players_of(file)
        else:
            several = {str(file.with_suffix("")): speaker_of_file(file)}
        twice = sorted(found.keys() & several.keys())
        if twice:
            raise WolvesError(
                f"the speaker {twice[0]!r} is a duplicate", where=file, fix="leave one out"
            )
        found |= several
    return found
