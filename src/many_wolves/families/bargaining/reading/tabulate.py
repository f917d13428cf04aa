"""Responses -> tables of turns, games, feedback, readings and replies, with their checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from many_wolves.counting import number_of
from many_wolves.families.bargaining.reading import columns
from many_wolves.families.bargaining.reading.amounts import Range, amounts
from many_wolves.families.bargaining.reading.checks import check_speaker
from many_wolves.families.bargaining.reading.move_cues import EXTRAS
from many_wolves.families.bargaining.reading.records import Chain, chains, played
from many_wolves.families.bargaining.reading.rows import Row, game_rows, turn_rows
from many_wolves.families.bargaining.simulation.words import TONES
from many_wolves.files import code_version
from many_wolves.observations import Observations
from many_wolves.progress import log
from many_wolves.reading import Intake, check_scoring, option_shares, take_newest
from many_wolves.records import SCHEMA, Response

FAMILY, HAGGLE, WORDS = "bargaining", "haggle", "haggle-words"
TABLES: Mapping[str, Mapping[str, str]] = {
    "turns": columns.TURNS,
    "games": columns.GAMES,
    "feedback": columns.FEEDBACK,
    "readings": columns.READINGS,
    "replies": columns.WORDS,
    "counts": columns.COUNTS,
}
"""Table -> its columns."""
_EXCLUDED = ["speaker", "task", "role", "partner", "status", "n", "example"]
_EXAMPLE = 160


def tabulate(responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
    """Tables of what any speakers did.

    The reading at the time of the game counts, because the rest of the game followed from it.

    Parameters
    ----------
    responses
        In the order in which they came.
    scoring
        ``sum``, ``mean`` or ``pmi``, for replies that were scored.

    Returns
    -------
    Observations
        ``turns`` (the main table of haggling), ``games``, ``feedback``, ``readings``,
        ``replies`` (the main one of ``haggle-words``) and ``counts``; tables without a row are
        left out.

    Raises
    ------
    WolvesError
        If the scoring cannot be computed.
    """
    check_scoring(scoring)
    intake = take_newest(responses, lambda r: r.family == FAMILY, spot)
    haggled = [r for r in intake.newest if r.task == HAGGLE]
    found = chains(haggled, intake.names)
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    numbers: dict[str, int] = {}
    unreached = sum(chain.unreached for chain in found)
    if unreached:
        log.warning(
            "%s left out: an earlier answer of the game or chain is missing",
            number_of(unreached, "message"),
        )
    for chain in found:
        now = {name: numbers.get(name, 0) for name in chain.names.values()}
        for game in played(chain, now):
            rows["turns"] += turn_rows(game)
            rows["games"] += game_rows(game)
        rows["feedback"] += _feedback(chain, now)
        rows["readings"] += _readings(chain, now)
        numbers |= {name: n + 1 for name, n in now.items()}
    chosen, excluded = _replies(intake, scoring)
    rows["replies"] = chosen
    rows["counts"] = _counts(rows["turns"])
    frames = {name: columns.table(listed, TABLES[name]) for name, listed in rows.items() if listed}
    main = "turns" if "turns" in frames or "replies" not in frames else "replies"
    frames.setdefault(main, columns.table([], TABLES[main]))
    return Observations(
        family=FAMILY,
        tables=frames,
        main=main,
        excluded=_excluded(haggled, intake, excluded),
        checks=tuple(
            check
            for speaker in dict.fromkeys(frames[main]["speaker"])
            for check in check_speaker(str(speaker), frames)
        ),
        meta=_meta(intake, frames, scoring, main) | {"unreached": unreached},
    )


def spot(response: Response) -> tuple[Any, ...]:
    """What tells one answer from another: speaker, session and turn, or the key of a reply."""
    if response.task == WORDS:
        return (response.key,)
    return response.speaker.slug, response.episode, response.replicate, response.turn


def _feedback(chain: Chain, numbers: Mapping[str, int]) -> list[Row]:
    """The advice of a critic, and whether it names a price or extras, which it must not."""
    prices = Range(chain.script.terms.bid, chain.script.terms.ask)
    rows: list[Row] = []
    for response in chain.responses.values():
        if response.cell["kind"] != "critic":
            continue
        name = chain.names.get("speaker", "")
        text = response.text.strip()
        rows.append(
            {
                "speaker": name,
                "critic": chain.names["critic"],
                "role": chain.script.role,
                "chain": numbers.get(name, 0),
                "arm": response.cell["arm"],
                "game": response.cell["game"],
                "words": len(text.split()),
                "names_price": _yes_no(any(a.unit for a in amounts(text, prices))),
                "names_extras": _yes_no(bool(EXTRAS.search(text))),
                "text": text,
            }
        )
    return rows


def _readings(chain: Chain, numbers: Mapping[str, int]) -> list[Row]:
    rows: list[Row] = []
    for response in chain.responses.values():
        if response.cell["kind"] != "moderator":
            continue
        name = chain.names.get("speaker", "")
        value = response.value if isinstance(response.value, Mapping) else {}
        rows.append(
            {
                "speaker": name,
                "moderator": chain.names["moderator"],
                "form": response.cell["form"],
                "chain": numbers.get(name, 0),
                "game": response.cell["game"],
                "message": response.cell["message"],
                "rules_state": response.cell["rules_state"],
                "rules_price": response.cell["rules_price"],
                "moderator_state": value.get("state"),
                "moderator_price": value.get("price"),
            }
        )
    return rows


def _replies(intake: Intake, scoring: str) -> tuple[list[Row], list[tuple[Response, str]]]:
    """Rows of ``haggle-words``, and the responses that name no reply, with why."""
    sums: dict[tuple[Any, ...], float] = {}
    sets: dict[tuple[Any, ...], int] = {}
    left: list[tuple[Response, str]] = []
    for response in intake.newest:
        if response.task != WORDS:
            continue
        label = intake.names[response.speaker.slug]
        shares, why = _shares(response, label, scoring)
        if shares is None:
            left.append((response, why))
            continue
        cell = response.cell
        who = (label, cell["group"], cell["participant"], cell["role"], cell["good"],
               cell["offered"], cell["own"])  # fmt: skip
        kinds = tuple(sorted(option.id for option in response.options))
        number = sets.setdefault((*who, kinds), len(sets))
        for option, share in shares.items():
            what, tone = option.split(":")
            demand = float(cell["offered"]) if what == "accept" else float(what)
            key = (*who, number, demand, int(what == "accept"), tone)
            sums[key] = sums.get(key, 0.0) + share
    names = [name for name in columns.WORDS if name != "count"]
    order = sorted(sums, key=lambda key: (key[7], key[8], -TONES[key[10]]))
    return [dict(zip(names, key, strict=True)) | {"count": sums[key]} for key in order], left


def _shares(response: Response, label: str, scoring: str) -> tuple[dict[str, float] | None, str]:
    if response.status == "failed":
        return None, response.error
    if response.scores:
        shares, why = option_shares(response, label, scoring)
        ids = [option.id for option in response.options]
        return (None if shares is None else dict(zip(ids, shares.tolist(), strict=True))), why
    if response.status != "answered" or response.value is None:
        return None, response.text
    return {option.id: float(option.id == response.value) for option in response.options}, ""


def _counts(turns: Sequence[Row]) -> list[Row]:
    found = Counter(
        (row["speaker"], HAGGLE, row["role"], row["partner"], row["move"])
        for row in turns
        if row["move"]
    )
    return [dict(zip(columns.COUNTS, (*key, n), strict=True)) for key, n in found.items()]


def _excluded(
    haggled: Sequence[Response], intake: Intake, replies: Sequence[tuple[Response, str]]
) -> pd.DataFrame:
    """What makes no move, counted by reason, with the first example of each."""
    groups: dict[tuple[str, ...], list[str]] = {}
    silent = [(r, r.text) for r in haggled if r.status != "answered"]
    for response, example in [*silent, *replies]:
        cell = response.cell
        role = str(cell.get("asked_role", cell.get("role", "")))
        status = "unparsed" if response.status == "answered" else response.status
        key = (intake.names[response.speaker.slug], response.task, role,
               str(cell.get("partner", "")), status)  # fmt: skip
        groups.setdefault(key, []).append(" ".join((example or response.error).split())[:_EXAMPLE])
    rows = [(*key, len(all_), next((t for t in all_ if t), "")) for key, all_ in groups.items()]
    return pd.DataFrame(rows, columns=_EXCLUDED)


def _meta(
    intake: Intake, frames: Mapping[str, pd.DataFrame], scoring: str, main: str
) -> dict[str, Any]:
    ended: dict[str, dict[str, int]] = {}
    if "games" in frames:
        pairs = zip(frames["games"]["speaker"], frames["games"]["ended"], strict=True)
        for (speaker, how), n in Counter(pairs).items():
            ended.setdefault(str(speaker), {})[str(how)] = n
    status: dict[str, dict[str, int]] = {}
    for (name, how), n in Counter(
        (intake.names[r.speaker.slug], r.status) for r in intake.newest
    ).items():
        status.setdefault(name, {})[how] = n
    return {
        "schema": SCHEMA,
        "task": HAGGLE if main == "turns" else WORDS,
        "code_version": code_version(),
        "scoring": scoring,
        "responses": intake.responses,
        "answers": len(intake.newest),
        "repeated": intake.repeated,
        "foreign": intake.foreign,
        "status": status,
        "games": ended,
        "speakers": intake.speakers,
    }


def _yes_no(flag: bool) -> str:
    return "yes" if flag else "no"
