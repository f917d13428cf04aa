"""The search: trials by optuna, the Pareto front, and a second run with fresh seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.extras import needs
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.search.objectives import (
    Exploiters,
    Values,
    estimate,
    played_values,
)
from many_wolves.families.markets.search.options import RuleSearch
from many_wolves.families.markets.simulation.play import Cast

EXTRA = "rules"
FRESH = 1_000_000
"""Seeds of the run with fresh seeds begin so much higher."""
PUBLISHED = "published"
"""Name of the rules of the lab, at which the parameters of the search are not changed."""

WHOLE = ("speculators", "ticks")
"""Parameters that are whole numbers."""

Point = Mapping[str, Any]
"""Mechanism and parameters of one candidate."""


@dataclass(frozen=True)
class Searched:
    """A search with its players.

    Parameters
    ----------
    options
        The file.
    base
        Rules by mechanism, before parameters are changed.
    cast, exploiters
        Who plays, and who exploits.
    identity
        Of all that a trial depends on: trials of another search are not mixed with these.
    told
        Parameters of the cast, by role.
    """

    options: RuleSearch
    base: Mapping[str, Rules]
    cast: Cast
    exploiters: Exploiters
    identity: str
    told: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def rules(self, point: Point) -> Rules:
        """The rules of a candidate."""
        return changed(self.base[point["mechanism"]], point)

    def values(self, point: Point, fresh: bool = False) -> Values:
        """Objectives of a candidate by session; all candidates have the same seeds."""
        seed = 1_000 * self.options.seed + (FRESH if fresh else 0)
        count = self.options.fresh_sessions if fresh else self.options.sessions
        wanted = self.exploiters if "worst_case" in self.options.objectives else {}
        seeds = range(seed + 1, seed + count + 1)
        return played_values(self.rules(point), self.cast, wanted, seeds)


def changed(rules: Rules, point: Point) -> Rules:
    """Rules with the parameters of a candidate."""
    new: dict[str, Any] = {k: v for k, v in point.items() if k != "mechanism"}
    if "signal_error" in new:
        error = new.pop("signal_error")
        new |= {"signal_low": 1 - error, "signal_high": 1 + error}
    if "speculators" in new:
        new["speculator"] = replace(rules.speculator, count=int(new.pop("speculators")))
    if "ticks" in new:
        new["ticks"] = int(new["ticks"])
    return replace(rules, **new)


def parameter(rules: Rules, name: str) -> float:
    """The value of a parameter in rules."""
    if name == "signal_error":
        return (rules.signal_high - rules.signal_low) / 2
    return float(rules.speculator.count if name == "speculators" else getattr(rules, name))


def lab_rules(mechanism: str) -> Rules:
    """The lab's rules with one paid round: no simulated player remembers earlier rounds."""
    return Rules.lab(mechanism, rounds=1, practice=False)


def search(wanted: Searched, out: Path, advance: Callable[[int, int], None]) -> pd.DataFrame:
    """Try rules, resuming a search that was interrupted.

    Parameters
    ----------
    wanted
        The search.
    out
        Folder of the trials, ``trials-IDENTITY.log``.
    advance
        Called with the number of trials done, and the total.

    Returns
    -------
    pandas.DataFrame
        A row for each trial: number, mechanism, parameters, objectives, and ``pareto``.

    Raises
    ------
    WolvesError
        If the packages of the extra are missing.

    References
    ----------
    Akiba, T., Sano, S., Yanase, T., Ohta, T., & Koyama, M. (2019). Optuna: A next-generation
    hyperparameter optimization framework. *KDD '19*, 2623-2631.
    """
    with needs(EXTRA, "the search for rules"):
        import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names, options = wanted.options.objectives, wanted.options
    backend = optuna.storages.journal.JournalFileBackend(str(out / f"trials-{wanted.identity}.log"))
    study = optuna.create_study(
        study_name=wanted.identity,
        storage=optuna.storages.JournalStorage(backend),
        directions=["maximize"] * len(names),
        load_if_exists=True,
    )
    complete = (optuna.trial.TrialState.COMPLETE,)
    done = len(study.get_trials(deepcopy=False, states=complete))
    # A sampler that goes on would repeat the draws of the one before it.
    study.sampler = optuna.samplers.TPESampler(seed=options.seed * 1_000 + done)
    if not study.get_trials(deepcopy=False):
        for mechanism in options.mechanism:
            study.enqueue_trial(_published(wanted, mechanism))
    advance(done, options.trials)
    while done < options.trials:
        trial = study.ask()
        point = _suggest(trial, options)
        values = wanted.values(point)
        trial.set_user_attr("sessions", {n: [float(v) for v in values[n]] for n in names})
        study.tell(trial, [float(values[n].mean()) for n in names])
        done += 1
        advance(done, options.trials)
    best = {trial.number for trial in study.best_trials}
    rows = [
        {
            "trial": trial.number,
            **{"mechanism": options.mechanism[0], **trial.params},
            **dict(zip(names, trial.values, strict=True)),
            "pareto": trial.number in best,
            "sessions": json.dumps(trial.user_attrs["sessions"]),
        }
        for trial in study.get_trials(deepcopy=False, states=complete)
    ]
    return pd.DataFrame(rows)


def pareto_table(
    wanted: Searched, trials: pd.DataFrame, advance: Callable[[int, int], None]
) -> pd.DataFrame:
    """The best rules and the published ones, in the search and again with fresh seeds.

    Parameters
    ----------
    wanted, trials
        The search, and what ``search`` returned.
    advance
        Called with the number of rules that were run again, and the total.

    Returns
    -------
    pandas.DataFrame
        ``rules`` (number of the trial, or published), mechanism and parameters. Each objective
        has a mean, ``_low`` and ``_high``, and the same with the prefix ``fresh_``. ``gain_`` is
        the difference to the published rules, with the same fresh seeds.
    """
    options = wanted.options
    points = {
        f"{PUBLISHED} {mechanism}": {"mechanism": mechanism} for mechanism in options.mechanism
    }
    points |= {str(row["trial"]): _point(options, row) for row in finalists(options, trials)}
    rows, published = [], {}
    for number, (name, point) in enumerate(points.items()):
        advance(number, len(points))
        searched, fresh = wanted.values(point), wanted.values(point, fresh=True)
        if name.startswith(PUBLISHED):
            published[point["mechanism"]] = fresh
        rules = wanted.rules(point)
        row: dict[str, Any] = {"rules": name, "mechanism": point["mechanism"]}
        row |= {parameter_: parameter(rules, parameter_) for parameter_ in options.search}
        for objective in options.objectives:
            row |= _columns(objective, searched[objective])
            row |= _columns(f"fresh_{objective}", fresh[objective])
            gain = fresh[objective] - published[point["mechanism"]][objective]
            row |= _columns(f"gain_{objective}", gain)
        rows.append(row)
    advance(len(points), len(points))
    return pd.DataFrame(rows)


def finalists(options: RuleSearch, trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Trials of the Pareto front; if there are too many, evenly over the first objective."""
    front = trials[trials["pareto"]].drop_duplicates(["mechanism", *options.search])
    front = front.sort_values(options.objectives[0], ascending=False)
    if len(front) > options.finalists:
        last = len(front) - 1
        steps = max(options.finalists - 1, 1)
        front = front.iloc[sorted({round(i * last / steps) for i in range(options.finalists)})]
    return [{str(k): v for k, v in row.items()} for row in front.to_dict(orient="records")]


def _columns(name: str, values: Any) -> dict[str, float]:
    mean, low, high = estimate(values)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _point(options: RuleSearch, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"mechanism": row["mechanism"], **{name: row[name] for name in options.search}}


def _suggest(trial: Any, options: RuleSearch) -> dict[str, Any]:
    point: dict[str, Any] = {"mechanism": options.mechanism[0]}
    if len(options.mechanism) > 1:
        point["mechanism"] = trial.suggest_categorical("mechanism", list(options.mechanism))
    for name, (low, high) in options.search.items():
        if name in WHOLE:
            point[name] = trial.suggest_int(name, round(low), round(high))
        else:
            point[name] = trial.suggest_float(name, low, high)
    return point


def _published(wanted: Searched, mechanism: str) -> dict[str, Any]:
    """The published rules as the first trial, where the ranges have them."""
    rules, ranges = wanted.base[mechanism], wanted.options.search
    point: dict[str, Any] = {"mechanism": mechanism} if len(wanted.options.mechanism) > 1 else {}
    for name, (low, high) in ranges.items():
        value = parameter(rules, name)
        if low <= value <= high:
            point[name] = round(value) if name in WHOLE else value
    return point
