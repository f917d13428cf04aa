"""Effects of training over the checkpoints of a run, and their timing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.figures.fitted import short_models
from many_wolves.findings.changepoint import settling
from many_wolves.findings.fits import Member, common_conditions, others
from many_wolves.findings.regression import measured, regression
from many_wolves.findings.statement import Statement

FEWEST = 3
"""Minimum number of checkpoints of a run."""
EARLY = 0.25
"""The early part of training whose share of the drift is reported."""
OVERALL = ""


@dataclass(frozen=True)
class Run:
    """Checkpoints of one training run, in order.

    Parameters
    ----------
    name
        Name of the speaker.
    members, at
        The checkpoints and the position of each in training (steps or tokens), ascending.
    labels
        Factors of the run.
    unit
        Unit of ``at``: ``step`` or ``tokens``.
    """

    name: str
    members: tuple[Member, ...]
    at: Array
    labels: Mapping[str, str | float]
    unit: str = "step"

    def place(self, index: int) -> str:
        """Position of a checkpoint in words."""
        at = f"{self.at[index]:,.0f}"
        return f"{at} tokens" if self.unit == "tokens" else f"step {at}"


def runs(found: Sequence[Member]) -> list[Run]:
    """Training runs among the members.

    A fit without a position in training starts a run if its labels are a subset of the run's
    (``base: llama`` of ``base: llama, feedback: hh``).
    """
    placed = [m for m in found if m.at is not None]
    names = short_models(m.model for m in placed)
    starts = [m for m in found if m.at is None and m.labels]
    result = []
    for key in dict.fromkeys(map(_run_of, placed)):
        mine = [m for m in placed if _run_of(m) == key]
        name = f"{names[mine[0].model]} {mine[0].stage}".strip()
        for unit, points in _axes(mine):
            labels = mine[0].labels
            before = [s for s in starts if s.labels.items() < labels.items()]
            if before and not mine[0].stage:
                points.setdefault(0.0, before[0])
            if len(points) >= FEWEST:
                at = sorted(points)
                members = tuple(points[x] for x in at)
                result.append(Run(name, members, np.array(at), labels, unit))
    return _named_apart(result)


def _axes(mine: Sequence[Member]) -> list[tuple[str, dict[float, Member]]]:
    """The members by position, in one unit; several at one position are on several axes."""
    shared = [unit for unit in ("tokens", "step") if all(unit in m.fit.labels for m in mine)]
    axes: list[tuple[str, dict[float, Member]]] = []
    for member in mine:
        unit = next(u for u in (*shared, "tokens", "step") if u in member.fit.labels)
        at = float(member.fit.labels[unit])
        free = next((points for kind, points in axes if kind == unit and at not in points), None)
        if free is None:
            axes.append((unit, free := {}))
        free[at] = member
    return axes


def _run_of(member: Member) -> tuple[str, str, str, frozenset[tuple[str, str | float]]]:
    return member.model, member.stage, member.effort, frozenset(member.labels.items())


def _named_apart(found: Sequence[Run]) -> list[Run]:
    """Runs with the same name get their labels, or otherwise a number, as a suffix."""
    names = Counter(run.name for run in found)
    longer = [
        replace(run, name=" ".join([run.name, *map(str, run.labels.values())]))
        if names[run.name] > 1
        else run
        for run in found
    ]
    names = Counter(run.name for run in longer)
    return [
        replace(run, name=f"{run.name} ({i + 1})") if names[run.name] > 1 else run
        for i, run in enumerate(longer)
    ]


def dynamics(found: Sequence[Member], quantities: FindingsSpec, seed: int) -> Iterator[Statement]:
    """Net change of each parameter, the share of it that comes early, and when it settles.

    Over runs that differ in labels (base model, feedback, algorithm, ...): the variation of
    the runs' end points between the levels of each label.
    """
    known = runs(others(found, quantities))
    for run in known:
        yield from _changes(run, quantities)
        yield from _early(run, quantities)
        yield from _settles(run, quantities, seed)
    yield from _contributions(known, quantities, seed)


def _known(run: Run, quantities: FindingsSpec) -> list[str]:
    return [p for p in quantities.words if all(m.has(p) for m in run.members)]


def _changes(run: Run, quantities: FindingsSpec) -> Iterator[Statement]:
    first, last = run.members[0], run.members[-1]
    shared = common_conditions(run.members)
    for parameter in _known(run, quantities):
        for condition in (OVERALL, *shared):
            at = [condition] if condition else shared
            drawn = last.mean_over(parameter, at) - first.mean_over(parameter, at)
            where = (
                f" under the {quantities.condition} {condition}"
                if condition
                else f", averaged over the {quantities.conditions},"
            )
            yield Statement(
                finding="dynamics",
                subject=run.name,
                condition=condition,
                quantity=parameter,
                contrast=f"{run.place(-1)} - {run.place(0)}",
                draws=drawn,
                words=f"Training of {run.name} from {run.place(0)} to {run.place(-1)} moves "
                f"{parameter} ({quantities.words[parameter]}){where}",
            )


def trajectory(run: Run, quantities: FindingsSpec) -> Array:
    """(checkpoints, quantities, D): every parameter under every shared condition."""
    shared = common_conditions(run.members)
    return np.array(
        [[m.quantities[p, c] for p in _known(run, quantities) for c in shared] for m in run.members]
    )


def _early(run: Run, quantities: FindingsSpec) -> Iterator[Statement]:
    drift = trajectory(run, quantities)
    drift = drift - drift[0]
    share = early_share(drift, run.at)
    if share is None:
        return
    yield Statement(
        finding="dynamics",
        subject=run.name,
        condition="",
        quantity="early share",
        contrast=f"first {100 * EARLY:.0f} % of training",
        draws=share,
        words=f"The share of the net drift of {run.name} in the first {100 * EARLY:.0f} % of "
        "training is",
        kind="size",
    )


def early_share(drift: Array, at: Array) -> Array | None:
    """(D,) share of the net drift that has happened after ``EARLY`` of training.

    The position at that point (linear between checkpoints) is projected on the
    path from the first checkpoint to the last, over all parameters and conditions. It is 1 if
    the drift is complete, and above 1 if it overshot. None if the uncertainty of the net
    drift is as large as the drift, so that a ratio is meaningless.

    Parameters
    ----------
    drift
        (checkpoints, quantities, D) difference from the first checkpoint.
    at
        (checkpoints,) steps or tokens.
    """
    whole = drift[-1]
    mean = whole.mean(axis=1)
    if mean @ mean < 4 * whole.var(axis=1).sum():
        return None
    point = at[0] + EARLY * (at[-1] - at[0])
    after = int(np.searchsorted(at, point))
    part = (point - at[after - 1]) / (at[after] - at[after - 1])
    there = drift[after - 1] + part * (drift[after] - drift[after - 1])
    # The direction is that of the mean drift, so that its noise is not squared.
    share: Array = (mean @ there) / (mean @ whole)
    return share


def _settles(run: Run, quantities: FindingsSpec, seed: int) -> Iterator[Statement]:
    rng = np.random.default_rng([seed, *f"settling {run.name}".encode()])
    found = settling(run.at, trajectory(run, quantities), rng)
    yield Statement(
        finding="dynamics",
        subject=run.name,
        condition="",
        quantity="change",
        contrast="training moves anything",
        draws=found.moves,
        words=f"Training moves the weights of {run.name} at all",
        kind="probability",
    )
    yield Statement(
        finding="dynamics",
        subject=run.name,
        condition="",
        quantity="change point",
        contrast="share of training",
        draws=found.at,
        words=f"The weights of {run.name} drift until a share of training of",
        kind="size",
    )


def _contributions(
    known: Sequence[Run], quantities: FindingsSpec, seed: int
) -> Iterator[Statement]:
    """Standard deviation of the runs' end points between the levels of each label."""
    factors = {
        name: list(dict.fromkeys(str(r.labels[name]) for r in known))
        for name in dict.fromkeys(name for r in known for name in r.labels)
        if all(name in r.labels for r in known)
    }
    factors = {name: levels for name, levels in factors.items() if len(levels) > 1}
    if not factors:
        return
    shared = common_conditions([r.members[-1] for r in known])
    columns = [(name, level) for name, levels in factors.items() for level in levels]
    X = np.array([[1.0, *(float(str(r.labels[n]) == v) for n, v in columns)] for r in known])
    for parameter in quantities.words:
        if not all(parameter in _known(r, quantities) for r in known):
            continue
        ends = [r.members[-1].mean_over(parameter, shared) for r in known]
        mean, sd = quantities.prior[parameter]
        rng = np.random.default_rng([seed, *f"contributions {parameter}".encode()])
        drawn = regression(
            measured(ends, mean, sd / len(shared) ** 0.5),
            X,
            [np.eye(len(known))],
            np.r_[0.5, np.zeros(len(columns))],
            np.r_[0.5, np.full(len(columns), 0.3)],
            rng,
        ).coefficients
        for name, levels in factors.items():
            mine = drawn[:, [1 + columns.index((name, level)) for level in levels]]
            yield Statement(
                finding="dynamics",
                subject=f"{len(known)} runs",
                condition="",
                quantity=parameter,
                contrast=f"levels of {name}",
                draws=mine.std(axis=1, ddof=1),
                words=f"Where training ends, the standard deviation of {parameter} between levels "
                f"of {name} ({', '.join(levels)}) is",
                kind="size",
            )
