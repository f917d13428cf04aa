"""The number of questions in episodes, and an upper bound of their cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import click

from many_wolves.collection import EpisodeState
from many_wolves.commands.command import Results
from many_wolves.contracts import EpisodicFamily
from many_wolves.records import Response
from many_wolves.speakers.cost import find_price
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.collect import Games
from many_wolves.workflows.seats import Casting, Extents
from many_wolves.worlds import Episode, EpisodicWorld, TakeTurns

Known = Mapping[tuple[str, int], Mapping[str, Response]]
"""Answers by key, by episode and replicate."""


def tell(games: Games, results: Results, *, explained: bool) -> None:
    """Show what would be asked, and an upper bound of the cost."""
    episodes, extents, casting, family = (
        games.episodes, games.extents, games.casting, games.family
    )  # fmt: skip
    known = _known(casting)
    statuses = Counter(
        response.status for answers in known.values() for response in answers.values()
    )
    lines: list[str] = []
    if explained and isinstance(family, EpisodicFamily):
        lines = list(_explain(episodes, family.turns, known))
    left = max(0, extents.turns - sum(n for s, n in statuses.items() if s != "failed"))
    share = left / extents.turns if extents.turns else 0.0
    money, unknown = _price(extents, casting, share)

    def words() -> None:
        for line in lines:
            click.echo(line)
        for seat in casting.distinct.values():
            click.echo(f"speaker  {casting.specs[seat].name}")
            click.echo(f"journal  {casting.journals[seat]}")
        click.echo(f"{len(episodes):12d} episodes")
        for status, n in sorted(statuses.items()):
            click.echo(f"{n:12d} {status}")
        click.echo(f"{left:12d} calls to make, at most")
        click.echo(f"{extents.input * share:12.0f} input tokens, about")
        click.echo(f"{extents.output * share:12.0f} output tokens, about, without thoughts")
        if unknown:
            click.echo(
                f"     unknown US dollars: {unknown} is missing in the table of prices "
                "(--prices FILE)"
            )
        else:
            click.echo(f"{money:12.2f} US dollars, about")

    found = {
        "speaker": games.spec.name,
        "journals": [casting.journals[seat] for seat in casting.distinct.values()],
        "episodes": len(episodes),
        "known": dict(statuses),
        "calls": left,
        "input_tokens": extents.input * share,
        "output_tokens": extents.output * share,
        "dollars": None if unknown else money,
    }
    results.add(found | ({"trials": lines} if explained else {}), words)


def _price(extents: Extents, casting: Casting, share: float) -> tuple[float, str]:
    """The cost, as if every seat had the same number of turns, and a speaker without a price."""
    money = 0.0
    for seat, spec in casting.specs.items():
        price = find_price(spec, casting.wanted[seat].prices)
        if price is None:
            return 0.0, spec.name
        part = share / len(casting.specs)
        tokens = extents.input * part, extents.output * part
        money += price.of(*tokens, batch=casting.wanted[seat].batch)
    return money, ""


def _known(casting: Casting) -> Known:
    known: dict[tuple[str, int], dict[str, Response]] = {}
    for journal in dict.fromkeys(casting.journals.values()):
        for response in read_journal(journal).responses if journal.exists() else ():
            known.setdefault((response.episode, response.replicate), {})[response.key] = response
    return known


def _explain(episodes: Iterable[Episode], take_turns: TakeTurns, known: Known) -> Iterator[str]:
    world = EpisodicWorld(take_turns)
    for episode in episodes:
        answers = known.get((episode.id, episode.replicate), {})
        sound = {key: r for key, r in answers.items() if r.status != "failed"}
        state = EpisodeState(0, episode, world, sound, lambda: None)
        open_ = state.look()
        cell = " ".join(f"{name}={value}" for name, value in episode.opening.cell.items())
        numbers = ", ".join(str(turn.request.trial.turn + 1) for turn in open_)
        why = "will not be asked: it has ended" if state.ended else f"resumes with turn {numbers}"
        yield (
            f"{episode.id} replicate {episode.replicate} ({episode.opening.task} {cell}): "
            f"{state.met} turns answered; {why}"
        )
