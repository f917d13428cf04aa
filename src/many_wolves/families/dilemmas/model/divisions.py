"""Divisions of a stake: gifts, offers and replies to offers, as choices between payoffs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.families.dilemmas.reading.tables import real
from many_wolves.observations import Observations

PUBLISHED = {"give": "given", "prompt_index": "participant"}
"""Columns of the published gifts -> their names in this project."""
STAKE = 4.0
"""Stake of the published dictator game in dollars, for tables of gifts without an endowment."""
ROLES = {"proposer": "offers", "responder": "replies", "dictator": "gifts"}
PARTS = tuple(ROLES.values())


@dataclass(frozen=True)
class Question:
    """One set of options.

    Parameters
    ----------
    part
        ``gifts``, ``offers`` (the other may reject), or ``replies``.
    stake
        Dollars.
    offer
        Dollars that the other offered; NaN but in replies.
    amounts
        Dollars for the other of every option; of a reply 1 accepts and 0 rejects.
    """

    part: str
    stake: float
    offer: float
    amounts: tuple[float, ...]

    @property
    def payoffs(self) -> tuple[Array, Array]:
        """Own and the other's payoff of every option, dollars."""
        amounts = np.array(self.amounts)
        if self.part == "replies":
            return amounts * self.offer, amounts * (self.stake - self.offer)
        return self.stake - amounts, amounts

    @property
    def name(self) -> str:
        """What is asked, for tables of parts."""
        if self.part == "replies":
            return f"offered {self.offer:g} of {self.stake:g}"
        return f"{'gift' if self.part == 'gifts' else 'offer'} of {self.stake:g}"


@dataclass(frozen=True)
class Divisions:
    """Choices counted.

    Parameters
    ----------
    levels
        Participants within groups.
    participant, question
        (N,) who chooses, and between what: an index into ``questions``.
    counts
        (N, A) choices; zero behind the last option.
    notes
        What was assumed of the table, in words.
    """

    levels: Levels
    participant: np.ndarray
    question: np.ndarray
    questions: tuple[Question, ...]
    counts: Array
    notes: tuple[str, ...]

    @property
    def unit(self) -> float:
        """Dollars of the largest stake, in which the Stan program counts payoffs."""
        return max(q.stake for q in self.questions)

    def cells(self) -> Iterator[tuple[int, Question, Array]]:
        """(participant, question, counts of its options) of every cell."""
        for who, which, row in zip(self.participant, self.question, self.counts, strict=True):
            asked = self.questions[which]
            yield int(who), asked, row[: len(asked.amounts)]

    def padded(self, value: Callable[[Question], Array]) -> Array:
        """(N, A) something of every option, zero behind the last."""
        found = np.zeros(self.counts.shape)
        for row, which in zip(found, self.question, strict=True):
            own = value(self.questions[which])
            row[: own.size] = own
        return found


def read_divisions(table: Observations) -> Divisions:
    """The divisions of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, or an amount lies outside the stake.
    """
    where = str(table.meta.get("path", "the table of choices"))
    frame = table.rows.reset_index(drop=True).rename(columns=PUBLISHED)
    notes: list[str] = []
    frame = frame.assign(part=_parts(frame, where))
    frame = _who(frame)
    if "endowment" not in frame and (frame["part"] == "gifts").all():
        frame = frame.assign(endowment=STAKE)
        notes.append(f"The table does not record the stake: {STAKE:g} dollars are assumed.")
    stake = real(frame, "endowment", where, 1e-9)
    count = real(frame, "count", where)
    amount = _amounts(frame, where)
    _within(amount, stake, where)
    accepted = _accepted(frame, where)
    rows = pd.DataFrame(
        {
            "group": frame["group"],
            "participant": frame["participant"],
            "part": frame["part"],
            "stake": stake,
            "offer": np.where(frame["part"] == "replies", amount, np.nan),
            "choice": np.where(frame["part"] == "replies", accepted, amount),
            "count": count,
        }
    )
    return _counted(rows[rows["count"] > 0], where, tuple(notes))


def _parts(frame: pd.DataFrame, where: str) -> pd.Series:
    """Which kind of choice each row is."""
    if "part" in frame and frame["part"].isin(PARTS).all():
        return frame["part"]
    if "role" in frame and frame["role"].isin(ROLES).all():
        return frame["role"].map(ROLES)
    if "given" in frame:
        return pd.Series("gifts", index=frame.index)
    raise WolvesError(
        "expected gifts (a column given), or offers and replies with their roles",
        where=where,
        column="role",
        fix="add a column role with proposer or responder, or name the files offers.csv and "
        "replies.csv as `wolves choices` does",
    )


def _who(frame: pd.DataFrame) -> pd.DataFrame:
    """Group and participant as words; wordings that the table keeps apart are participants."""
    group = frame["group"].fillna("").astype(str) if "group" in frame else ""
    name = frame["participant"].astype(str) if "participant" in frame else "1"
    found = frame.assign(group=group, participant=name)
    if "adjective" in found:
        adjective = found["adjective"].fillna("none").replace("", "none").astype(str)
        found["participant"] = found["participant"] + ", " + adjective
    return found


def _amounts(frame: pd.DataFrame, where: str) -> pd.Series:
    """Dollars given or offered."""
    gifts = frame["part"] == "gifts"
    names = [n for n, used in (("given", gifts.any()), ("offer", (~gifts).any())) if used]
    read = {}
    for name in names:
        mine = gifts if name == "given" else ~gifts
        column = frame[name].where(mine, 0.0) if name in frame else None
        held = frame.assign(**{name: column}) if column is not None else frame
        read[name] = real(held, name, where)
    if len(read) == 1:
        return next(iter(read.values()))
    return read["given"].where(gifts, read["offer"])


def _within(amount: pd.Series, stake: pd.Series, where: str) -> None:
    bad = (amount > stake).to_numpy()
    if bad.any():
        at = int(bad.argmax())
        raise WolvesError(
            f"expected an amount within the stake of {stake.iloc[at]:g} dollars, found "
            f"{amount.iloc[at]:g}",
            where=where,
            line=at + 2,
            fix="correct the amount, or the column endowment",
        )


def _accepted(frame: pd.DataFrame, where: str) -> pd.Series:
    replies = frame["part"] == "replies"
    if not replies.any():
        return pd.Series(0.0, index=frame.index)
    held = (
        frame.assign(accepted=frame["accepted"].where(replies, 0)) if "accepted" in frame else frame
    )
    found = real(held, "accepted", where)
    bad = (~found.isin([0.0, 1.0])).to_numpy()
    if bad.any():
        at = int(bad.argmax())
        raise WolvesError(
            f"expected 1 (accepted) or 0 (rejected), found {found.iloc[at]:g}",
            where=where,
            line=at + 2,
            column="accepted",
            fix="write 1 or 0 for every reply",
        )
    return found


def _counted(rows: pd.DataFrame, where: str, notes: tuple[str, ...]) -> Divisions:
    if rows.empty:
        raise WolvesError("the table contains no choices", where=where, fix="collect some answers")
    levels = Levels.of(list(zip(rows["group"], rows["participant"], strict=True)))
    index = {pair: i for i, pair in enumerate(levels.participants)}
    keys = ["part", "stake", "offer"]
    questions: list[Question] = []
    who, which, counts = [], [], []
    for key, asked in rows.groupby(keys, dropna=False, sort=True):
        part = str(key[0])
        stake, offer = (float(str(k)) for k in key[1:])
        amounts = (0.0, 1.0) if part == "replies" else _offered(asked["choice"], stake)
        questions.append(Question(part, stake, offer, amounts))
        for pair, own in asked.groupby(["group", "participant"], sort=True):
            who.append(index[(str(pair[0]), str(pair[1]))])
            which.append(len(questions) - 1)
            counts.append([own.loc[own["choice"] == a, "count"].sum() for a in amounts])
    wide = np.zeros((len(who), max(map(len, counts))))
    for row, found in zip(wide, counts, strict=True):
        row[: len(found)] = found
    return Divisions(levels, np.array(who), np.array(which), tuple(questions), wide, notes)


def _offered(chosen: pd.Series, stake: float) -> tuple[float, ...]:
    """Whole dollars up to the stake, and whatever else was chosen."""
    whole = {float(a) for a in range(int(stake) + 1)}
    return tuple(sorted(whole | {float(a) for a in chosen}))
