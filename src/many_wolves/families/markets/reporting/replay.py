"""A market session as a page: what each seat read, thought, answered and received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves.families.markets.reading.records import find_record, replayed
from many_wolves.families.markets.reading.tabulate import PLANNING, question_of
from many_wolves.families.markets.reporting.replay_market import from_record, from_views
from many_wolves.families.markets.rules.play import stages
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.task.cells import Played, seat_name, seat_number
from many_wolves.families.markets.task.course import OpenTurn
from many_wolves.families.markets.task.prompts import prompt
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.figures.replay import Card, Column, Message, Phase, Replay
from many_wolves.reading import take_newest
from many_wolves.records import Response, Trial
from many_wolves.worlds.session_log import Line, read_session_log

WAITING = "waiting"
_SILENT = "No answer yet."
_LATE = "The page failed at it after this receipt."


def replay(
    session: str, responses: Sequence[Response], folders: Sequence[Path], opening: Trial | None
) -> Replay:
    """A session as far as it has been played.

    Parameters
    ----------
    session
        Episode and replicate, as in the tables.
    responses
        Its answers, in the order in which they came.
    folders
        Where records and journals of sessions on servers may be.
    opening
        The trial that began it, for its wording and personas; the wording that ships where
        None.
    """
    intake = take_newest(responses, lambda response: True, question_of)
    answers = sorted(intake.newest, key=lambda response: response.turn)
    speakers = {r.seat: intake.names[r.speaker.slug] for r in answers}
    local = answers[0].cell.get("engine") == "local"
    record: SessionRecord | None
    if local:
        cards, record = _local_cards(answers, opening)
        lines: list[Line] = []
    else:
        lines = _lines(folders, session)
        cards = _server_cards(answers, lines)
        episode, _, replicate = session.rpartition("-")
        record = find_record(folders, episode, int(replicate))
    seats = sorted(cards, key=seat_number)
    own = seats if record is None else [seat_name(record.rules, n) for n in record.rules.seats]
    markets = from_views(lines) if record is None else from_record(record)
    facts = _facts(answers[0], record)
    notes = []
    if local and opening is None:
        notes.append("The pages have the shipped wording; --trials FILE gives the original one.")
    if not local and record is None:
        notes.append("The session has not ended: its markets are shown as its seats saw them.")
    phases = {card.phase: _phase(card.phase) for seat in seats for card in cards[seat]}
    return Replay(
        session,
        facts,
        tuple(phases[name] for name in _in_order(cards, answers[0])),
        tuple(Column(s, speakers.get(s, ""), tuple(cards[s])) for s in own if s in cards),
        markets,
        _messages(record, answers),
        _payoffs(record, speakers),
        tuple(notes),
        "Points of each round, and what was paid.",
    )


def _local_cards(
    answers: Sequence[Response], opening: Trial | None
) -> tuple[dict[str, list[Card]], SessionRecord]:
    """Cards of a session in process, played again from its answers."""
    rules = Played.of(answers[0].cell).rules
    script: Mapping[str, Any] = opening.script if opening else {}
    wording = script.get("wording") or read_wording()
    personas = script.get("personas") or {}
    cards: dict[str, list[Card]] = {}

    def show(
        asked: OpenTurn, schema: Mapping[str, Any], response: Response | None, why: str
    ) -> None:
        seat = seat_name(rules, asked.seat)
        persona = personas.get(seat, {"text": ""})["text"]
        messages = prompt(wording, rules, asked.view, schema, persona)
        page = messages[-1].content
        view = asked.view
        fate = WAITING if response is None else ("refused" if why else "accepted")
        place = (view.round, view.stage, view.tick)
        cards.setdefault(seat, []).append(_card(place, page, response, fate, why))

    record = replayed(answers, show)
    return cards, record


def _server_cards(answers: Sequence[Response], lines: Sequence[Line]) -> dict[str, list[Card]]:
    """Cards of a session on a server: its journal has the pages and the receipts."""
    seats = {seat_number(r.seat): r.seat for r in answers}
    count = _seat_count(answers, lines)
    by_turn = {r.turn: r for r in answers}
    receipts = {(n["seat"], n["turn"]): n for n in lines if n["event"] == "receipt"}
    late = {(n["seat"], n["turn"]) for n in lines if n["event"] == "failed_late"}
    cards: dict[str, list[Card]] = {}
    for line in lines:
        if line["event"] != "question":
            continue
        number, turn = int(line["seat"]), int(line["turn"])
        response = by_turn.get(turn * count + number - 1)
        receipt = receipts.get((number, turn), {"status": WAITING, "why": ""})
        place = line["place"]
        if isinstance(place, str):
            place = _place_of(line, place)
        seat = seats.get(number, f"seat-{number}")
        why = _LATE if (number, turn) in late else receipt["why"]
        card = _card(tuple(place), line["text"], response, receipt["status"], why)
        cards.setdefault(seat, []).append(card)
    return cards


def _seat_count(answers: Sequence[Response], lines: Sequence[Line]) -> int:
    """Number of seats: turns of a session count through all of them."""
    numbers = [int(line["seat"]) for line in lines if "seat" in line]
    return max([*numbers, *(seat_number(r.seat) for r in answers)])


def _place_of(line: Line, place: str) -> tuple[int, str, int]:
    """Round, stage and tick of a page of our oTree project; the page of another app."""
    view = line.get("view") or {}
    if "stage" in view:
        return int(view.get("round", 0)), str(view["stage"]), int(view.get("tick", 0))
    return 0, place, 0


def _card(
    place: tuple[int, str, int], page: str, response: Response | None, fate: str, why: str
) -> Card:
    round_, stage, tick = place
    phase = f"{round_}/{stage}"
    label = ", ".join(part for part in _phase(phase)[1:] if part)
    title = f"{label}, turn {tick}" if tick else label
    if response is None:
        return Card(phase, title, page, receipt=fate, why=why or _SILENT)
    action = response.value if isinstance(response.value, Mapping) else {}
    told = " ".join(part for part in (why, response.error) if part)
    return Card(phase, title, page, response.reasoning, response.text, action, fate, told)


def _lines(folders: Sequence[Path], session: str) -> list[Line]:
    """The journal that an engine kept of a session; empty where there is none."""
    for folder in folders:
        path = folder / f"{session}.seats.jsonl"
        if path.is_file():
            return read_session_log(path)
    return []


def _phase(name: str) -> Phase:
    round_, _, stage = name.partition("/")
    group = "" if "/" in stage else ("Practice" if round_ == "0" else f"Round {round_}")
    return Phase(name, group, stage if "/" in stage else stage.replace("_", " ").capitalize())


def _in_order(cards: Mapping[str, Sequence[Card]], first: Response) -> list[str]:
    """Phases in the order of the rules, those of another app as the seats met them."""
    met = list(dict.fromkeys(card.phase for column in cards.values() for card in column))
    if first.task != PLANNING:
        return met
    known = list(stages(Played.of(first.cell).rules))

    def place(phase: str) -> tuple[int, int]:
        round_, _, stage = phase.partition("/")
        return int(round_), known.index(stage) if stage in known else len(known)

    return sorted(met, key=place)


def _messages(record: SessionRecord | None, answers: Sequence[Response]) -> tuple[Message, ...]:
    """Chat of the record; of a session that runs, what was written in answers."""
    if record is not None:
        rules = record.rules
        return tuple(
            Message(
                f"{round_.number}/{line.stage}",
                seat_name(rules, line.sender),
                ", ".join(seat_name(rules, seat) for seat in line.to) or "all",
                line.text,
            )
            for round_ in record.rounds
            for line in round_.messages
        )
    return tuple(
        Message(
            f"{r.cell.get('round', 0)}/{r.cell.get('stage', '')}",
            r.seat,
            ", ".join(map(str, r.value.get("to") or ())) or "all",
            str(r.value["message"]),
        )
        for r in answers
        if isinstance(r.value, Mapping) and r.value.get("message")
    )


def _payoffs(
    record: SessionRecord | None, speakers: Mapping[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Points by round, and euro, of each seat."""
    ended = [] if record is None else [r for r in record.rounds if r.accounts]
    if record is None or not ended:
        return ()
    header = ["seat", "speaker", *(f"round {r.number}" for r in ended), "euro"]
    rows = [tuple(header)]
    for number in record.rules.seats:
        seat = seat_name(record.rules, number)
        points = [f"{r.accounts[number].payoff:,.0f}" for r in ended]
        euro = record.rewards.get(number)
        paid = "" if euro is None else f"{euro:.2f}"
        rows.append((seat, speakers.get(seat, ""), *points, paid))
    return tuple(rows)


def _facts(first: Response, record: SessionRecord | None) -> dict[str, str]:
    cell = first.cell
    facts = {"engine": str(cell.get("engine", ""))}
    if record is None:
        return facts | {"state": "it has not ended"}
    rules = record.rules
    conditions = [
        f"round {r.number}: {'project' if r.condition else 'no project'}"
        for r in record.rounds
        if r.condition is not None
    ]
    return facts | {
        "mechanism": rules.mechanism,
        "tax on the final declaration": f"{100 * rules.final_tax:g} %",
        "paid round": str(record.paid_round),
        "outcome": ", ".join(conditions) or "none yet",
        "state": "it has ended" if record.rewards else "it has not ended",
    }
