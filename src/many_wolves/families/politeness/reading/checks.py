"""Checks of whether a speaker did the task: statements with a number and a p-value."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from many_wolves.contracts import Array
from many_wolves.counting import number_of
from many_wolves.families.politeness.reading.answers import Answer
from many_wolves.families.politeness.reading.permutation import (
    Codes,
    Effect,
    between,
    by_place,
    codes,
)
from many_wolves.records import LABELS, Check

P_LIMIT = 0.01
"""An effect with a larger p-value counts as absent. There are about ten checks per
speaker; at 0.01, a good speaker rarely fails one by chance."""
STATE_LEAST = 0.05
"""Smallest share of choices that the state must change. For people it is more than half. Below one
in twenty, the data do not determine the utility of being informative, even if many answers make
the effect significant."""
PLACE_MOST = 0.20
"""Largest share of choices that the position may move. Counterbalancing removes a weaker effect
from
the counts; a stronger one means that most of the answer is not about the scene. With eight
options, a speaker that always takes the same position reaches 0.875."""
UNREAD_MOST = 0.20
"""Largest share of answers without a choice. Above it, the readable answers may be a selection."""

FAILED = "the speaker did not do the task"


@dataclass(frozen=True)
class _Trials:
    """The read answers of one task, one row per trial.

    ``weights`` (trial x option, options in one order) are means over replicates,
    which are not independent evidence; ``places`` has the place of each option.
    """

    speaker: str
    task: str
    n: int
    answers: list[Answer]
    weights: Array
    places: Codes

    def column(self, *factors: str) -> list[Hashable]:
        """Levels of one factor or several taken together, by trial."""
        return [tuple(a.cell.get(factor, "") for factor in factors) for a in self.answers]

    def strata(self, *factors: str) -> Codes:
        """Strata by these factors."""
        return codes(self.column(*factors))


def check_speaker(speaker: str, answers: Sequence[Answer], seed: int) -> list[Check]:
    """All checks of one speaker.

    Parameters
    ----------
    speaker
        Its label.
    answers
        Its answers to both tasks, unread ones included.
    seed
        Seed of the permutations.

    Returns
    -------
    list of Check
        For each task: ``readable``, ``state``, ``place``, and for choices ``goal``;
        names of the literal task begin with ``literal_``. ``statistic`` is the
        share of choices that the factor moves (of answers that could not be read
        in ``readable``), ``p_value`` that of a permutation test.
    """
    checks: list[Check] = []
    for task in ("choice", "literal"):
        asked = [answer for answer in answers if answer.task == task]
        if not asked:
            continue
        prefix = "" if task == "choice" else "literal_"
        checks.append(_readable(speaker, f"{prefix}readable", asked))
        trials = _trials(speaker, task, asked)
        if trials is None:
            continue
        checks.append(_state(trials, f"{prefix}state", seed))
        checks.append(_place(trials, f"{prefix}place", seed))
        if task == "choice":
            checks.append(_goal(trials, seed))
    return checks


def _trials(speaker: str, task: str, asked: Sequence[Answer]) -> _Trials | None:
    """One row per trial; only trials with the most common set of options are kept."""
    read = [answer for answer in asked if answer.weights is not None]
    if not read:
        return None
    sets = [tuple(sorted(answer.options)) for answer in read]
    options = max(dict.fromkeys(sets), key=sets.count)
    grouped: dict[str, list[Answer]] = {}
    for answer, held in zip(read, sets, strict=True):
        if held == options:
            grouped.setdefault(answer.trial, []).append(answer)
    firsts = [group[0] for group in grouped.values()]
    weights = [
        np.mean([_by_option(a, options) for a in group], axis=0) for group in grouped.values()
    ]
    places = [[first.options.index(option) for option in options] for first in firsts]
    n = sum(len(group) for group in grouped.values())
    return _Trials(speaker, task, n, firsts, np.array(weights), np.array(places))


def _by_option(answer: Answer, options: Sequence[str]) -> Array:
    assert answer.weights is not None
    return np.array([answer.weights[answer.options.index(option)] for option in options])


def _readable(speaker: str, name: str, asked: Sequence[Answer]) -> Check:
    # Failed calls carry no information about the speaker.
    came = [answer for answer in asked if answer.status != "failed"]
    unread = sum(answer.weights is None for answer in came)
    share = unread / len(came) if came else 1.0
    ok = share <= UNREAD_MOST
    what = "choice" if name == "readable" else "judgment"
    unread_of = f"{unread} of {number_of(len(came), what)} ({_percent(share)})"
    text = f"Speaker {speaker}: {unread_of} could not be read"
    if not came:
        text = f"Speaker {speaker} gave no answers: all {len(asked)} calls for {what}s failed"
    tail = "." if ok else f": {FAILED} as it was asked, and the rest may be a selection."
    return Check(name, speaker, ok, text + tail, share, math.nan)


def _state(trials: _Trials, name: str, seed: int) -> Check:
    literal = trials.task == "literal"
    strata = ("utterance",) if literal else ("goal", "framing")
    what = "judgment" if literal else "choice"
    effect, levels = _between(trials, "state", strata, seed)
    if effect is None:
        text = f"Speaker {trials.speaker} was asked about one state only: whether its {what} "
        return _unknown(trials, name, text + "depends on the state is unknown.")
    if len(set(trials.column(*strata, "state"))) == len(trials.answers):
        # No permutation of single trials changes the statistic.
        text = (
            f"Speaker {trials.speaker} had one trial per state and {' and '.join(strata)}: whether "
        )
        return _unknown(
            trials,
            name,
            text + f"its {what} depends on the state cannot be known without more items.",
        )
    ok = effect.p_value <= P_LIMIT and effect.size >= STATE_LEAST
    moved = f"{_percent(effect.size)} of {number_of(trials.n, what)} over {levels} states"
    if ok:
        text = f"Speaker {trials.speaker}: the {what} depends on the state, which changes {moved}"
        return _check(trials, name, True, f"{text} ({_p(effect)}).", effect)
    failed = FAILED if what == "choice" else f"{FAILED} of judging"
    if effect.p_value <= P_LIMIT:
        text = f"the {what} hardly depends on the state, which changes {moved} ({_p(effect)})"
    else:
        text = (
            f"the {what} does not depend on the state ({number_of(trials.n, what)}, {_p(effect)})"
        )
    return _check(trials, name, False, f"Speaker {trials.speaker}: {text}: {failed}.", effect)


def _place(trials: _Trials, name: str, seed: int) -> Check:
    literal = trials.task == "literal"
    strata = ("utterance", "state") if literal else ("goal", "framing", "state")
    effect = by_place(trials.weights, trials.places, _merged(trials, strata), seed)
    count = trials.weights.shape[1]
    share = np.bincount(trials.places.ravel(), weights=trials.weights.ravel(), minlength=count)
    share = share / share.sum()
    top = int(share.argmax())
    place = f"place {LABELS[top]}" if top < len(LABELS) else f"place {top + 1}"
    if len({tuple(order) for order in trials.places.tolist()}) == 1:
        # Equal orders have only one permutation.
        text = (
            f"Speaker {trials.speaker} saw the options in one order only: whether their position "
            "has an effect is unknown."
        )
        return _unknown(trials, name, text)
    ok = effect.p_value > P_LIMIT or effect.size <= PLACE_MOST
    numbers = f"{_percent(float(share[top]))} of {number_of(trials.n, 'answer')}"
    if not ok:
        text = (
            f"Speaker {trials.speaker} chose the option in {place} in {numbers}, whatever its "
            f"content: {FAILED}."
        )
    elif effect.p_value <= P_LIMIT:
        text = (
            f"Speaker {trials.speaker}: the position of the option changes "
            f"{_percent(effect.size)} of {number_of(trials.n, 'answer')} ({_p(effect)}), towards "
            f"{place}. The balanced order of options removes this from the counts."
        )
    else:
        text = (
            f"Speaker {trials.speaker}: the position of the option has no detectable effect "
            f"({number_of(trials.n, 'answer')}, {_p(effect)})."
        )
    return _check(trials, name, ok, text, effect)


def _goal(trials: _Trials, seed: int) -> Check:
    """For information only: a speaker may behave the same under every goal."""
    effect, levels = _between(trials, "goal", ("framing", "state"), seed)
    if effect is None:
        text = f"Speaker {trials.speaker} was asked under one goal only."
        return replace(_unknown(trials, "goal", text), note=True)
    if effect.p_value <= P_LIMIT:
        text = (
            f"Speaker {trials.speaker}: the choice depends on the goal, which changes "
            f"{_percent(effect.size)} of {number_of(trials.n, 'choice')} over {levels} goals "
            f"({_p(effect)})."
        )
    else:
        text = (
            f"Speaker {trials.speaker}: the choice does not depend on the goal "
            f"({number_of(trials.n, 'choice')}, {_p(effect)})."
        )
    return replace(_check(trials, "goal", True, text, effect), note=True)


def _between(
    trials: _Trials, factor: str, strata: Sequence[str], seed: int
) -> tuple[Effect | None, int]:
    """The effect of a factor within strata, and its number of levels."""
    levels = codes(trials.column(factor))
    if levels.max() == 0:
        return None, 1
    effect = between(trials.weights, levels, trials.strata(*strata), seed)
    return effect, int(levels.max()) + 1


def _merged(trials: _Trials, strata: Sequence[str]) -> Codes:
    """Strata for permuting orders: cells, or a single stratum if cells have few orders each.

    Orders are assigned without regard to the cell, so both are valid. Within cells, the
    preferences of the cell are held fixed, which gives a more powerful test.
    """
    cells = trials.strata(*strata)
    few = len(cells) < trials.weights.shape[1] * (int(cells.max()) + 1)
    merged: Codes = np.zeros_like(cells) if few else cells
    return merged


def _check(trials: _Trials, name: str, ok: bool, text: str, effect: Effect) -> Check:
    return Check(name, trials.speaker, ok, text, effect.size, effect.p_value)


def _unknown(trials: _Trials, name: str, text: str) -> Check:
    return Check(name, trials.speaker, True, text, math.nan, math.nan)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _p(effect: Effect) -> str:
    return f"p = {effect.p_value:.3f}"
