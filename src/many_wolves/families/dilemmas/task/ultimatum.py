"""The ultimatum game in rounds of alternating roles: its cells, its opening, its turns."""

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
    ORDERS,
    Material,
    amounts,
    as_cell,
    chosen,
    conditions,
    count,
    replications,
)
from many_wolves.families.dilemmas.task.ultimatum_talk import REPORTS, Round, questions
from many_wolves.families.dilemmas.task.words import (
    cased,
    filled,
    plain_number,
    said,
    talk,
    template,
)
from many_wolves.records import Choose, Message, Option, Response, Trial
from many_wolves.sources import Source, quoted

NAME = "ultimatum"
ROLES = ("proposer", "responder")


def factors(design: Material, partners: Sequence[str], seed: int) -> Factorial:
    """Every cell of the game."""
    game = design.games[NAME].fields(
        ["endowment", "offers", "rounds", "starts", "conditions", "partners"], ["replications"]
    )
    wanted = {
        "chain_of_thought": ANSWERS,
        "case": CASES,
        "pronoun": list(design.words("pronouns").entries()),
        "order": ORDERS,
    }
    known = game["partners"].entries()
    return Factorial(
        {
            "by": design.participants,
            "partner": [name for name in known if not partners or name in partners],
            "starts": chosen(game["starts"], ROLES),
        }
        | conditions(game["conditions"], wanted)
        | {"copy": replications(game)},
        strata=3,
    )


def opening(design: Material, cell: Mapping[str, Any], seed: int) -> Trial:
    """The opening of the game in one cell."""
    game = design.games[NAME].entries()
    endowment, rounds = game["endowment"].number(), count(game["rounds"])
    offers = _offers(game["offers"], endowment)
    by, name = cell["by"], str(cell["partner"])
    source = game["partners"].entries()[name]
    partner = _partner(source, offers)
    seats = prompts.seats(design, by, source, speaker="speaker" in partner)
    words = prompts.money_words(design)
    told = {"endowment": prompts.money(words, endowment), "rounds": rounds}
    kept = {k: v for k, v in cell.items() if k not in ("by", "partner")}
    rules = [prompts.rules(design, NAME, seat, cell, **told) for seat in seats]
    texts = {
        plain_number(offer): filled(design.words(NAME, "offer"), amount=prompts.money(words, offer))
        for offer in offers
    }
    script: dict[str, Any] = {
        "partner": partner,
        "rules": rules,
        "roles": [as_cell(seat) for seat in seats],
        "propose": template(design.words(NAME, "propose"), "round", "rounds", "endowment"),
        "respond": template(design.words(NAME, "respond"), "round", "rounds", "amount", "rest"),
        "reports": {
            id: template(design.words(NAME, "reports", id), *names) for id, names in REPORTS.items()
        },
        "money": words,
        "proposer": _choice(design, texts, cell),
        "responder": _choice(
            design, {id: design.words(NAME, id).words() for id in ("accept", "reject")}, cell
        ),
    }
    return Trial(
        family="dilemmas",
        task=NAME,
        cell=as_cell(by)
        | {"partner": name}
        | kept
        | {"rounds": rounds, "endowment": endowment, "seed": seed},
        answer=Choose(tuple(Option(*option) for option in script[cell["starts"]]["options"])),
        messages=(Message("user", rules[0]),),
        script=script,
    )


def _offers(source: Source, endowment: float) -> list[int | float]:
    """What may be offered."""
    offers = amounts(source)
    if max(offers) > endowment:
        raise source.error(
            f"expected offers of at most {plain_number(endowment)}, found "
            f"{plain_number(max(offers))}",
            "leave it out, or raise `endowment`",
        )
    return offers


def _choice(design: Material, texts: Mapping[str, str], cell: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the order of the cell, and how to answer."""
    cased_texts = {id: cased(text, str(cell["case"])) for id, text in texts.items()}
    options = prompts.shown(cased_texts, cell)
    return {
        "options": [[option.id, option.text] for option in options],
        "answer": prompts.answer_block(design, options, cell),
    }


def _partner(source: Source, offers: Sequence[float]) -> dict[str, Any]:
    """A partner of ``games.yaml``: what it offers, and from where it accepts."""
    found = source.entries()
    if "speaker" in found:
        source.fields(["speaker"], ["role"])["speaker"].flag()
        return {"speaker": True}
    fields = source.fields(["offers", "accepts_from"], ["opening"])
    partner: dict[str, Any] = {"accepts_from": fields["accepts_from"].number()}
    if fields["offers"].listed:
        listed = amounts(fields["offers"])
    elif fields["offers"].words() == "mirror":
        if "opening" not in fields:
            raise source.error("expected `opening` with `offers: mirror`", "add `opening: 5`")
        partner["mirror"] = True
        listed = [fields["opening"].number()]
    else:
        listed = [fields["offers"].number()]
    if wrong := [offer for offer in listed if offer not in offers]:
        raise fields["offers"].error(
            f"the partner's offers {quoted(map(plain_number, wrong))} are not among the game's",
            "choose among `offers` of the game",
        )
    return partner | {"offers": listed}


def extent(opening: Trial) -> Extent:
    """Two seats where the partner is a speaker; a turn for each seat and round."""
    seats = len(opening.script["rules"])
    return Extent(prompts.seat_names(seats), seats * int(opening.cell["rounds"]))


def turns(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The next turn; none after the last, or after an answer without a choice."""
    cell, script = episode.opening.cell, episode.opening.script
    if any(r.value is None for r in answered):
        return ()
    rounds, seats = _rounds(episode, answered), len(script["rules"])
    pending = bool(rounds) and rounds[-1].accepted is None
    if len(rounds) == cell["rounds"] and not pending:
        return ()
    n = len(rounds) - pending + 1
    proposer = _proposer(cell, n)
    if pending:
        return (_turn(episode, answered, rounds, n, 1 - proposer, rounds[-1].offer),)
    if seats == 2 or proposer == 0:
        return (_turn(episode, answered, rounds, n, proposer, None),)
    mine = [r.offer for r in rounds if r.proposer == 0]
    chance = f"{cell['seed']}:{episode.id}:{episode.replicate}:{n}"
    offer = _offer(script["partner"], mine, chance)
    return (_turn(episode, answered, rounds, n, 0, offer),)


def _offer(partner: Mapping[str, Any], met: Sequence[float], chance: str) -> float:
    """What a scripted partner proposes, after the proposals that it met."""
    if partner.get("mirror") and met:
        return met[-1]
    return float(random.Random(chance).choice(partner["offers"]))


def _proposer(cell: Mapping[str, Any], n: int) -> int:
    """The seat that proposes in round ``n``."""
    first = 0 if cell["starts"] == "proposer" else 1
    return (first + n - 1) % 2


def _rounds(episode: Episode, answered: Sequence[Response]) -> list[Round]:
    """What was played; the last round may lack its reply."""
    rounds: list[Round] = []
    for response in answered:
        cell = response.cell
        proposer = _proposer(episode.opening.cell, int(cell["round"]))
        if cell["role"] == "responder":
            accepted = response.value == "accept"
            if len(episode.speakers) == 2:
                rounds.pop()
            rounds.append(Round(proposer, float(cell["offer"]), accepted))
        else:
            offer = float(str(response.value))
            scripted = "accepts_from" in cell
            accepted_by = offer >= float(cell["accepts_from"]) if scripted else None
            rounds.append(Round(proposer, offer, accepted_by))
    return rounds


def _turn(
    episode: Episode,
    answered: Sequence[Response],
    rounds: Sequence[Round],
    n: int,
    seat: int,
    offer: float | None,
) -> Turn:
    """The turn of a seat in round ``n``: it replies to an offer, or makes one."""
    opening, script = episode.opening, episode.opening.script
    seats, role = len(script["rules"]), ROLES[offer is not None]
    cell = dict(opening.cell) | script["roles"][seat] | {"round": n, "seat": seat, "role": role}
    if seats == 2:
        cell["partner"] = episode.speakers[1 - seat].name
    if offer is not None:
        cell["offer"] = offer
    elif seats == 1:
        cell["accepts_from"] = script["partner"]["accepts_from"]
    mine = [r for r in answered if r.cell["seat"] == seat]
    told = questions(opening, seat, rounds[: n - 1], offer)
    trial = Trial(
        family=opening.family,
        task=NAME,
        cell=cell,
        answer=Choose(
            tuple(Option(*option) for option in script[role]["options"]),
            prompts.baseline(script[role]["answer"], cell),
        ),
        messages=talk(told, [said(r) for r in mine], str(cell["case"])),
        episode=episode.id,
        turn=n - 1 if seats == 1 else 2 * (n - 1) + (offer is not None),
    )
    return Turn(trial, prompts.seat_names(seats)[seat])
