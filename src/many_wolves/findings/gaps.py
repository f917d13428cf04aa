"""Why a kind of finding is missing, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence

from many_wolves.contracts import FindingsSpec
from many_wolves.figures import Fitted
from many_wolves.findings.dynamics import FEWEST, runs
from many_wolves.findings.effort import BASE, asked_at_several
from many_wolves.findings.fits import Member, able, others, people
from many_wolves.findings.scaling import size_of

_EFFORTS = "A study asks at several efforts with `efforts: [none, low, medium, high]`."


def reasons(
    found: Sequence[Member],
    quantities: FindingsSpec,
    left_out: Sequence[Fitted] = (),
    axes: Sequence[str] = (),
) -> tuple[str, ...]:
    """A sentence for each kind of finding that is missing, and one on speakers that are left out.

    Parameters
    ----------
    found
        The fits that are compared.
    left_out
        Fits that did not converge, without which a finding may be missing.
    axes
        Axes of the scaling laws that were requested.
    """
    gone = [Member(fit, {}, {}) for fit in left_out]
    models, models_gone = others(found, quantities), others(gone, quantities)
    idle = [m for m in models if not m.did_task]
    sound = able(found, quantities)
    words = (
        _reference(found, gone, quantities),
        _idle(models, idle, axes),
        _effort(sound, models_gone, idle),
        _training(sound, models_gone, idle),
        _default(models, models_gone, quantities),
    )
    return tuple(sentence for sentence in words if sentence)


def _reference(found: Sequence[Member], gone: Sequence[Member], quantities: FindingsSpec) -> str:
    if not quantities.reference or people(found, quantities) is not None:
        return ""
    about = [quantities.signature_name, "the distance from them", "their own shifts"]
    needed = f"Such a fit is needed for findings on {', on '.join(filter(None, about))}."
    if people(gone, quantities) is not None:
        return (
            f"The fit of {quantities.reference_words} did not converge and is left out. {needed} "
            "Its verdict gives a remedy."
        )
    add = f" Add one: `{quantities.reference_command}`." if quantities.reference_command else ""
    return f"No fit of {quantities.reference_words} is included. {needed}{add}"


def _idle(models: Sequence[Member], idle: Sequence[Member], axes: Sequence[str]) -> str:
    """Speakers that effects leave out although they were asked for them."""
    kinds = {
        "effort": asked_at_several(models),
        "training": [m for run in runs(models) for m in run.members],
        "size": [m for m in models if any(size_of(m, axis) is not None for axis in axes)],
    }
    lost = {kind: [m for m in idle if m in members] for kind, members in kinds.items()}
    about = [kind for kind, members in lost.items() if members]
    names = [m for m in idle if any(m in members for members in lost.values())]
    if not about:
        return ""
    return (
        f"Left out of the effects of {' and '.join(about)}, because they did not do the task: "
        f"{_names(names)}."
    )


def _effort(models: Sequence[Member], gone: Sequence[Member], idle: Sequence[Member]) -> str:
    together = [*models, *gone, *idle]
    if _compared(models):
        return ""
    if not _compared([*models, *gone]) and _compared([*models, *idle]):
        return (
            "Findings on effort are missing, since some speakers did not do the task: "
            f"{_names(idle)}."
        )
    if _compared(together):
        return (
            f"Findings on effort are missing, since some fits did not converge: {_names(gone)}. "
            "Their verdicts give a remedy."
        )
    if len({m.effort for m in together}) < 2:
        return (
            f"All speakers were asked at one effort, so findings on effort are missing. {_EFFORTS}"
        )
    return (
        f"No speaker was asked both at the effort `{BASE}` and at another one, so findings on "
        f"effort are missing. {_EFFORTS}"
    )


def _compared(models: Sequence[Member]) -> bool:
    """Whether a model was asked at several efforts, one of them ``none``."""
    efforts = {m.effort for m in asked_at_several(models)}
    return BASE in efforts and len(efforts) > 1


def _training(models: Sequence[Member], gone: Sequence[Member], idle: Sequence[Member]) -> str:
    if known := runs(models):
        return _alone(models, [m for run in known for m in run.members])
    lost = []
    for run in runs([*models, *gone, *idle]):
        missing = [m for m in run.members if any(m is one for one in (*gone, *idle))]
        did = "converged"
        if any(m is one for m in missing for one in idle):
            did = "converged and did the task"
        lost.append(
            f"{run.name} has {len(run.members)} checkpoints, {len(run.members) - len(missing)} of "
            f"which {did} (left out: {_names(missing)}); findings on training need {FEWEST}."
        )
    if lost:
        return " ".join(lost)
    return (
        f"No speaker was asked at {FEWEST} or more checkpoints of one training stage with a known "
        "step, so findings on training are missing. A study lists them under `revisions`."
    )


def _alone(models: Sequence[Member], used: Sequence[Member]) -> str:
    """Checkpoints that no effect of training uses, although others were compared."""
    alone = [m for m in models if m.at is not None and not any(m is one for one in used)]
    if not alone:
        return ""
    return (
        f"Left out of the effects of training: {_names(alone)}. Each stage of training is a "
        f"separate run, and findings on training need {FEWEST} checkpoints of one run."
    )


def _default(models: Sequence[Member], gone: Sequence[Member], quantities: FindingsSpec) -> str:
    def compared(members: Sequence[Member]) -> bool:
        return any(
            quantities.default(c) in m.fit.conditions for m in members for c in m.fit.conditions
        )

    if compared(models) or not any(quantities.default(c) for m in models for c in m.fit.conditions):
        return ""
    if compared(gone):
        return (
            f"Shifts from the default are unknown, since no fit without a {quantities.condition} "
            f"converged (left out: {_names(gone)})."
        )
    return (
        f"No speaker was asked without a {quantities.condition}, so shifts from the default are "
        "unknown."
    )


def _names(members: Sequence[Member]) -> str:
    return ", ".join(m.label for m in members)
