"""Whole chains of games played by players with known parameters, without a journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from many_wolves.families.bargaining.reading import columns
from many_wolves.families.bargaining.reading.records import Chain, played
from many_wolves.families.bargaining.reading.rows import Row, game_rows, turn_rows
from many_wolves.families.bargaining.simulation.answers import ADVICE
from many_wolves.families.bargaining.simulation.players import check_parameters, haggle
from many_wolves.families.bargaining.task.chain import Answer, Question, Verdict, Walk, walk
from many_wolves.families.bargaining.task.script import PARTNER_SEAT, SPEAKER_SEAT, Script
from many_wolves.families.bargaining.task.turns import cell_of
from many_wolves.observations import Observations
from many_wolves.records import Trial

FAMILY = "bargaining"


def simulate_games(
    openings: Iterable[Trial],
    player: Mapping[str, Any],
    *,
    partner: Mapping[str, Any] | None = None,
    name: str = "simulated",
    seed: int = 0,
) -> Observations:
    """Tables of turns and games that a player with known parameters plays.

    Parameters
    ----------
    openings
        Chains, as a design compiles them.
    player
        Parameters of the speaker (see ``players``).
    partner
        Those of the partner where it is a speaker; without them it is the player itself.
    name
        Name of the speaker in the tables.
    seed
        Of the player's moves.

    Raises
    ------
    WolvesError
        If a parameter is unknown, or one is missing.
    """
    seats = {SPEAKER_SEAT: player, PARTNER_SEAT: player if partner is None else partner}
    for parameters in seats.values():
        check_parameters(parameters)
    names = {SPEAKER_SEAT: name, PARTNER_SEAT: name if partner is None else f"{name} (partner)"}
    turns: list[Row] = []
    games: list[Row] = []
    for number, opening in enumerate(openings):
        script = Script.of(opening.script)
        went = _go_through(opening, script, seats, number, seed)
        sat = {seat: names[seat] for seat in script.seats if seat in names}
        chain = Chain(script, opening.cell, opening.id, 0, sat, {}, went.games)
        for game in played(chain, dict.fromkeys(sat.values(), number)):
            turns += turn_rows(game)
            games += game_rows(game)
    return Observations(
        FAMILY,
        {
            "turns": columns.table(turns, columns.TURNS),
            "games": columns.table(games, columns.GAMES),
        },
        "turns",
        meta={"task": "haggle"},
    )


def _go_through(
    opening: Trial, script: Script, seats: Mapping[str, Mapping[str, Any]], number: int, seed: int
) -> Walk:
    """The chain, once every question is answered."""
    answers: dict[int, Answer] = {}
    while True:
        went = walk(script, f"{number}:{seed}", answers)
        new = {q.turn: q for q in went.questions if q.turn not in answers}
        if not new:
            return went
        for turn, question in new.items():
            rng = np.random.default_rng([seed, number, turn])
            answers[turn] = _answer(opening, script, seats, question, rng)


def _answer(
    opening: Trial,
    script: Script,
    seats: Mapping[str, Mapping[str, Any]],
    question: Question,
    rng: np.random.Generator,
) -> Answer:
    if question.kind == "critic":
        return Answer("answered", ADVICE)
    cell = cell_of(opening, script, question)
    if question.kind == "moderator":
        price = cell["rules_price"]
        state: Any = cell["rules_state"]
        return Answer("answered", verdict=Verdict(state, None if price == "" else float(price)))
    player = seats[question.seat]
    if rng.random() < float(player.get("refuses", 0.0)):
        return Answer("refused")
    return Answer("answered", move=haggle(player, cell, rng))
