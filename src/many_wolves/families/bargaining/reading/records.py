"""Responses -> the games that were played, by replaying every chain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from many_wolves.families.bargaining.moves import Move, Role, other
from many_wolves.families.bargaining.reading.rows import Played, PlayedMessage
from many_wolves.families.bargaining.task.cells import script_from_cell
from many_wolves.families.bargaining.task.chain import Answer, Game, walk
from many_wolves.families.bargaining.task.partners import told_prices
from many_wolves.families.bargaining.task.script import (
    PARTNER_SEAT,
    SPEAKER_SEAT,
    Script,
)
from many_wolves.families.bargaining.task.turns import Answered
from many_wolves.files import fingerprint
from many_wolves.records import Cell, Response, SpeakerSpec

UNKNOWN = "unknown"
"""Name of a speaker whose journal is missing."""


@dataclass(frozen=True)
class Chain:
    """One chain as it was played.

    Parameters
    ----------
    script
        What of its script the cells repeat.
    cell
        Cell of one of its turns.
    episode, replicate
        Its place in the journals.
    names
        Seat -> label of the speaker.
    responses
        Turn number -> response.
    games
        Its games.
    """

    script: Script
    cell: Cell
    episode: str
    replicate: int
    names: Mapping[str, str]
    responses: Mapping[int, Response]
    games: Sequence[Game]

    @property
    def unreached(self) -> int:
        """Number of messages that cannot be placed, because an earlier answer is missing."""
        said = {u.turn for game in self.games for u in game.utterances}
        return sum(
            r.cell["kind"] == "message" and r.status != "failed" and turn not in said
            for turn, r in self.responses.items()
        )


@dataclass
class _Gathered:
    """Responses of one chain, by turn and by seat."""

    responses: dict[int, Response] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def chains(
    responses: Iterable[Response], labels: Mapping[str, str], script: Script | None = None
) -> list[Chain]:
    """The chains that responses belong to, in the order in which they began.

    Parameters
    ----------
    responses
        Of haggling, one for each turn.
    labels
        Slug of a speaker -> its label.
    script
        The script of all of them; where None, what their cells repeat of it.
    """
    gathered: dict[tuple[str, int], _Gathered] = {}
    specs: dict[str, SpeakerSpec] = {}
    for response in responses:
        specs.setdefault(response.speaker.slug, response.speaker)
        one = gathered.setdefault((response.episode, response.replicate), _Gathered())
        one.responses[response.turn] = response
        one.names[str(response.cell["seat"])] = labels[response.speaker.slug]
    silent = _Silent(specs, labels)
    return [
        _chain(episode, replicate, one, silent, script)
        for (episode, replicate), one in gathered.items()
        if any(r.cell["kind"] == "message" for r in one.responses.values())
    ]


class _Silent:
    """Finds the player of a seat without messages, from the id of the episode."""

    def __init__(self, specs: Mapping[str, SpeakerSpec], labels: Mapping[str, str]) -> None:
        self._specs, self._labels = specs, labels
        self._found: dict[tuple[str, tuple[str, ...]], Mapping[str, str]] = {}

    def names(self, episode: str, seats: tuple[str, ...]) -> Mapping[str, str]:
        """Seat -> label, for all seats; empty if the journal of one of them is missing."""
        played = episode.partition("-")[2].partition(".")[0]
        key = played, seats
        if played and key not in self._found:
            self._found[key] = self._match(played, seats)
        return self._found.get(key, {})

    def _match(self, played: str, seats: tuple[str, ...]) -> Mapping[str, str]:
        for slugs in product(self._specs, repeat=len(seats)):
            if fingerprint([self._specs[slug].settings for slug in slugs]) == played:
                return {s: self._labels[slug] for s, slug in zip(seats, slugs, strict=True)}
        return {}


def _chain(
    episode: str, replicate: int, one: _Gathered, silent: _Silent, given: Script | None
) -> Chain:
    cell = next(r.cell for r in one.responses.values() if r.cell["kind"] == "message")
    script = given or script_from_cell(cell)
    if set(script.seats) - set(one.names):
        one.names = {**silent.names(episode, script.seats), **one.names}
    known = _Known(one.responses.values(), script)
    went = walk(script, f"{episode}:{replicate}", known)
    return Chain(script, cell, episode, replicate, one.names, one.responses, went.games)


class _Known(Answered):
    """Responses as answers; what a partner did whose journal is missing follows from the next cell.

    Failed turns are no answers: their games have not ended.
    """

    def __init__(self, responses: Iterable[Response], script: Script) -> None:
        listed = [r for r in responses if r.status != "failed"]
        super().__init__(listed)
        seats = {r.cell["seat"] for r in listed}
        self._inferred: dict[int, Answer] = {}
        if script.meets_speaker and PARTNER_SEAT not in seats:
            self._inferred = _inferred(listed, script, SPEAKER_SEAT)
        elif SPEAKER_SEAT not in seats:
            self._inferred = _inferred(listed, script, PARTNER_SEAT)

    def __getitem__(self, turn: int) -> Answer:
        return self._inferred[turn] if turn in self._inferred else super().__getitem__(turn)

    def __iter__(self) -> Any:
        return iter([*super().__iter__(), *self._inferred])

    def __len__(self) -> int:
        return super().__len__() + len(self._inferred)

    def mark(self, turn: int) -> Any:
        """The key of the response, or what was inferred."""
        return self._inferred.get(turn) or super().mark(turn)


def _inferred(listed: Sequence[Response], script: Script, seat: str) -> dict[int, Answer]:
    """Messages of the other side, from the cells of those that answer them."""
    found: dict[int, Answer] = {}
    for response in listed:
        cell = response.cell
        if cell["kind"] != "message" or cell["seat"] != seat or int(cell["message"]) < 2:
            continue
        move = _heard_move(cell)
        turn = script.number(int(cell["branch"]), int(cell["game"]), 2 * int(cell["message"]) - 3)
        found[turn] = Answer("answered", "", "", move)
    return found


def _heard_move(cell: Cell) -> Move:
    """The other side's last move, as far as the game went on after it."""
    if cell["heard"] == "offer" and cell["standing"] != "":
        return Move("offer", float(cell["standing"]))
    return Move("talk")


def played(chain: Chain, numbers: Mapping[str, int]) -> list[Played]:
    """The games of a chain; ``numbers`` are the chain's numbers by speaker."""
    who = _who(chain, numbers)
    menu = _menu(chain.script)
    return [
        Played(
            terms=chain.script.terms,
            said=[
                PlayedMessage(u.role, u.move, u.status, u.before, u.turn) for u in game.utterances
            ],
            state=game.state,
            who=who,
            facts=_facts(chain, game),
            menu=menu,
        )
        for game in chain.games
    ]


def _who(chain: Chain, numbers: Mapping[str, int]) -> dict[Role, dict[str, Any]]:
    """Who plays each role; scripts, and speakers whose journal is missing, are left out."""
    script, cell, names = chain.script, chain.cell, chain.names
    met = names.get(PARTNER_SEAT, UNKNOWN) if script.meets_speaker else str(cell["partner"])
    found: dict[Role, dict[str, Any]] = {}
    if SPEAKER_SEAT in names:
        name = names[SPEAKER_SEAT]
        found[script.role] = {
            "speaker": name, "group": cell["group"], "participant": cell["participant"],
            "partner": met, "seat": SPEAKER_SEAT, "chain": numbers[name],
        }  # fmt: skip
    if PARTNER_SEAT in names:
        name = names[PARTNER_SEAT]
        found[other(script.role)] = {
            "speaker": name, "group": "", "participant": 1, "seat": PARTNER_SEAT,
            "partner": names.get(SPEAKER_SEAT, UNKNOWN), "chain": numbers[name],
        }  # fmt: skip
    return found


def _facts(chain: Chain, game: Game) -> dict[str, Any]:
    cell = chain.cell
    by_option = any(r.options for r in chain.responses.values())
    return {
        "arm": game.arm,
        "game": game.number,
        "branch": game.branch,
        "good": cell["good"],
        "form": "option" if by_option else cell["form"],
        "rule": json.loads(str(cell["rule"]))["kind"],
        "episode": chain.episode,
        "replicate": chain.replicate,
    }


def _menu(script: Script) -> list[tuple[float, float]]:
    if script.rule["kind"] != "told":
        return []
    prices = told_prices(script.rule, script.terms, script.role)
    return list(zip(prices, map(float, script.rule["odds"]), strict=True))
