"""Chains of games as a text log of the published kind: dialogue, end, price, feedback, means."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from many_wolves.counting import number_of
from many_wolves.families.bargaining.task.chain import Game, walk
from many_wolves.families.bargaining.task.script import Script
from many_wolves.families.bargaining.task.turns import Answered
from many_wolves.records import Response
from many_wolves.worlds import Episode

_ENDS: Mapping[str, str] = {
    "deal": "deal",
    "walked": "somebody walked away",
    "cap": "no deal within the rounds",
    "unparsed": "a message that could not be read",
    "refused": "a speaker that refused the task",
    "": "not finished",
}


def log_lines(
    episodes: Iterable[tuple[Episode, Sequence[Response]]], version: str = ""
) -> Iterator[str]:
    """The log of some chains, line by line.

    A game without a deal has no price, and its chain goes on. Means and standard deviations are of
    deals; the number of games is given with them.

    Parameters
    ----------
    episodes
        Episodes with the responses to their turns; failed ones are left out here.
    version
        A name for the run, repeated in each heading.
    """
    prices: dict[tuple[int, str], list[float | None]] = {}
    listed = list(episodes)
    for number, (episode, responses) in enumerate(listed):
        script = Script.of(episode.opening.script)
        answers = Answered(r for r in responses if r.status != "failed")
        games = walk(script, f"{episode.id}:{episode.replicate}", answers).games
        yield f"==== ver {version} CASE {number} / {len(listed)} ===="
        for game in games:
            yield from _game_lines(script, game)
            if game.ended:
                prices.setdefault((game.number, game.arm), []).append(game.state.price)
        yield "Price trace:"
        for game in games:
            arm = f" ({game.arm})" if game.arm else ""
            yield f"  run {game.number}{arm}: {_price(game.state.price)}"
        yield ""
    for (number, arm), found in sorted(prices.items()):
        yield _mean_line(number, arm, found)
    yield f"{len(listed)} runs"


def _game_lines(script: Script, game: Game) -> Iterator[str]:
    arm = f" ({game.arm})" if game.arm else ""
    if game.advice:
        yield "FEEDBACK:"
        yield from (f"  {line}" for line in game.advice.splitlines())
    yield f"==== RUN {game.number}{arm} ===="
    for line in script.opening:
        yield _spoken(line.role, line.text)
    yield "---- start bargaining ----"
    for said in game.utterances:
        yield _spoken(said.role, said.text)
        if said.verdict is not None:
            yield f"MODERATE: {said.verdict.state}"
    yield f"ENDED: {_ENDS.get(game.state.ended, game.state.ended)}"
    yield f"PRICE: {_price(game.state.price)}"


def _spoken(role: str, text: str) -> str:
    return f"  {role}: " + "\n    ".join(text.strip().splitlines() or [""])


def _price(price: float | None) -> str:
    return "none" if price is None else f"{price:.2f}"


def _mean_line(number: int, arm: str, found: Sequence[float | None]) -> str:
    deals = [price for price in found if price is not None]
    count = f"{number_of(len(deals), 'deal')} of {number_of(len(found), 'game')}"
    words = f"Round {number}{f' {arm}' if arm else ''}: {count}"
    if not deals:
        return words
    spread = f" std: {statistics.pstdev(deals):.2f}" if len(deals) > 1 else ""
    return f"{words}, price: {statistics.fmean(deals):.2f}{spread}"
