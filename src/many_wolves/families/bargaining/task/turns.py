"""The turns of an episode: a pure function of its opening and the answers so far."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from many_wolves.contracts import Episode, Extent, Turn
from many_wolves.families.bargaining.moves import SELLER, Move, Role, other
from many_wolves.families.bargaining.reading.values import from_value, spoken
from many_wolves.families.bargaining.task.chain import Answer, Answers, Question, Verdict, walk
from many_wolves.families.bargaining.task.partners import told_prices
from many_wolves.families.bargaining.task.prompts import (
    critic_chat,
    marked_line,
    moderator_chat,
    player_chat,
)
from many_wolves.families.bargaining.task.rules import State, conceded
from many_wolves.families.bargaining.task.script import SPEAKER_SEAT, Script
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Answer as AnswerType
from many_wolves.records import Choose, Form, Message, Option, Response, Text, Trial

_CHARS_PER_TOKEN, _MESSAGE_TOKENS = 4, 30.0
"""For estimates: a message is a sentence and, where it is wanted, a marked line."""
MESSAGE_CHARS, ADVICE_CHARS = 2000, 4000
"""Room for a message, and for a critic's advice."""
_NUMBER = {"type": ["number", "null"]}
MOVE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "say": {"type": "string"},
        "move": {"type": "string", "enum": ["offer", "accept", "walk", "talk"]},
        "price": _NUMBER,
    },
    "required": ["say", "move", "price"],
    "additionalProperties": False,
}
"""JSON schema of a message in the form ``json``."""
VERDICT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "state": {"type": "string", "enum": ["deal", "left", "open"]},
        "price": _NUMBER,
        "closed_by": {"type": ["string", "null"], "enum": ["seller", "buyer", None]},
    },
    "required": ["state", "price", "closed_by"],
    "additionalProperties": False,
}
"""JSON schema of a moderator's answer."""


def extent(opening: Trial) -> Extent:
    """Seats of a chain, its turns at most, and about the tokens of their prompts."""
    if not opening.script:
        return Extent((SPEAKER_SEAT,), 1)
    script = Script.of(opening.script)
    branches = len(script.branches) or 1
    games = 1 + branches * (script.games - 1)
    asked = 2 if script.meets_speaker else 1
    messages = games * script.terms.rounds * asked
    moderated = 2 * games * script.terms.rounds if script.moderator > 0 else 0
    critics = (script.games - 1) if "ai" in script.arms else 0
    first = sum(len(m.content) for m in opening.messages) / _CHARS_PER_TOKEN
    # A prompt holds its game so far: half of it in the mean; with memory, earlier games too.
    own, game = script.terms.rounds, 2 * script.terms.rounds * _MESSAGE_TOKENS
    remembered = (script.games - 1) / 2 if script.memory == "all" else 0.0
    tokens = games * own * (first + game * (0.5 + remembered))
    if script.meets_speaker:
        tokens += games * own * (first + game / 2)
    tokens += critics * (first + game * script.games / 2) + moderated * 2 * first
    return Extent(script.seats, messages + moderated + critics, tokens)


def turns(episode: Episode, answered: Sequence[Response]) -> list[Turn]:
    """What is asked next, every turn at once that waits for no other; nothing at the end."""
    opening = episode.opening
    if not opening.script:
        return [] if answered else [Turn(replace(opening, episode=episode.id))]
    script = Script.of(opening.script)
    went = walk(script, f"{episode.id}:{episode.replicate}", Answered(answered))
    return [
        Turn(_trial(opening, episode.id, script, question), question.seat)
        for question in went.questions
    ]


class Answered(Answers):
    """Responses as answers, each converted when it is looked at."""

    def __init__(self, responses: Iterable[Response]) -> None:
        self._responses = {response.turn: response for response in responses}

    def __getitem__(self, turn: int) -> Answer:
        return answer_of(self._responses[turn])

    def __iter__(self) -> Iterator[int]:
        return iter(self._responses)

    def __len__(self) -> int:
        return len(self._responses)

    def mark(self, turn: int) -> Hashable:
        """What the response says: a journal of another day may hold another one of its key."""
        response = self._responses.get(turn)
        if response is None:
            return None
        return response.key, response.status, response.text, repr(response.value)


def answer_of(response: Response) -> Answer:
    """A response as the chain takes it."""
    cell, status = response.cell, response.status
    kind = cell.get("kind", "message")
    if kind == "critic":
        return Answer(status, without_thoughts(response.text))
    if kind == "moderator":
        return Answer(status, response.text, verdict=_verdict(response.value))
    move = from_value(response.value) if status == "answered" else None
    if response.options:
        words = next((o.text for o in response.options if o.id == response.value), response.text)
        return Answer(status, words, words, move)
    words = spoken(response.text, str(cell["asked_role"]), cell["form"])  # type: ignore[arg-type]
    return Answer(status, without_thoughts(response.text), words, move)


def _verdict(value: Any) -> Verdict | None:
    if not isinstance(value, Mapping):
        return None
    return Verdict(value["state"], value.get("price"), value.get("closed_by"))


def _trial(opening: Trial, episode: str, script: Script, question: Question) -> Trial:
    """The trial of an open question."""
    answer = _answer_type(script, question)
    return Trial(
        family=opening.family,
        task=opening.task,
        cell=cell_of(opening, script, question),
        answer=answer,
        messages=_messages(script, question, answer),
        episode=episode,
        turn=question.turn,
        seat=question.seat if len(script.seats) > 1 else "",
    )


def _answer_type(script: Script, question: Question) -> AnswerType:
    """What kind of answer a question wants."""
    if question.kind == "critic":
        return Text(ADVICE_CHARS)
    if question.kind == "moderator":
        return Form(VERDICT)
    options = _options(script, question)
    if options:
        return Choose(options, (Message("user", _block(script, options)),))
    return Form(MOVE) if script.form == "json" else Text(MESSAGE_CHARS)


def question_messages(script: Script, question: Question) -> tuple[Message, ...]:
    """The messages of an open question, as its seat reads them."""
    return _messages(script, question, _answer_type(script, question))


def _messages(script: Script, question: Question, answer: AnswerType) -> tuple[Message, ...]:
    if question.kind == "critic":
        return critic_chat(script, question)
    if question.kind == "moderator":
        return moderator_chat(script, question)
    chat = player_chat(script, question)
    if not isinstance(answer, Choose):
        return chat
    last, block = chat[-1], _block(script, answer.options)
    return (*chat[:-1], replace(last, content=f"{last.content}\n\n{block}"))


def _block(script: Script, options: Sequence[Option]) -> str:
    return script.texts["options"].replace("{options}", "\n".join(o.text for o in options))


def _options(script: Script, question: Question) -> tuple[Option, ...]:
    """The options of a probe that is answered by one; none in other games."""
    if not script.probe_options or question.role != script.role:
        return ()
    if script.rule["kind"] == "last":
        return tuple(Option(k, script.texts[f"moves.{k}"]) for k in ("accept", "walk"))
    prices = told_prices(script.rule, script.terms, script.role)
    return tuple(
        Option(f"{price:g}", marked_line(script, Move("offer", price))) for price in prices
    )


def cell_of(opening: Trial, script: Script, question: Question) -> dict[str, str | int | float]:
    """The cell of a question: the chain's, its place in it, and where the game stands."""
    cell = dict(opening.cell)
    game = question.game
    cell |= {
        "kind": question.kind,
        "seat": question.seat,
        "asked_role": question.role,
        "branch": game.branch,
        "arm": game.arm,
        "game": game.number,
    }
    if question.kind == "message":
        cell |= _standing(script, question.role, game.state) | _heard(script, question)
        cell |= _recalled(script, question)
    if question.kind == "moderator":
        cell |= _rules_say(game.state)
    return cell


def _rules_say(state: State) -> dict[str, str | int | float]:
    """Where the rules see a game that a moderator reads; the moderator is not shown it."""
    says = {"deal": "deal", "walked": "left"}.get(state.ended, "open")
    return {
        "message": state.messages,
        "rules_state": says,
        "rules_price": "" if state.price is None else state.price,
    }


def _standing(script: Script, role: Role, state: State) -> dict[str, str | int | float]:
    """Where the game stands for who is to write."""
    own, standing = state.standing(role), state.standing(other(role))
    terms = script.terms
    first = terms.seller_first if role == SELLER else terms.buyer_first
    return {
        "message": state.messages + 1,
        "round": state.messages // 2 + 1,
        "own_before": "" if own is None else own,
        "standing": "" if standing is None else standing,
        "own_first": "" if first is None else first,
        "bundle": "yes" if state.bundle(other(role)) else "no",
    }


def _recalled(script: Script, question: Question) -> dict[str, str | int | float]:
    """What the other side offered when the speaker last wrote, and what it gave up since."""
    role, rival = question.role, other(question.role)
    terms, said = script.terms, question.game.utterances
    own = next((u for u in reversed(said) if u.role == role), None)
    last = next((u for u in reversed(said) if u.role == rival), None)
    first = terms.buyer_first if role == SELLER else terms.seller_first
    before = first if own is None else own.before.standing(rival)
    given_up = None if last is None else conceded(last.before, rival, last.move)
    return {
        "standing_before": "" if before is None else before,
        "other_conceded": "" if given_up is None else round(given_up, 6),
    }


def _heard(script: Script, question: Question) -> dict[str, str | int | float]:
    """What the other side said last: the kind of its move, and a script's words."""
    last = next(
        (said for said in reversed(question.game.utterances) if said.role != question.role), None
    )
    if last is None:
        priced = [line for line in script.opening if line.role != question.role and line.price]
        return {"heard": "offer" if priced else ""}
    heard = str(last.move.kind) if last.move is not None else ""
    return {"heard": heard, **({} if last.seat else {"heard_words": last.words})}
