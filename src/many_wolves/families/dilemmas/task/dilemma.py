"""The repeated prisoner's dilemma: its cells, its opening, and its turns."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.contracts import Episode, Extent, Turn
from many_wolves.factorial import Factorial
from many_wolves.families.dilemmas.task import prompts
from many_wolves.families.dilemmas.task.design import (
    ANSWERS,
    CASES,
    LENGTHS,
    ORDERS,
    Material,
    as_cell,
    conditions,
    count,
    label_sets,
    probability,
    replications,
)
from many_wolves.families.dilemmas.task.partners import move, read_partner
from many_wolves.families.dilemmas.task.words import (
    fill,
    filled,
    plain_number,
    said,
    talk,
    template,
)
from many_wolves.files import canonical_json
from many_wolves.records import Choose, Message, Option, Response, Trial
from many_wolves.sources import Source

NAME = "dilemma"
MOVES = ("C", "D")
_REPORT = ("mine", "theirs", "own", "other", "total", "their_total")


def factors(design: Material, partners: Sequence[str], seed: int) -> Factorial:
    """Every cell of the game."""
    game = design.games[NAME].fields(
        ["payoffs", "lengths", "labels", "conditions", "partners"], ["replications"]
    )
    known = game["partners"].entries()
    labels = label_sets(game["labels"], 2)
    wanted = {
        "chain_of_thought": ANSWERS,
        "labels": list(labels),
        "case": CASES,
        "pronoun": list(design.words("pronouns").entries()),
        "order": ORDERS,
        "labels_reversed": ANSWERS,
    }
    return Factorial(
        {
            "by": design.participants,
            "partner": [name for name in known if not partners or name in partners],
            "length": range(len(game["lengths"].sequence())),
        }
        | conditions(game["conditions"], wanted)
        | {"copy": replications(game)},
        strata=3,
    )


def opening(design: Material, cell: Mapping[str, Any], seed: int) -> Trial:
    """The opening of the game in one cell."""
    game = design.games[NAME].entries()
    payoffs = _payoffs(game["payoffs"])
    by, name = cell["by"], str(cell["partner"])
    source = game["partners"].entries()[name]
    partner = read_partner(source)
    kept = {k: v for k, v in cell.items() if k not in ("by", "partner", "length")}
    ours = as_cell(by) | {"partner": name} | kept
    length = game["lengths"].sequence()[cell["length"]]
    kind, rounds, told = _length(design, length, f"{seed}:{canonical_json(ours)}")
    labels = label_sets(game["labels"], 2)[cell["labels"]]
    options = prompts.shown(prompts.labelled(design.words("project"), labels, MOVES, cell), cell)
    seats = prompts.seats(design, by, source, speaker="speaker" in partner)
    words = prompts.money_words(design)
    outcomes = _outcomes(design, payoffs, options, words)
    rules = [
        prompts.rules(design, NAME, seat, cell, length=told, outcomes=outcomes) for seat in seats
    ]
    block = prompts.answer_block(design, options, cell)
    return Trial(
        family="dilemmas",
        task=NAME,
        cell=ours | payoffs | {"length": kind, "rounds": rounds, "seed": seed},
        answer=Choose(options, prompts.baseline(block, cell)),
        messages=(Message("user", rules[0]),),
        script={
            "partner": partner,
            "rules": rules,
            "roles": [as_cell(seat) for seat in seats],
            "question": template(design.words(NAME, "questions", kind), "round", "rounds"),
            "report": template(design.words(NAME, "report"), *_REPORT),
            "money": words,
            "answer": block,
        },
    )


def extent(opening: Trial) -> Extent:
    """Two seats where the partner is a speaker; a turn for each seat and round."""
    seats = len(opening.script["rules"])
    return Extent(prompts.seat_names(seats), seats * int(opening.cell["rounds"]))


def turns(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The moves of the next round; none after the last, or after an answer without a choice."""
    opening, seats = episode.opening, len(episode.opening.script["rules"])
    done = len(answered) // seats
    if done == opening.cell["rounds"] or any(r.value is None for r in answered):
        return ()
    moves = [[str(r.value) for r in answered[seat::seats]] for seat in range(seats)]
    answers = [[said(r) for r in answered[seat::seats]] for seat in range(seats)]
    more: dict[str, Any] = {}
    if seats == 1:
        moves.append([str(r.cell["other"]) for r in answered])
        chance = f"{opening.cell['seed']}:{episode.id}:{episode.replicate}"
        partner = opening.script["partner"]
        played = tuple(zip(moves[1], moves[0], strict=True))
        more = {"other": move(partner, played, chance)}
    return [
        Turn(_trial(episode, seat, moves[seat], moves[1 - seat], answers[seat], more), name)
        for seat, name in enumerate(prompts.seat_names(seats))
    ]


def _trial(
    episode: Episode,
    seat: int,
    own: Sequence[str],
    other: Sequence[str],
    answers: Sequence[str],
    more: Mapping[str, Any],
) -> Trial:
    opening, script = episode.opening, episode.opening.script
    done, seats = len(own), len(script["rules"])
    cell = dict(opening.cell) | script["roles"][seat]
    if seats == 2:
        cell["partner"] = episode.speakers[1 - seat].name
    cell |= {"round": done + 1, "seat": seat, "before": own[-1] + other[-1] if done else ""}
    return Trial(
        family=opening.family,
        task=NAME,
        cell=cell | more,
        answer=opening.answer,
        messages=talk(_questions(opening, seat, own, other), answers, str(cell["case"])),
        episode=episode.id,
        turn=done * seats + seat,
    )


def _questions(opening: Trial, seat: int, own: Sequence[str], other: Sequence[str]) -> list[str]:
    """What a seat reads in every round, this one included."""
    script, rounds = opening.script, opening.cell["rounds"]
    texts = {option.id: option.text for option in opening.options}
    total, theirs, news = 0.0, 0.0, str(script["rules"][seat])
    listed = []
    for n in range(len(own) + 1):
        question = fill(script["question"], round=n + 1, rounds=rounds)
        listed.append("\n\n".join([news, question, script["answer"]]))
        if n == len(own):
            break
        got, lost = payoff(opening.cell, own[n], other[n])
        total, theirs = total + got, theirs + lost
        words = script["money"]
        news = fill(
            script["report"],
            mine=texts[own[n]],
            theirs=texts[other[n]],
            own=prompts.money(words, got),
            other=prompts.money(words, lost),
            total=prompts.money(words, total),
            their_total=prompts.money(words, theirs),
        )
    return listed


def payoff(payoffs: Mapping[str, Any], own: str, other: str) -> tuple[float, float]:
    """What a round brings to the player and to the partner, by the ``T R P S`` of a mapping."""
    names = {"CC": "RR", "CD": "ST", "DC": "TS", "DD": "PP"}[own + other]
    return float(payoffs[names[0]]), float(payoffs[names[1]])


def _payoffs(source: Source) -> dict[str, float]:
    found = {name: value.number() for name, value in source.fields(["T", "R", "P", "S"]).items()}
    if not (found["T"] > found["R"] > found["P"] > found["S"]) or (
        2 * found["R"] <= found["T"] + found["S"]
    ):
        raise source.error(
            f"expected a dilemma, T > R > P > S and 2 R > T + S, found {found}",
            "correct the payoffs",
        )
    return found


def _length(design: Material, source: Source, chance: str) -> tuple[str, int, str]:
    """Kind of length, number of rounds, and what a participant reads about it."""
    kind = next(iter(source.entries()), "")
    if kind not in LENGTHS:
        raise source.error(
            f"unknown length {kind!r}",
            "write {announced: 6}, {hidden: 6} or {geometric: 0.9, most: 60}",
        )
    words = design.words(NAME, "lengths", kind)
    if kind != "geometric":
        rounds = count(source.fields([kind])[kind])
        return kind, rounds, filled(words, rounds=rounds)
    fields = source.fields(["geometric", "most"])
    goes_on, most = probability(fields["geometric"]), count(fields["most"])
    draw, rounds = random.Random(f"{chance}:length"), 1
    while rounds < most and draw.random() < goes_on:
        rounds += 1
    return kind, rounds, filled(words, percent=plain_number(round(100 * goes_on, 2)))


def _outcomes(
    design: Material, payoffs: Mapping[str, float], options: Sequence[Option], words: str
) -> str:
    lines = []
    for mine in options:
        for theirs in options:
            own, other = payoff(payoffs, mine.id, theirs.id)
            lines.append(
                filled(
                    design.words(NAME, "outcome"),
                    mine=mine.text,
                    theirs=theirs.text,
                    own=prompts.money(words, own),
                    other=prompts.money(words, other),
                )
            )
    return "\n".join(lines)
