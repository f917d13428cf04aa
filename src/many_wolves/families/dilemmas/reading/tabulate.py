"""Turns responses into tables of choices, one per kind of choice, and excluded answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from many_wolves.families.dilemmas.reading.checks import check_speaker
from many_wolves.families.dilemmas.reading.game_records import Game, games_of
from many_wolves.families.dilemmas.reading.responses import FAMILY, Choice, take
from many_wolves.files import code_version
from many_wolves.observations import Observations
from many_wolves.reading import Intake
from many_wolves.records import SCHEMA, Response

CONDITIONS = ("chain_of_thought", "labels", "case", "pronoun", "order", "labels_reversed")
_WHO = ["model", "group", "participant"]
_GAME = [*_WHO, "partner", "game", "round"]
COLUMNS: Mapping[str, Sequence[str]] = {
    "rounds": [*_GAME, "own", "other", "rounds", "length", "replicate", *CONDITIONS],
    "gifts": [*_WHO, "endowment", "given", "count", *CONDITIONS],
    "offers": [*_GAME, "endowment", "offer", "accepted", "replicate", *CONDITIONS],
    "replies": [*_GAME, "endowment", "offer", "accepted", "replicate", *CONDITIONS],
    "served": ["model", "principal", "shared_with_user", "shared_with_principal", "served", "count",
               *CONDITIONS],
    "games": ["model", "task", "group", "participant", "partner", "game", "episode", "replicate",
              "rounds", "played", "ended", "own_score", "other_score"],
}  # fmt: skip
"""Columns of the further tables."""
_EXCLUDED = ["speaker", "task", "group", "partner", "status", "n", "example"]


def tabulate(responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
    """Tables of the choices of any speakers.

    A turn keeps the reading that it had when it was played, since the rest of its game
    depended on it. Games of one turn are read again. In score mode a game of several turns
    counts the moves that were drawn, a game of one turn the probabilities of its options.

    Parameters
    ----------
    responses
        In the order in which they came.
    scoring
        ``sum``, ``mean`` or ``pmi``, for games of one turn in score mode.

    Returns
    -------
    Observations
        ``counts`` (speaker, task, group, partner, choice, count), and ``rounds``,
        ``gifts``, ``offers``, ``replies``, ``served``, ``games`` with ``COLUMNS``; those
        without a row are left out.

    Raises
    ------
    WolvesError
        If the scoring cannot be computed.
    """
    choices, intake = take(responses, scoring=scoring)
    games = games_of(choices)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for game in games:
        for name, listed in game.rows().items():
            rows[name] += listed
    aside = {
        name: _frame(listed, COLUMNS[name], summed="count" in COLUMNS[name])
        for name, listed in rows.items()
        if listed
    }
    speakers = list(dict.fromkeys(choice.speaker for choice in choices))
    return Observations(
        family=FAMILY,
        tables={"counts": _counts(choices), **aside},
        excluded=_excluded(choices),
        checks=tuple(
            check
            for speaker in speakers
            for check in check_speaker(
                speaker, [choice for choice in choices if choice.speaker == speaker]
            )
        ),
        meta=_meta(choices, intake, games, scoring),
    )


def _frame(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, summed: bool
) -> pd.DataFrame:
    """Rows as a table; equal rows of counts are added up."""
    values = [["" if row.get(c) is None else row[c] for c in columns] for row in rows]
    frame = pd.DataFrame(values, columns=list(columns), dtype=object)
    if not summed:
        return frame
    keys = [column for column in columns if column != "count"]
    frame["count"] = frame["count"].astype(float)
    added = frame.groupby(keys, sort=False)["count"].sum().reset_index()
    return added[list(columns)]


def _counts(choices: Sequence[Choice]) -> pd.DataFrame:
    sums: dict[tuple[str, ...], float] = {}
    for choice in choices:
        key = (choice.speaker, choice.task, _of(choice, "group"), _of(choice, "partner"))
        for option, share in choice.weights.items():
            sums[*key, option] = sums.get((*key, option), 0.0) + share
    columns = ["speaker", "task", "group", "partner", "choice"]
    return pd.DataFrame([(*key, n) for key, n in sums.items()], columns=[*columns, "count"])


def _of(choice: Choice, factor: str) -> str:
    return str(choice.cell.get(factor, ""))


def _excluded(choices: Sequence[Choice]) -> pd.DataFrame:
    """What was left out, counted by reason, with the first example of each."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for choice in choices:
        if choice.choice is None:
            key = (choice.speaker, choice.task, _of(choice, "group"), _of(choice, "partner"))
            groups.setdefault((*key, choice.status), []).append(choice.example)
    rows = [
        (*key, len(examples), next((text for text in examples if text), ""))
        for key, examples in groups.items()
    ]
    return pd.DataFrame(rows, columns=_EXCLUDED)


def _meta(
    choices: Sequence[Choice], intake: Intake, games: Sequence[Game], scoring: str
) -> dict[str, Any]:
    status: dict[str, dict[str, int]] = {}
    for (speaker, name), n in Counter((c.speaker, c.status) for c in choices).items():
        status.setdefault(speaker, {})[name] = n
    ended: dict[str, dict[str, int]] = {}
    for (speaker, how), n in Counter((game.speaker, game.ended) for game in games).items():
        ended.setdefault(speaker, {})[how] = n
    return {
        "schema": SCHEMA,
        "code_version": code_version(),
        "scoring": scoring,
        "responses": intake.responses,
        "answers": len(choices),
        "repeated": intake.repeated,
        "foreign": intake.foreign,
        "status": status,
        "games": ended,
        "speakers": intake.speakers,
    }
