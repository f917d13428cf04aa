"""The two tasks of politeness as Inspect tasks: ``inspect eval many_wolves/politeness``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inspect_ai import Epochs, Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState, generate

from many_wolves.errors import WolvesError
from many_wolves.evals.samples import dataset
from many_wolves.evals.scoring import scored, share_read, shares
from many_wolves.families.politeness import Politeness
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import FAMILY, compile_trials
from many_wolves.files import code_version, fingerprint

__all__ = ["politeness", "politeness_literal"]

Names = str | Sequence[str] | None
"""Names separated by commas on the command line, or a list; None means all."""

_NEGATED = ["not terrible", "not bad", "not good", "not amazing"]


@task  # type: ignore[untyped-decorator]
def politeness(
    goals: Names = None,
    framings: Names = None,
    items: Names = None,
    scale: str = "hearts",
    utterances: str = "eight",
    orders: int = 1,
    seed: int = 1,
    replicates: int = 1,
) -> Task:
    """What Ann says to Bob about what he made: one of the utterances.

    Parameters
    ----------
    goals, framings, items
        Parts of the design (default: all).
    scale, utterances
        Names of a scale and of a set of utterances.
    orders
        Orders of options for each scene, all different.
    seed
        Decides which order meets which scene.
    replicates
        How often each trial is asked; Inspect calls them epochs.
    """
    selection = {"goals": _names(goals), "framings": _names(framings), "items": _names(items)}
    return _task(
        "choice",
        said(),
        replicates,
        **selection,
        scale=scale,
        utterances=utterances,
        orders=orders,
        seed=seed,
    )


@task  # type: ignore[untyped-decorator]
def politeness_literal(
    items: Names = None,
    scale: str = "hearts",
    utterances: str = "eight",
    orders: int = 1,
    seed: int = 1,
    replicates: int = 1,
) -> Task:
    """Whether an utterance is literally true of a state: yes or no.

    Parameters
    ----------
    items, scale, utterances, orders, seed, replicates
        As in ``politeness``.
    """
    return _task(
        "literal",
        judged(),
        replicates,
        items=_names(items),
        scale=scale,
        utterances=utterances,
        orders=orders,
        seed=seed,
    )


@scorer(metrics=[share_read(), shares("goal", _NEGATED, "negated")])  # type: ignore[untyped-decorator]
def said() -> Scorer:
    """The utterance chosen; metrics are the shares read and, by goal, negated."""
    return _scorer()


@scorer(metrics=[share_read(), shares("utterance", ["yes"], "yes")])  # type: ignore[untyped-decorator]
def judged() -> Scorer:
    """Yes or no; metrics are the shares read and, by utterance, of yes."""
    return _scorer()


def _scorer() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return scored(state, Politeness().read)

    return score


def _task(name: str, scores: Scorer, replicates: int, **selection: Any) -> Task:
    """The task of one kind of trial; its manifest goes into the log's metadata.

    A sample that fails is written down as failed and does not end the others.
    """
    try:
        compiled = compile_trials(PolitenessDesign(tasks=(name,), **selection))
    except WolvesError as fault:
        raise PrerequisiteError(str(fault)) from None
    trials = tuple(compiled.trials)
    facts = {
        "family": FAMILY,
        "code_version": code_version(),
        "fingerprint": fingerprint([trial.id for trial in trials]),
        **compiled.facts,
    }
    return Task(
        dataset=dataset(f"politeness {name}", trials),
        solver=generate(),
        scorer=scores,
        epochs=Epochs(replicates, "mode"),
        fail_on_error=False,
        metadata=facts | {"trials": len(trials)},
    )


def _names(value: Names) -> tuple[str, ...]:
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in parts if str(part).strip())
