"""What would be asked of episodes, and what it would cost at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from many_wolves.collection.course import Course
from many_wolves.commands.episodes import Casting, Episodes
from many_wolves.contracts import EpisodicFamily
from many_wolves.journals import read_journal
from many_wolves.records import Response
from many_wolves.speakers.cost import find_price

_ANSWER_TOKENS = 12.0


def tell(episodes: Episodes, casting: Casting, family: EpisodicFamily, *, explained: bool) -> None:
    """Print what would be asked, and what it would cost at most."""
    known = _known(casting.journals)
    statuses = Counter(
        response.status for answers in known.values() for response in answers.values()
    )
    if explained:
        for line in _explain(episodes, family, known):
            click.echo(line)
    for spec, journal in zip(casting.specs, casting.journals, strict=True):
        click.echo(f"speaker  {spec.name}")
        click.echo(f"journal  {journal}")
    click.echo(f"{len(episodes):12d} episodes")
    for status, n in sorted(statuses.items()):
        click.echo(f"{n:12d} {status}")
    left = max(0, episodes.turns - sum(n for s, n in statuses.items() if s != "failed"))
    click.echo(f"{left:12d} calls to make, at most")
    share = left / episodes.turns if episodes.turns else 0.0
    tokens = episodes.input * share
    click.echo(f"{tokens:12.0f} input tokens, about")
    click.echo(f"{left * _ANSWER_TOKENS:12.0f} output tokens, about, without thoughts")
    price = find_price(casting.specs[0], casting.wanted[0].prices)
    if price is None:
        click.echo("     unknown US dollars: the table of prices lacks this model (--prices FILE)")
        return
    money = price.of(tokens, left * _ANSWER_TOKENS, batch=casting.wanted[0].batch)
    click.echo(f"{money:12.2f} US dollars, about")


def _known(journals: Sequence[Path]) -> dict[tuple[str, int], dict[str, Response]]:
    """Answers by episode and replicate."""
    known: dict[tuple[str, int], dict[str, Response]] = {}
    for journal in dict.fromkeys(journals):
        for response in read_journal(journal).responses if journal.exists() else ():
            known.setdefault((response.episode, response.replicate), {})[response.key] = response
    return known


def _explain(
    episodes: Episodes,
    family: EpisodicFamily,
    known: Mapping[tuple[str, int], Mapping[str, Response]],
) -> Iterator[str]:
    for episode in episodes:
        answers = known.get((episode.id, episode.replicate), {})
        sound = {key: r for key, r in answers.items() if r.status != "failed"}
        course = Course(episode, family.turns, sound)
        cell = " ".join(f"{name}={value}" for name, value in episode.opening.cell.items())
        numbers = ", ".join(str(request.trial.turn + 1) for _, request in course.open.values())
        why = "will not be asked: it has ended" if course.ended else f"goes on with turn {numbers}"
        yield (
            f"{episode.id} replicate {episode.replicate} ({episode.opening.task} {cell}): "
            f"{course.met} turns answered; {why}"
        )
