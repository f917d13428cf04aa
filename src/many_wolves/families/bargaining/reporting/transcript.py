"""A chain of games as a page: what each seat read and wrote, with its move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import BUYER, ROLES, SELLER, Move, Role, other
from many_wolves.families.bargaining.reading.records import Chain, chains
from many_wolves.families.bargaining.reading.tabulate import FAMILY, HAGGLE, spot
from many_wolves.families.bargaining.task.chain import Game, Utterance, walk
from many_wolves.families.bargaining.task.material import Money
from many_wolves.families.bargaining.task.script import (
    CRITIC_SEAT,
    MODERATOR_SEAT,
    PARTNER_SEAT,
    SPEAKER_SEAT,
    Script,
)
from many_wolves.families.bargaining.task.turns import Answered, question_messages
from many_wolves.figures.replay import Card, Column, Message, Phase, Replay
from many_wolves.reading import take_newest
from many_wolves.records import Response, Trial

_VERBS = {"accept": "accepts", "walk": "walks away", "talk": "makes no move"}
_FACTS = (
    "good", "cost", "value", "ask", "bid", "rounds", "partner", "group", "participant",
)  # fmt: skip


def replay(
    session: str, responses: Sequence[Response], folders: Sequence[Path], opening: Trial | None
) -> Replay:
    """A chain of games as far as it has been played.

    Parameters
    ----------
    session
        Episode and replicate, with a hyphen between.
    responses
        Its answers, in the order in which they came.
    folders
        Not used: all of a game is in its answers.
    opening
        The trial that began it, for prompts and sentences of scripts; where None, they are
        left out.

    Raises
    ------
    WolvesError
        If nobody has written a message yet.
    """
    intake = take_newest(responses, lambda r: r.family == FAMILY and r.task == HAGGLE, spot)
    script = Script.of(opening.script) if opening is not None and opening.script else None
    found = chains(intake.newest, intake.names, script)
    if not found:
        raise WolvesError(
            f"nobody has written a message in session {session}",
            fix="resume it with the same `wolves collect`",
        )
    chain = found[0]
    pages = {} if script is None else _pages(chain, script)
    games = chain.games
    notes = () if script else ("--trials FILE adds the prompts, and what scripts wrote.",)
    return Replay(
        session,
        _facts(chain),
        tuple(
            Phase(_place(game), _arm(chain, game), f"Game {game.number}") for game in chain.games
        ),
        tuple(_columns(chain, pages)),
        messages=tuple(message for game in games for message in _messages(chain, game)),
        payoffs=_payoffs(chain),
        notes=notes,
        caption="How each game ended, and what each side gained by it.",
    )


def describe(move: Move, money: Money) -> str:
    """A move as a verb: ``offers $15``, ``accepts``, ``walks away``, ``makes no move``."""
    if move.price is not None and move.kind == "offer":
        return f"offers {money.words(move.price)}"
    return _VERBS.get(move.kind, move.kind)


def _place(game: Game) -> str:
    return f"{game.branch}.{game.number}"


def _arm(chain: Chain, game: Game) -> str:
    """Name of a game's arm; empty in a chain with one arm, and for a game that arms share."""
    return f"Arm {game.arm}" if chain.script.branches and game.arm else ""


def _facts(chain: Chain) -> dict[str, str]:
    given = {name: chain.cell.get(name, "") for name in _FACTS}
    shown = {n: f"{v:g}" if isinstance(v, float) else str(v) for n, v in given.items()}
    return {name: text for name, text in shown.items() if text and text != "nan"}


def _pages(chain: Chain, script: Script) -> dict[int, str]:
    """Turn number -> what its seat read."""
    pages: dict[int, str] = {}
    known: list[Response] = []
    chance = f"{chain.episode}:{chain.replicate}"
    while True:
        went = walk(script, chance, Answered(known))
        new = [q for q in went.questions if q.turn in chain.responses and q.turn not in pages]
        if not new:
            return pages
        for question in new:
            pages[question.turn] = "\n\n".join(
                m.content for m in question_messages(script, question)
            )
            known.append(chain.responses[question.turn])


def _columns(chain: Chain, pages: Mapping[int, str]) -> list[Column]:
    """A column for each side, then those of critic and moderator."""
    found = []
    for role in ROLES:
        cards = [
            _card(chain, game, number, said, pages)
            for game in chain.games
            for number, said in enumerate(game.utterances, 1)
            if said.role == role
        ]
        found.append(Column(role, _who(chain, role), tuple(cards)))
    for seat in (CRITIC_SEAT, MODERATOR_SEAT):
        asides = [
            _aside(response, pages)
            for _, response in sorted(chain.responses.items())
            if response.cell["seat"] == seat
        ]
        if asides:
            found.append(Column(seat, chain.names.get(seat, ""), tuple(asides)))
    return found


def _who(chain: Chain, role: Role) -> str:
    seat = SPEAKER_SEAT if role == chain.script.role else PARTNER_SEAT
    if seat == SPEAKER_SEAT or chain.script.meets_speaker:
        return chain.names.get(seat, "")
    return f"script: {chain.cell['partner']}"


def _card(chain: Chain, game: Game, number: int, said: Utterance, pages: Mapping[int, str]) -> Card:
    """One message of a side."""
    response = chain.responses.get(said.turn)
    move = said.move
    return Card(
        _place(game),
        f"Game {game.number}, message {number}",
        pages.get(said.turn, ""),
        "" if response is None else response.reasoning,
        said.text if response is None else response.text,
        {} if move is None else {"price": move.price, "flags": list(move.flags)},
        said.status if move is None else move.kind,
        "" if response is None else response.error,
    )


def _aside(response: Response, pages: Mapping[int, str]) -> Card:
    """What a critic or a moderator answered."""
    cell = response.cell
    value = response.value if isinstance(response.value, Mapping) else {}
    return Card(
        f"{cell['branch']}.{cell['game']}",
        f"Game {cell['game']}",
        pages.get(response.turn, ""),
        response.reasoning,
        response.text,
        dict(value),
        response.status,
        response.error,
    )


def _messages(chain: Chain, game: Game) -> list[Message]:
    """The conversation of a game, each move in brackets; advice and scripted lines before it."""
    place, money = _place(game), chain.script.money
    found = []
    if game.advice:
        found.append(Message(place, "advice", chain.script.role, game.advice))
    found += [
        Message(place, line.role, other(line.role), f"{line.text} [scripted opening]")
        for line in chain.script.opening
        if line.text
    ]
    for said in game.utterances:
        done = said.status if said.move is None else describe(said.move, money)
        text = f"{said.words} [{done}]" if said.words else f"[{done}]"
        found.append(Message(place, said.role, other(said.role), text))
    return found


def _payoffs(chain: Chain) -> tuple[tuple[str, ...], ...]:
    """A row for each game that has ended."""
    terms, money = chain.script.terms, chain.script.money
    rows = [("game", "ended", "price", "seller's share", "seller", "buyer")]
    for game in chain.games:
        if not game.ended:
            continue
        price, name = game.state.price, f"{_arm(chain, game)} {game.number}".strip()
        if price is None:
            rows.append((name, game.state.ended, "", "", "", ""))
            continue
        seller, buyer = (f"{terms.payoff(role, price):,.10g}" for role in (SELLER, BUYER))
        share = f"{terms.share(SELLER, price):.2f}"
        rows.append((name, game.state.ended, money.words(price), share, seller, buyer))
    return tuple(rows) if len(rows) > 1 else ()
