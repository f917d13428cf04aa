"""Designs -> openings of sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from many_wolves.contracts import Compiled
from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.parameters import ROLES, Rules
from many_wolves.families.markets.rules.words import Wording, as_text, instructions
from many_wolves.families.markets.task.cells import Played, seat_name
from many_wolves.families.markets.task.course import turns_by_role
from many_wolves.families.markets.task.design import OTreeDesign, PlanningDesign
from many_wolves.families.markets.task.personas import Personas, read_personas
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.files import file_fingerprint
from many_wolves.records import Form, Message, Trial
from many_wolves.sources import read_mapping

FAMILY = "markets"
PLANNING, OTREE = "planning", "otree"
OPENING = Form({"type": "object"})
"""Answer type of an opening, which nobody answers."""
FACTORS = ("mechanism", "final_tax", "lab_session")

PAGE_CHARACTERS = 900
"""Characters of a page and its form, for estimates of cost."""
HISTORY_CHARACTERS = 150
"""Characters that each finished round adds to the pages of later ones."""


def compile_planning(design: PlanningDesign) -> Compiled:
    """Openings of the spatial planning experiment: mechanisms by tax rates by draws.

    Raises
    ------
    WolvesError
        If a file is at fault, or the rules or draws do not go together.
    """
    personas = read_personas(design.personas, ROLES)
    wording = read_wording(design.templates)
    played = list(_sessions(design))
    facts = {
        "seed": design.seed,
        "draws": design.draws,
        "personas": sorted(personas.texts),
        "sources": {path.name: file_fingerprint(path) for path in design.files()},
    }
    notes = tuple(_notes(design, played))
    return Compiled((_opening(one, personas, wording) for one in played), facts, FACTORS, notes)


def rules_of_design(design: PlanningDesign, mechanism: str) -> Rules:
    """The rules of a mechanism in a design, at the first of its tax rates.

    Raises
    ------
    WolvesError
        If the file of rules is at fault, or they cannot be played.
    """
    tax = design.final_tax[0] if design.final_tax else None
    return _rules(design, mechanism, tax, read_changes(design.rules))


def _sessions(design: PlanningDesign) -> Iterator[Played]:
    changed = read_changes(design.rules)
    for mechanism in design.mechanism:
        for tax in design.final_tax or (None,):
            rules = _rules(design, mechanism, tax, changed)
            for number in range(1, design.sessions + 1):
                lab = number if design.draws == "lab" else 0
                played = Played(rules, 1000 * design.seed + number, lab)
                try:
                    played.draws  # noqa: B018
                except (KeyError, IndexError, ValueError) as fault:
                    raise WolvesError(
                        f"the lab's draws do not fit these rules: {fault}",
                        fix="add --draws random",
                    ) from fault
                yield played


def _rules(
    design: PlanningDesign, mechanism: str, tax: float | None, changed: Mapping[str, Any]
) -> Rules:
    """The lab's rules of a mechanism, with what the file and the options change."""
    lab = Rules.lab(mechanism)
    given = {
        "final_tax": tax,
        "first_tax": design.first_tax,
        "rounds": design.paid_rounds,
        "practice": design.practice,
        "ticks": design.ticks,
        "talk": design.talk,
    }
    if mechanism == "voting":
        given = {k: v for k, v in given.items() if k not in ("final_tax", "first_tax", "ticks")}
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        rules = Rules.from_json({**lab.to_json(), **changed, **chosen})
        if design.speculators is not None and mechanism != "voting":
            rules = replace(rules, speculator=replace(rules.speculator, count=design.speculators))
    except (TypeError, ValueError, KeyError, AttributeError) as fault:
        raise WolvesError(
            f"these rules cannot be played: {fault}",
            where=design.rules,
            fix="docs/explanation/markets.md lists the parameters and their ranges",
        ) from fault
    return rules


def read_changes(path: Path | None) -> dict[str, Any]:
    """Parameters of a rules file, by their names; none without a path.

    Raises
    ------
    WolvesError
        If it cannot be read, or holds none.
    """
    return {} if path is None else read_mapping(path)


def _opening(played: Played, personas: Personas, wording: Wording) -> Trial:
    """The opening of a session; its script holds the wording and the personas of its seats."""
    rules = played.rules
    seated = personas.seat({number: rules.role(number) for number in rules.seats})
    script: dict[str, Any] = {
        "wording": wording,
        "personas": {
            seat_name(rules, number): {"name": name, "text": personas.texts[name]}
            for number, name in seated.items()
        },
    }
    text = as_text(instructions(wording, rules, 1))
    return Trial(
        FAMILY, PLANNING, played.cell(), OPENING, messages=(Message("system", text),), script=script
    )


def _notes(design: PlanningDesign, played: list[Played]) -> Iterator[str]:
    markets = [one.rules for one in played if one.rules.mechanism != "voting"]
    if markets and len({rules.final_tax for rules in markets}) == 1:
        yield (
            "With one rate of the final tax, fits of declared values can hardly separate beliefs "
            "about purchases from loss aversion. Use --final-tax 0.1,0.33,0.5."
        )


def extent_of(opening: Trial) -> tuple[tuple[str, ...], int, float]:
    """Seats, turns and tokens of the session that an opening begins."""
    if opening.task == OTREE:
        number = int(opening.cell["participants"])
        return tuple(f"participant-{n}" for n in range(1, number + 1)), 200 * number, 0.0
    rules = Played.of(opening.cell).rules
    turns = turns_by_role(rules)
    names = tuple(seat_name(rules, number) for number in rules.seats)
    rounds = len(rules.round_numbers)
    text = sum(len(message.content) for message in opening.messages)
    each = text + PAGE_CHARACTERS + HISTORY_CHARACTERS * (rounds - 1) / 2
    total = sum(turns[rules.role(number)] for number in rules.seats)
    return names, total, total * each / 4


def compile_otree(design: OTreeDesign) -> Compiled:
    """Openings of sessions of any oTree app.

    Raises
    ------
    WolvesError
        If the configuration has no name, or a file is at fault.
    """
    if not design.config:
        raise WolvesError(
            "the name of the session's configuration is missing",
            fix="--config NAME, as in settings.py; or --task planning for our own experiment",
        )
    personas = read_personas(design.personas, ("participant",))
    seated = personas.seat(dict.fromkeys(range(1, design.participants + 1), "participant"))
    script = {
        "changes": dict(design.changes),
        "personas": {
            f"participant-{number}": {"name": name, "text": personas.texts[name]}
            for number, name in seated.items()
        },
    }
    openings = (
        Trial(
            FAMILY,
            OTREE,
            {"config": design.config, "participants": design.participants, "number": number},
            OPENING,
            messages=(),
            script=script,
        )
        for number in range(1, design.sessions + 1)
    )
    project = design.project
    facts = {"project": "" if project is None else project.name, "config": design.config}
    return Compiled(openings, facts, ("config",))
