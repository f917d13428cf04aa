"""What a player, a critic and a moderator are shown, as messages of a chat."""

from __future__ import annotations

from collections.abc import Iterable

from many_wolves.families.bargaining.moves import Move, Role
from many_wolves.families.bargaining.task.chain import Game, Question
from many_wolves.families.bargaining.task.script import SPEAKER_SEAT, Script
from many_wolves.records import Message


class _Chat:
    """Messages of a chat; two of the same side in a row become one."""

    def __init__(self, first: str) -> None:
        self.messages = [Message("user", first)]

    def add(self, role: str, text: str) -> None:
        """Add a text of ``user`` or ``assistant``."""
        last = self.messages[-1]
        if last.role == role:
            self.messages[-1] = Message(last.role, f"{last.content}\n\n{text}")
        else:
            self.messages.append(Message("user" if role == "user" else "assistant", text))


def player_chat(script: Script, question: Question) -> tuple[Message, ...]:
    """The chat of a player up to the message that it is to write.

    Its own messages are shown as it wrote them, without thoughts; the other side's as words, or
    words and price. If the player remembers earlier games, these and the advice after each of them
    come first.
    """
    chat = _Chat(script.rules[question.seat])
    if question.seat == SPEAKER_SEAT:
        shown = question.past if script.memory == "all" else ()
        for game in shown:
            _add_game(chat, script, question.role, game)
            chat.add("user", between(script, game, _after(question, game)))
        if question.past and not shown:
            chat.add("user", between(script, question.past[-1], question.game))
    _add_game(chat, script, question.role, question.game)
    begins = not (script.opening or question.game.utterances or script.probe_options)
    if begins or chat.messages[-1].role == "assistant":
        chat.add("user", script.texts[f"begin.{question.role}"])
    return tuple(chat.messages)


def critic_chat(script: Script, question: Question) -> tuple[Message, ...]:
    """The critic's prompt: every game so far from its client's side, instructions apart."""
    games = "\n\n".join(_game_text(script, game) for game in question.past)
    return (Message("user", script.texts["critic"].replace("{transcript}", games)),)


def moderator_chat(script: Script, question: Question) -> tuple[Message, ...]:
    """The moderator's prompt: the last messages of the game."""
    lines = _lines(script, question.game)[-script.moderator_reads :]
    return (Message("user", script.texts["moderator"].replace("{transcript}", "\n".join(lines))),)


def between(script: Script, done: Game, coming: Game) -> str:
    """The speaker's message between two games: the result, the next game, advice, and the goal."""
    texts, state = script.texts, done.state
    price = None if state.price is None else script.money.words(state.price)
    parts = [texts["deal"].replace("{price}", price) if price else texts["no_deal"], texts["next"]]
    if coming.advice:
        parts.append(texts["advice"].replace("{advice}", coming.advice))
    if coming.arm != "none":
        parts.append(texts["beat"].replace("{price}", price) if price else texts["beat_no_deal"])
    return "\n\n".join(parts)


def marked_line(script: Script, move: Move) -> str:
    """A move as a marked line: ``Offer: $15``."""
    text = script.texts[f"moves.{move.kind}"]
    return text if move.price is None else text.replace("{price}", script.money.words(move.price))


def _after(question: Question, game: Game) -> Game:
    """The game that follows on a past one."""
    return next((g for g in question.past if g.number == game.number + 1), question.game)


def _add_game(chat: _Chat, script: Script, role: Role, game: Game) -> None:
    """Add a game as one side hears it."""
    nothing_heard = len(chat.messages) == 1
    for line in script.opening:
        move = None if line.price is None else Move("offer", line.price)
        if line.role == role:
            chat.add("assistant", _own_line(script, line.text, move))
        else:
            chat.add("user", _heard(script, role, line.text, move, first=nothing_heard))
        nothing_heard = False
    for said in game.utterances:
        if said.role == role:
            chat.add("assistant", said.text)
        else:
            chat.add("user", _heard(script, role, said.words, said.move, first=nothing_heard))
        nothing_heard = False


def _own_line(script: Script, text: str, move: Move | None) -> str:
    """A scripted line of the player's own, in the form that its answers have."""
    if script.form == "marked":
        return f"{text}\n{marked_line(script, move or Move('talk'))}"
    if script.form == "json":
        import json

        kind = "talk" if move is None else move.kind
        price = None if move is None else move.price
        return json.dumps({"say": text, "move": kind, "price": price}, ensure_ascii=False)
    return text


def _heard(script: Script, role: Role, words: str, move: Move | None, *, first: bool) -> str:
    """What the other side said, as the player in a role hears it."""
    template = script.texts["heard"]
    text = template.replace("{move}", marked_line(script, move) if move is not None else "")
    heard = text.replace("{words}", words).strip()
    return script.texts[f"heard.first.{role}"].replace("{words}", heard) if first else heard


def _game_text(script: Script, game: Game) -> str:
    """A game as a critic reads it: who said what, and how it ended."""
    texts, state = script.texts, game.state
    head = texts["critic.game"].replace("{game}", str(game.number))
    price = None if state.price is None else script.money.words(state.price)
    end = texts["critic.deal"].replace("{price}", price) if price else texts["critic.no_deal"]
    return "\n".join([head, *_lines(script, game), end])


def _lines(script: Script, game: Game) -> list[str]:
    """The messages of a game, each with its writer's role."""
    said: Iterable[tuple[Role, str]] = [
        *((line.role, line.text) for line in script.opening),
        *((utterance.role, utterance.words) for utterance in game.utterances),
    ]
    return [_line(script, role, words) for role, words in said]


def _line(script: Script, role: Role, words: str) -> str:
    named = script.texts["critic.line"].replace("{role}", script.texts[f"name.{role}"])
    return named.replace("{words}", words)
