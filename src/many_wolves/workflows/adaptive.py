"""Adaptive collection: choose questions, ask them and fit, until the intervals are narrow enough.

The journal contains the answers, ``rounds.json`` the questions of each round and why. A round is
recorded before it is asked. So an interrupted run first completes its last round, and then
continues; no question is asked twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from many_wolves.collection import Collected
from many_wolves.contracts import Array, Observations
from many_wolves.errors import WolvesError
from many_wolves.files import read_json_object, write_atomic
from many_wolves.progress import log, step
from many_wolves.records import SCHEMA, Trial
from many_wolves.tables import write_table
from many_wolves.workflows.data import load
from many_wolves.workflows.design import (
    DesignRequest,
    before_of,
    choose,
    designing_model,
    learn_of,
    weights_of,
)
from many_wolves.workflows.fits import FitRequest, fit_into
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.models import options_of, problem_of
from many_wolves.workflows.round_limits import MOST_CALLS, PER_ROUND
from many_wolves.workflows.sampling import USUAL, Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference.evaluation.knowledge import Known

ROUNDS = "rounds.json"
FIT, CHOICES = "fit", "choices"
AGAIN = 1.5
"""Growth factor of the number of calls after which the posterior is sampled even if the
approximation, which is unreliable, still gives wide intervals."""

Stopped = Literal["width", "max_calls", "trials", ""]
"""Reason for stopping; empty if the collection was interrupted."""


@dataclass(frozen=True)
class AdaptiveRequest:
    """Settings of an adaptive collection.

    Parameters
    ----------
    design
        Target parameters, target width, model, seed; its ``calls`` are not used.
    per_round
        Maximum number of calls per round. The first round has the calls without which the model
        cannot be fitted. No later round is larger than all earlier ones together.
    max_calls
        Maximum number of calls, including those of earlier runs.
    sampling
        Settings for sampling the posterior when the collection may stop.
    report
        Whether a report on the fit is written.
    """

    design: DesignRequest
    per_round: int = PER_ROUND
    max_calls: int = MOST_CALLS
    sampling: Sampling = USUAL
    report: bool = True


@dataclass(frozen=True)
class Journalled:
    """Access to the journal of one speaker.

    Parameters
    ----------
    ask
        Takes a number of answers by trial id, and collects the missing ones.
    answers
        Number of answers to each trial.
    observe
        The answers as a table.
    """

    ask: Callable[[Mapping[str, int]], Collected]
    answers: Callable[[], Sequence[int]]
    observe: Callable[[], Observations]


@dataclass(frozen=True)
class Adaptive:
    """The result of an adaptive collection.

    Parameters
    ----------
    stopped
        Reason for stopping.
    calls, rounds
        Calls and rounds so far.
    weights
        Current estimates, one row per parameter and condition.
    fit
        Folder of the fit, if the posterior was sampled.
    collected
        Result of the last round; None if nothing was asked.
    """

    stopped: Stopped
    calls: int
    rounds: int
    weights: pd.DataFrame | None
    fit: Path | None
    collected: Collected | None


def collect_in_rounds(
    trials: Sequence[Trial], journal: Journalled, request: AdaptiveRequest, folder: Path
) -> Adaptive:
    """Ask a speaker in rounds until the intervals are narrow enough.

    Parameters
    ----------
    trials
        Candidate questions of one family.
    folder
        Folder of ``rounds.json``, the fit and its table.

    Raises
    ------
    WolvesError
        If the family has no suitable model, or the answers cannot be fitted.
    """
    wanted = request.design
    model = designing_model(trials[0].family, wanted.model)
    options_of(model, wanted.options, wanted.variant)
    make_ready(folder)
    rounds = _read(folder / ROUNDS)
    state = _State(trials, journal, request, folder, rounds[-1] if rounds else {})
    done: Collected | None = None
    if rounds:
        done = journal.ask(rounds[-1]["replicates"])
    while done is None or not _broken(done):
        levels = list(journal.answers())
        calls = sum(levels)
        known, reached = state.look(levels, len(rounds))
        stopped = _stop(reached, calls, request)
        chosen = [] if stopped else state.next(known, levels, len(rounds))
        if not chosen:
            state.conclude(levels)
            return Adaptive(stopped or "trials", calls, len(rounds), state.weights, state.fit, done)
        rounds.append(_round(trials, known, levels, chosen, state, len(rounds) + 1))
        _write(folder / ROUNDS, rounds)
        step(f"round {len(rounds)}: asking {len(chosen)} questions")
        done = journal.ask(rounds[-1]["replicates"])
    return Adaptive("", sum(journal.answers()), len(rounds), state.weights, None, done)


def round_size(most: int, answers: int) -> int:
    """Number of calls in the next round; it at most doubles the number of answers."""
    return min(most, answers)


def _broken(done: Collected) -> bool:
    """Whether the last round is incomplete."""
    return done.halted or bool(done.asked.get("failed", 0))


def _stop(reached: bool, calls: int, request: AdaptiveRequest) -> Stopped:
    if reached:
        return "width"
    return "max_calls" if calls >= request.max_calls else ""


class _State:
    """The state between rounds; ``last`` is the record of the last round."""

    def __init__(
        self,
        trials: Sequence[Trial],
        journal: Journalled,
        request: AdaptiveRequest,
        folder: Path,
        last: Mapping[str, Any],
    ) -> None:
        self._trials, self._journal, self._request, self._folder = trials, journal, request, folder
        self._design = request.design
        self._model = designing_model(trials[0].family, self._design.model)
        self._options = options_of(self._model, self._design.options, self._design.variant)
        self.wider = float(last.get("wider", 1.0))
        self.sampled_at = int(last.get("sampled_at", 0))
        self._converged = False
        self.weights: pd.DataFrame | None = None
        self.fit: Path | None = None
        self.kinds: list[str] = []
        self._before: dict[tuple[bool, ...], Array] = {}

    def look(self, levels: Sequence[int], number: int) -> tuple[Known, bool]:
        """The current estimates, and whether all intervals are narrow enough."""
        from many_wolves import inference

        design = replace(self._design, seed=self._design.seed + number)
        if not any(levels):
            problem = self._model.before(self._trials, **self._options)
        else:
            table = self._journal.observe()
            problem = problem_of(table, self._model, self._design.options, self._design.variant)
        program = inference.load(problem.program, self._request.sampling.engine, step)
        self.kinds = list(self._model.kinds_of(problem, self._trials))
        earlier = None
        if any(levels):
            asked = tuple(map(bool, self.kinds))
            if asked not in self._before:
                self._before[asked] = before_of(
                    self._model, self._trials, self.kinds, program, self._design
                )
            earlier = (self._before[asked], self.kinds, levels)
        known = learn_of(self._model, problem, program, design, None, earlier)
        calls, wanted = sum(levels), self._design.width
        self.fit = None
        narrow = wanted is not None and bool((known.width * self.wider <= wanted).all())
        due = not known.reliable and calls >= AGAIN * self.sampled_at
        if any(levels) and wanted is not None and (narrow or due):
            guessed = known.width
            x = self._sample()
            self.sampled_at = calls
            known = learn_of(self._model, problem, program, design, x, earlier)
            self.wider = max(1.0, float((known.width / guessed).max()))
            reached = self._reached(known)
        else:
            known.knowledge.width = known.knowledge.width * self.wider
            reached = False
        self.weights = weights_of(known).drop(columns=["expected_sd", "expected_width"])
        return known, reached

    def next(self, known: Known, levels: Sequence[int], number: int) -> list[int]:
        """Indices of the next round's questions, one per call."""
        first = [0] * len(self._trials)
        if not any(levels) and number == 0:
            first = list(self._model.start(self._trials, **self._options))
        left = self._request.max_calls - sum(levels)
        size = min(round_size(self._request.per_round, sum(levels)) or sum(first), left)
        if sum(first) > left:
            raise WolvesError(
                f"the model cannot be fitted to fewer than {sum(first)} answers to these trials, "
                f"found --max-calls {self._request.max_calls}",
                fix=f"--max-calls {max(2 * sum(first), self._request.per_round)}",
            )
        design = replace(self._design, calls=size)
        # The approximation claims the target width, but the sampled posterior is wider.
        for wanted in (design, replace(design, width=None)):
            if chosen := choose(known, self.kinds, levels, first, wanted):
                return chosen
        return []

    def conclude(self, levels: Sequence[int]) -> None:
        """Sample the posterior given all answers, unless this was done."""
        if self.fit is None and any(levels):
            self._sample()

    def _sample(self) -> Array:
        step("sampling the posterior")
        design = self._design
        self.fit = self._folder / FIT
        asked = self._request
        fit_request = FitRequest(
            design.options, design.model, design.variant, asked.sampling, asked.report
        )
        # The table is read from disk, so that the fit records its path.
        table = load(write_table(self._journal.observe(), self._folder / CHOICES))
        done = fit_into(table, self.fit, fit_request)
        self._converged = done.diagnostics.ok
        x: Array = done.draws.flat
        return x

    def _reached(self, known: Known) -> bool:
        assert self._design.width is not None
        if not self._converged:
            log.warning("The chains did not converge, so the collection continues.")
        return self._converged and bool((known.width <= self._design.width).all())


def _round(
    trials: Sequence[Trial],
    known: Known,
    levels: Sequence[int],
    chosen: Sequence[int],
    state: _State,
    number: int,
) -> dict[str, Any]:
    """The record of a round: its questions and why they were chosen."""
    wanted = list(levels)
    by_kind: dict[str, int] = {}
    for question in chosen:
        wanted[question] += 1
        by_kind[state.kinds[question]] = by_kind.get(state.kinds[question], 0) + 1
    return {
        "round": number,
        "answers_before": sum(levels),
        "calls": len(chosen),
        "sampled_at": state.sampled_at,
        "wider": state.wider,
        "weights": json.loads(weights_of(known).round(6).to_json(orient="records")),
        "questions": by_kind,
        "replicates": {trials[n].id: wanted[n] for n in dict.fromkeys(chosen)},
    }


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    found = read_json_object(path, "move it away; answers are in the journal and are kept")
    rounds: Any = found.get("rounds")
    whole = isinstance(rounds, list) and all(
        isinstance(one, dict) and isinstance(one.get("replicates"), dict) for one in rounds
    )
    if not whole:
        raise WolvesError(
            "expected the rounds of `wolves collect --adaptive`",
            where=path,
            fix="move it away; answers are in the journal and are kept",
        )
    return list(rounds)


def _write(path: Path, rounds: Sequence[Mapping[str, Any]]) -> None:
    record = {"schema": SCHEMA, "rounds": rounds}
    write_atomic(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
