"""The script of an opening: all that a chain of games needs, whatever becomes of the YAML files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from many_wolves.families.bargaining.moves import Role, Terms, other
from many_wolves.families.bargaining.reading.message import Form
from many_wolves.families.bargaining.task.material import Money
from many_wolves.families.bargaining.task.partners import SPEAKER
from many_wolves.files import canonical_json

SPEAKER_SEAT, PARTNER_SEAT, CRITIC_SEAT, MODERATOR_SEAT = (
    "speaker",
    "partner",
    "critic",
    "moderator",
)
MODERATOR_READS = 6
"""Last messages that a moderator is shown, unless a design says how many."""


@dataclass(frozen=True)
class OpeningLine:
    """A scripted message before the game: who says what, and the price that then stands."""

    role: Role
    text: str
    price: float | None = None


@dataclass(frozen=True, eq=False)
class Script:
    """What one chain of games is made of.

    Parameters
    ----------
    terms
        Terms of every game of the chain.
    role
        Role of the speaker.
    rule
        Rule of the partner.
    games
        Games of the chain.
    arms
        Advice between games. Several share the first game and branch after it.
    memory
        ``all``: the speaker keeps what was said in earlier games; ``none``.
    form, shown
        Answer form, and what is heard of the other side.
    money
        How prices are written.
    rules
        First message to the ``speaker``, and to a ``partner`` that is a model.
    opening
        Scripted messages before the first move.
    texts
        Further texts by name, filled as far as they can be.
    advice
        ``constant`` and ``human`` advice for the speaker's role.
    sentences
        Move -> what a scripted partner says.
    probe_options
        Whether a probe is answered by one of its options.
    moderator, moderator_decides
        Share of games that a moderator reads, and whether it ends them.
    seed
        Decides what partners draw.
    moderator_reads
        Last messages that a moderator is shown.
    """

    terms: Terms
    role: Role
    rule: Mapping[str, Any]
    games: int
    arms: tuple[str, ...]
    memory: str
    form: Form
    shown: str
    money: Money
    rules: Mapping[str, str]
    opening: tuple[OpeningLine, ...]
    texts: Mapping[str, str]
    advice: Mapping[str, Sequence[str]]
    sentences: Mapping[str, Sequence[str]]
    probe_options: bool
    moderator: float
    moderator_decides: bool
    seed: int
    moderator_reads: int = MODERATOR_READS

    @property
    def partner_role(self) -> Role:
        """Role of the partner."""
        return other(self.role)

    @property
    def meets_speaker(self) -> bool:
        """Whether the partner is a model."""
        return str(self.rule["kind"]) == SPEAKER

    @property
    def seats(self) -> tuple[str, ...]:
        """Seats of the speakers that the chain needs."""
        seats = [SPEAKER_SEAT]
        if self.meets_speaker:
            seats.append(PARTNER_SEAT)
        if "ai" in self.arms and self.games > 1:
            seats.append(CRITIC_SEAT)
        if self.moderator > 0:
            seats.append(MODERATOR_SEAT)
        return tuple(seats)

    @property
    def branches(self) -> tuple[str, ...]:
        """Arms that go on from the first game: none where the chain is one game or one arm."""
        return self.arms if self.games > 1 and len(self.arms) > 1 else ()

    @property
    def span(self) -> int:
        """Turn numbers that a game takes: its advice, then each message and its moderation."""
        return 1 + 4 * self.terms.rounds

    def number(self, branch: int, game: int, slot: int) -> int:
        """Turn number of a slot in a game; branch 0 is the first game and a chain of one arm."""
        return (branch * self.games + game - 1) * self.span + slot

    def to_json(self) -> dict[str, Any]:
        """The script as an entry of an opening."""
        found = asdict(self) | {"money": self.money.model_dump()}
        if self.moderator_reads == MODERATOR_READS:
            del found["moderator_reads"]  # so that the ids of older openings stay
        return {name: value for name, value in found.items() if value not in ({}, (), [])}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Script:
        """Read back what ``to_json`` gave."""
        return _script(canonical_json(dict(record)))


@lru_cache(maxsize=256)
def _script(text: str) -> Script:
    import json

    record = json.loads(text)
    return Script(
        terms=Terms(**record["terms"]),
        role=record["role"],
        rule=record["rule"],
        games=record["games"],
        arms=tuple(record["arms"]),
        memory=record["memory"],
        form=record["form"],
        shown=record["shown"],
        money=Money(**record["money"]),
        rules=record["rules"],
        opening=tuple(OpeningLine(**line) for line in record.get("opening", ())),
        texts=record["texts"],
        advice=record.get("advice", {}),
        sentences=record.get("sentences", {}),
        probe_options=record["probe_options"],
        moderator=record["moderator"],
        moderator_decides=record["moderator_decides"],
        seed=record["seed"],
        moderator_reads=record.get("moderator_reads", MODERATOR_READS),
    )
