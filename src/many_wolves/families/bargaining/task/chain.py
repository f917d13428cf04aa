"""Replay of a chain of games from its answers: the games so far, and the next question."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from threading import Lock
from typing import Literal

from many_wolves.families.bargaining.moves import Move, Role, other
from many_wolves.families.bargaining.task.partners import View, partner_move
from many_wolves.families.bargaining.task.rules import Ended, State, after, begin, cut, mover
from many_wolves.families.bargaining.task.script import (
    CRITIC_SEAT,
    MODERATOR_SEAT,
    PARTNER_SEAT,
    SPEAKER_SEAT,
    Script,
)

Kind = Literal["message", "critic", "moderator"]
NO_MOVE: Mapping[str, Ended] = {
    "refused": "refused",
    "empty": "unparsed",
    "unparsed": "unparsed",
    "failed": "failed",
}
"""Status of an answer without a move -> how its game ends."""


@dataclass(frozen=True)
class Verdict:
    """Where a moderator says that a game stands."""

    state: Literal["deal", "left", "open"]
    price: float | None = None
    closed_by: Role | None = None


@dataclass(frozen=True)
class Answer:
    """What was answered to a turn: its status, and by kind a move, a verdict, or text alone.

    ``words`` are what the other side hears, ``text`` what the speaker wrote without its thoughts.
    """

    status: str
    text: str = ""
    words: str = ""
    move: Move | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Utterance:
    """One message of a game.

    Parameters
    ----------
    role, seat
        Who writes it; the seat is empty for a script.
    words, text
        As the other side hears it, and as its writer keeps it.
    move, status
        Its move, or why there is none.
    before
        The state before it.
    turn
        Turn number; -1 for a script.
    verdict
        What the moderator says after it; None where it was not asked, or has not answered.
    """

    role: Role
    seat: str
    words: str
    text: str
    move: Move | None
    status: str
    before: State
    turn: int
    verdict: Verdict | None = None


@dataclass
class Game:
    """One game of a chain, as far as it was played.

    Parameters
    ----------
    branch, arm, number
        Its place: the branch and arm (empty for a first game that several arms share), and
        its number in the chain, from 1.
    advice
        The advice that the speaker got before it; empty in the first game and without advice.
    state
        Where it stands.
    utterances
        Its messages.
    moderated
        Whether a moderator reads it.
    """

    branch: int
    arm: str
    number: int
    advice: str
    state: State
    utterances: list[Utterance] = field(default_factory=list)
    moderated: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is said in it."""
        return bool(self.state.ended)


@dataclass(frozen=True)
class Question:
    """A turn that is open.

    Parameters
    ----------
    kind, seat, turn
        What is asked, of whom, and the turn number.
    role
        Who is to write: for a critic, its client's role.
    game
        The game that it belongs to; for a critic, the one to come.
    past
        Earlier games of the chain.
    """

    kind: Kind
    seat: str
    turn: int
    role: Role
    game: Game
    past: tuple[Game, ...]


@dataclass
class Walk:
    """The games of a chain, and the questions that are open."""

    games: list[Game] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


class Answers(Mapping[int, Answer]):
    """Answers by turn number, as ``walk`` takes them.

    Parameters
    ----------
    answers
        The answers.
    """

    def __init__(self, answers: Mapping[int, Answer]) -> None:
        self._answers = answers

    def __getitem__(self, turn: int) -> Answer:
        return self._answers[turn]

    def __iter__(self) -> Iterator[int]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def mark(self, turn: int) -> Hashable:
        """What tells one answer to a turn from another; None where there is none."""
        return self._answers.get(turn)


def walk(script: Script, chance: str, answers: Mapping[int, Answer]) -> Walk:
    """Go through a chain from its beginning.

    Finished games are cached, so that a long chain costs no more at its end than at its beginning.
    The result depends on the arguments alone.

    Parameters
    ----------
    script
        The chain.
    chance
        Source of the draws in addition to the script's seed: episode and replicate.
    answers
        Answers by turn number. Those that failed must not be among them.
    """
    known = answers if isinstance(answers, Answers) else Answers(answers)
    walker = _Walker(script, f"{script.seed}:{chance}", known)
    walker.go()
    return walker.walk


class _Ended:
    """A cache of games that have ended: the least recently used one leaves first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._games: OrderedDict[Hashable, Game] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Game | None:
        """A game that is remembered."""
        with self._lock:
            game = self._games.get(key)
            if game is not None:
                self._games.move_to_end(key)
            return game

    def put(self, key: Hashable, game: Game) -> None:
        """Remember a game, and forget the one that was not asked for longest."""
        with self._lock:
            self._games[key] = game
            if len(self._games) > self._most:
                self._games.popitem(last=False)


_ENDED = _Ended(8192)


class _Walker:
    """Goes through one chain."""

    def __init__(self, script: Script, chance: str, answers: Answers) -> None:
        self.script = script
        self.chance = chance
        self.answers = answers
        self.walk = Walk()

    def go(self) -> None:
        """Play the first game, then each arm from there."""
        script = self.script
        one_arm = script.arms[0] if not script.branches else ""
        first = self._play(Game(0, one_arm, 1, "", begin(script.terms)), ())
        if not first.ended:
            return
        for branch, arm in enumerate(script.branches or (one_arm,)):
            self._go_on(branch + bool(script.branches), arm, first)

    def _go_on(self, branch: int, arm: str, first: Game) -> None:
        """Play the games of one arm after the first."""
        past: tuple[Game, ...] = (first,)
        for number in range(2, self.script.games + 1):
            game = Game(branch, arm, number, "", begin(self.script.terms))
            advice = self._advice(game, past)
            if advice is None:
                return
            game.advice = advice
            played = self._play(game, past)
            if not played.ended:
                return
            past = (*past, played)

    def _advice(self, game: Game, past: tuple[Game, ...]) -> str | None:
        """The speaker's advice before a game; None while the critic has not answered."""
        if game.arm == "none":
            return ""
        if game.arm != "ai":
            lines = list(self.script.advice.get(game.arm, ()))
            return self._random(game, "advice").choice(lines) if lines else game.arm
        turn = self.script.number(game.branch, game.number, 0)
        if turn in self.answers:
            return self.answers[turn].text
        self.walk.questions.append(
            Question("critic", CRITIC_SEAT, turn, self.script.role, game, past)
        )
        return None

    def _play(self, game: Game, past: tuple[Game, ...]) -> Game:
        """Play a game to its end, or to its first open turn."""
        key = self._key(game)
        ended = _ENDED.get(key)
        if ended is not None:
            self.walk.games.append(ended)
            return ended
        asked = len(self.walk.questions)
        self._play_on(game, past)
        # Where a chain is one game, nobody asks for the game again: it would only take memory.
        again = self.script.games > 1
        if again and game.ended and len(self.walk.questions) == asked:
            _ENDED.put(key, game)
        return game

    def _key(self, game: Game) -> Hashable:
        """All that a game depends on."""
        script = self.script
        first = script.number(game.branch, game.number, 1)
        marks = tuple(self.answers.mark(turn) for turn in range(first, first + script.span - 1))
        return script, self.chance, game.branch, game.number, game.arm, game.advice, marks

    def _play_on(self, game: Game, past: tuple[Game, ...]) -> None:
        """Play a game from its beginning."""
        self.walk.games.append(game)
        game.moderated = self._random(game, "moderator").random() < self.script.moderator
        while not game.ended:
            role = mover(self.script.terms, game.state)
            scripted = role != self.script.role and not self.script.meets_speaker
            said = self._scripted(game, role) if scripted else self._asked(game, role, past)
            if said is None:
                break
            game.state = self._after(game.state, said)
            game.utterances.append(said)
            if game.moderated and not self._moderate(game, past):
                break

    def _asked(self, game: Game, role: Role, past: tuple[Game, ...]) -> Utterance | None:
        """The message of a speaker; None while it has not answered."""
        seat = SPEAKER_SEAT if role == self.script.role else PARTNER_SEAT
        turn = self.script.number(game.branch, game.number, 1 + 2 * game.state.messages)
        answer = self.answers.get(turn)
        if answer is None:
            kept = past if seat == SPEAKER_SEAT else ()
            self.walk.questions.append(Question("message", seat, turn, role, game, kept))
            return None
        return Utterance(
            role, seat, answer.words, answer.text, answer.move, answer.status, game.state, turn
        )

    def _scripted(self, game: Game, role: Role) -> Utterance:
        """The message of a scripted partner."""
        view = self._view(game, role)
        move = partner_move(self.script.rule, view)
        words = self._sentence(game, move, game.state)
        return Utterance(role, "", words, words, move, "answered", game.state, -1)

    def _view(self, game: Game, role: Role) -> View:
        """What the scripted partner knows."""
        terms = self.script.terms
        opened = {line.role: line.price for line in self.script.opening if line.price is not None}
        rival = other(role)
        heard = [terms.share(role, opened[rival])] if rival in opened else []
        demands = [terms.share(role, opened[role])] if role in opened else []
        states = [said.before for said in game.utterances if said.role == role]
        for state in [*states, game.state]:
            standing = state.standing(rival)
            if standing is not None:
                heard.append(terms.share(role, standing))
        demands += [
            terms.share(role, said.move.price)
            for said in game.utterances
            if said.role == role and said.move is not None and said.move.price is not None
        ]
        return View(
            terms, game.state, role, heard, demands, self._random(game, game.state.messages)
        )

    def _sentence(self, game: Game, move: Move, state: State) -> str:
        """What a scripted partner says to its move."""
        role = self.script.partner_role
        own, rival = state.standing(role), state.standing(other(role))
        kind = "hold" if move.kind == "offer" and move.price == own else str(move.kind)
        price = move.price if move.price is not None else rival
        lines = list(self.script.sentences.get(kind, ()))
        if not lines:
            return ""
        line = self._random(game, f"{state.messages}:words").choice(lines)
        return line.replace("{price}", "" if price is None else self.script.money.words(price))

    def _after(self, state: State, said: Utterance) -> State:
        if said.move is None:
            return cut(self.script.terms, state, NO_MOVE[said.status])
        return after(self.script.terms, state, said.move)

    def _moderate(self, game: Game, past: tuple[Game, ...]) -> bool:
        """Ask the moderator after a message; False while the game has to wait for it."""
        said = game.utterances[-1]
        turn = self.script.number(game.branch, game.number, 2 * game.state.messages)
        answer = self.answers.get(turn)
        if answer is None:
            question = Question("moderator", MODERATOR_SEAT, turn, said.role, game, past)
            self.walk.questions.append(question)
            return not self.script.moderator_decides
        game.utterances[-1] = replace(said, verdict=answer.verdict)
        if self.script.moderator_decides and answer.verdict is not None:
            game.state = self._decided(game.state, said, answer.verdict)
        return True

    def _decided(self, state: State, said: Utterance, verdict: Verdict) -> State:
        """The state where the moderator's word counts, not the rules'."""
        if verdict.state == "open":
            last = state.messages >= 2 * self.script.terms.rounds
            reopened = state.ended in ("deal", "walked")
            ended: Ended = "cap" if last else ""
            return replace(state, ended=ended, price=None, by=None) if reopened else state
        by = verdict.closed_by or said.role
        if verdict.state == "left":
            return replace(state, ended="walked", price=None, by=by)
        price = verdict.price if verdict.price is not None else state.standing(other(by))
        if price is None:
            return replace(state, ended="unparsed", price=None, by=by)
        return replace(state, ended="deal", price=price, by=by)

    def _random(self, game: Game, what: object) -> Random:
        return Random(f"{self.chance}:{game.branch}:{game.number}:{what}")
