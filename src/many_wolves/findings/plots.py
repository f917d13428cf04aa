"""Figures of findings: effects of effort, training trajectories, signature map, forest plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.counting import number_of
from many_wolves.figures import Figure, Fitted, Plot
from many_wolves.figures.chart import chart
from many_wolves.figures.forest import forest
from many_wolves.figures.lineage import TRAINING, kin_of
from many_wolves.figures.scaling import law
from many_wolves.figures.theme import Width
from many_wolves.figures.trajectory import trajectory
from many_wolves.findings.contrasts import LEVELS, mean_distance, pairs
from many_wolves.findings.dynamics import Run, runs
from many_wolves.findings.effort import ORDER, asked_at_several, effort
from many_wolves.findings.fits import Member, able, common_conditions, members, others, people
from many_wolves.findings.run import quantities_of
from many_wolves.findings.scaling import AXES, FEWEST, GROUP, band_of, scale_of, size_of
from many_wolves.findings.signature import signature

INTERVAL = "95 % equal-tailed intervals"
SEED = 1
IDLE = " *"
"""Mark of a speaker that did not do the task."""
CROWD = 8
"""Number of speakers above which a two-column figure has all its panels in one line."""
OTHER = "unknown"
"""Group of speakers without a label for their training."""

Draw = Callable[[Sequence[Member], FindingsSpec, Width], Figure]
Lacks = Callable[[Sequence[Member], FindingsSpec], str]


def effort_effects(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Change of every parameter at each effort against none."""
    rows = [
        {
            "panel": s.quantity,
            "row": s.condition or f"mean over {quantities.conditions}",
            "group": s.contrast.split(" - ")[0],
            "mean": s.estimate,
            "low": s.interval[0],
            "high": s.interval[1],
        }
        for s in effort(able(found, quantities), quantities, SEED)
    ]
    frame = pd.DataFrame(rows)
    asked = asked_at_several(able(found, quantities))
    models = {m.model for m in asked}
    return forest(
        frame,
        name="effort",
        title="Effects of reasoning effort",
        panels=list(dict.fromkeys(frame["panel"])),
        groups=[e for e in ORDER if e in set(frame["group"])],
        axis="change against no reasoning",
        caption=f"Change of each parameter at each effort against none, over {len(models)} "
        f"speakers ({len(asked)} fits): posterior means with {INTERVAL}."
        + _without_idle(asked_at_several(others(found, quantities))),
        width=width,
    )


def all_speakers(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Every parameter of every speaker, averaged over its conditions."""
    rows = []
    for member in found:
        for parameter in quantities.words:
            if member.has(parameter):
                drawn = member.mean_over(parameter)
                rows.append({"panel": parameter, "row": member.label, "group": ""} | _three(drawn))
    frame = pd.DataFrame(rows)
    return forest(
        frame,
        name="forest",
        title="All speakers",
        panels=list(dict.fromkeys(frame["panel"])),
        groups=[""],
        axis="posterior mean",
        caption=f"Each parameter of {len(found)} speakers, averaged over the "
        f"{quantities.conditions} of that speaker: posterior means with {INTERVAL}.",
        zero=False,
        width=width,
    )


def post_training(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Weights of people, base models and post-trained models, and their distance from people."""
    reference = people(found, quantities)
    assert reference is not None
    found = [reference, *others(found, quantities)]
    shared = common_conditions(found)
    weights = [p for p in quantities.words if all(m.has(p) for m in found)]
    idle = [member for member in found if not member.did_task]
    many = len(found) > CROWD and width == "two"
    # A narrow panel has no room for more.
    away = "distance" if many or width == "one" else f"distance from {reference.label}"
    rows = []
    for member in found:
        group = reference.label if member is reference else _training_of(member)
        name = _without_training(member, found) + (IDLE if member in idle else "")
        here = {"row": name, "group": group}
        rows += [here | {"panel": p} | _three(member.mean_over(p, shared)) for p in weights]
        far = None if member is reference else mean_distance(member, reference, quantities)
        if far is not None:
            rows.append(here | {"panel": away} | _three(far))
    frame = pd.DataFrame(rows)
    known = (reference.label, *LEVELS[TRAINING], OTHER)
    return forest(
        frame,
        name="post_training",
        title=f"{reference.label.capitalize()} and models, before and after post-training",
        panels=[*weights, away],
        groups=[g for g in known if g in set(frame["group"])],
        axis="posterior mean; bits",
        caption=f"Each parameter, averaged over the {quantities.conditions} that all share "
        f"({', '.join(shared)}). Last panel: the Jensen-Shannon divergence of predicted "
        f"choices from those of {quantities.reference_words} (0: the same choices, 1: no overlap). "
        f"Posterior means with {INTERVAL}."
        + (f" {IDLE}: did not do the task, so the weights are meaningless." if idle else ""),
        zero=False,
        columns=len(weights) + 1 if many else 3,
        ticks=(0, 0.5, 1),
        width=width,
    )


def lead_figure(found: Sequence[Member], quantities: FindingsSpec) -> Figure | None:
    """The figure at the top of a report; None if nothing is compared.

    If no speaker is labelled base or post-trained, it shows all speakers.
    """
    if len(found) < 2:
        return None
    draw = all_speakers if _no_reference(found, quantities) else post_training
    return replace(draw(found, quantities, "two"), narrow=draw(found, quantities, "one"))


def _training_of(member: Member) -> str:
    found = str(member.labels.get(TRAINING, OTHER))
    return found if found in LEVELS[TRAINING] else OTHER


def _without_training(member: Member, found: Sequence[Member]) -> str:
    """Name of a row; a base model and its post-trained form share the base model's name."""
    pair = next((p for p in pairs(found, TRAINING) if p.second is member), None)
    # The mark of a speaker that did not do the task is about one of the two only.
    together = pair is not None and pair.first.did_task and pair.second.did_task
    return pair.first.label if pair is not None and together else member.label


def training_paths(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Every parameter over training, one ribbon per run."""
    known = runs(able(found, quantities))
    shared = common_conditions([m for run in known for m in run.members])
    reference = people(found, quantities)
    units = sorted({run.unit for run in known})
    n = sum(len(run.members) for run in known)
    return trajectory(
        pd.DataFrame([row for run in known for row in _path(run, quantities, shared)]),
        panels=[p for p in quantities.words if all(run.members[0].has(p) for run in known)],
        conditions=shared,
        axis=f"training {' or '.join(units)}",
        caption=f"Posterior means (lines) with {INTERVAL} (ribbons) at {n} checkpoints of "
        f"{number_of(len(known), 'training run')}."
        + (f" Grey bands: {quantities.reference_words}." if reference else "")
        + _without_idle([m for run in runs(others(found, quantities)) for m in run.members]),
        reference=_bands(reference, quantities, shared),
        width=width,
    )


def _path(run: Run, quantities: FindingsSpec, shared: Sequence[str]) -> list[dict[str, object]]:
    return [
        {"run": run.name, "panel": p, "condition": c, "at": at} | _three(m.quantities[p, c])
        for p in quantities.words
        for c in shared
        for at, m in zip(run.at, run.members, strict=True)
        if (p, c) in m.quantities
    ]


def _bands(
    reference: Member | None, quantities: FindingsSpec, shared: Sequence[str]
) -> pd.DataFrame | None:
    if reference is None:
        return None
    rows = []
    for c in shared:
        at = quantities.comparable(c)
        if at in reference.fit.conditions:
            for p in quantities.words:
                if reference.has(p):
                    rows.append({"panel": p, "condition": c} | _three(reference.quantities[p, at]))
    return pd.DataFrame(rows)


def signature_map(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Two parameters of the signature against each other; colour shows its probability."""
    models, reference = others(found, quantities), people(found, quantities)
    assert reference is not None
    x, y = list(quantities.signature)[:2]
    probability = {
        (s.subject, s.condition): s.estimate
        for s in signature(found, quantities)
        if s.quantity == "signature"
    }
    rows, corners = [], {}
    for member in models:
        for condition in member.fit.conditions:
            if (member.label, condition) in probability:
                at = {x: _three(member.quantities[x, condition]),
                      y: _three(member.quantities[y, condition])}  # fmt: skip
                rows.append(
                    {"group": member.label, "panel": condition}
                    | {"probability": probability[member.label, condition]}
                    | {name: v["mean"] for name, v in at.items()}
                    | {f"{name}_low": v["low"] for name, v in at.items()}
                    | {f"{name}_high": v["high"] for name, v in at.items()}
                )
                corners[condition] = _corner(reference, condition, x, y, quantities)
    frame = pd.DataFrame(rows)
    panels = list(dict.fromkeys(frame["panel"]))
    kind = quantities.signature_name
    sides = ", ".join(f"{side} {name}" for name, side in quantities.signature.items())
    return chart(
        frame,
        x=x,
        y=y,
        fill="probability",
        panels=panels,
        groups=[m.label for m in models],
        corner=pd.DataFrame([{"panel": c} | corners[c] for c in panels]),
        caption=f"Posterior means of {x} and {y} with {INTERVAL}, {len(models)} speakers. Colour: "
        f"the posterior probability of the signature of {kind} ({sides}, jointly, compared with "
        f"{quantities.reference_words}). Grey: the corner of {x} and {y} that it needs.",
        name=f"{kind}_map",
        title=f"Map of {kind}",
        kin=kin_of([m.fit for m in models]),
        width=width,
    )


def laws(found: Sequence[Member], quantities: FindingsSpec, width: Width) -> Figure:
    """Every parameter over size, with the band of the laws, weighted by their probabilities."""
    axis = next(a for a in AXES if not _no_axis(found, quantities, a))
    sized = [(m, s) for m in able(found, quantities) if (s := size_of(m, axis)) is not None]
    names = [p for p in quantities.words if all(m.has(p) for m, _ in sized)]
    points, bands = [], []
    for parameter in names:
        for member, size in sized:
            group = str(member.labels.get(GROUP, "models"))
            here = {"group": group, "panel": parameter, "size": size}
            points.append(here | _three(member.mean_over(parameter)))
        bands.append(band_of(scale_of(sized, parameter, quantities), SEED).assign(panel=parameter))
    return law(
        pd.DataFrame(points),
        pd.concat(bands, ignore_index=True).replace({"group": {"": "models"}}),
        panels=names,
        axis=axis,
        caption=f"Posterior means of {len(sized)} models with {INTERVAL}, averaged over the "
        f"{quantities.conditions}. "
        "Bands: 95 % intervals for a further model of each size, over flat, "
        "log-linear, saturating and broken laws by their posterior probabilities."
        + _without_idle([m for m in others(found, quantities) if size_of(m, axis) is not None]),
        width=width,
    )


def _no_axis(found: Sequence[Member], quantities: FindingsSpec, axis: str) -> str:
    sizes = {size_of(m, axis) for m in able(found, quantities)} - {None}
    return "" if len(sizes) >= FEWEST else f"fewer than {FEWEST} {axis} are known"


def _no_size(found: Sequence[Member], quantities: FindingsSpec) -> str:
    lacking = [_no_axis(found, quantities, axis) for axis in AXES]
    return "" if not all(lacking) else "; ".join(lacking)


def _corner(
    reference: Member, condition: str, x: str, y: str, quantities: FindingsSpec
) -> dict[str, float]:
    """The corner on the signature's side of the reference's means."""
    at = quantities.comparable(condition)
    beside = [at] if at in reference.fit.conditions else []
    edges: dict[str, float] = {}
    for axis, name in (("x", x), ("y", y)):
        mean = float(reference.mean_over(name, beside).mean())
        low = quantities.signature[name] == "low"
        edges |= {f"{axis}min": 0.0 if low else mean, f"{axis}max": mean if low else 1.0}
    return edges


def _without_idle(members: Sequence[Member]) -> str:
    """A sentence on those that did not do the task, which effects leave out; empty without any."""
    idle = [m.label for m in members if not m.did_task]
    return f" Left out, because they did not do the task: {', '.join(idle)}." if idle else ""


def _three(drawn: Array) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": float(drawn.mean()), "low": float(low), "high": float(high)}


def _no_effort(found: Sequence[Member], quantities: FindingsSpec) -> str:
    if any(effort(able(found, quantities), quantities, SEED)):
        return ""
    return "no speaker that did the task has converged fits at several efforts including `none`"


def _no_reference(found: Sequence[Member], quantities: FindingsSpec) -> str:
    if people(found, quantities) is None:
        return f"it needs a fit of {quantities.reference_words or 'a reference'} that converged"
    if not any(TRAINING in m.labels for m in found) or not common_conditions(found):
        return "no speaker is labelled as base or post-trained in the conditions of people"
    return ""


def _no_run(found: Sequence[Member], quantities: FindingsSpec) -> str:
    if runs(able(found, quantities)):
        return ""
    return "no speaker that did the task has converged fits at three or more checkpoints"


def _no_signature(found: Sequence[Member], quantities: FindingsSpec) -> str:
    if any(signature(found, quantities)):
        return ""
    if not quantities.signature:
        return "the task family defines no signature"
    return f"it needs full fits of {quantities.reference_words} and of another speaker"


def _nothing(found: Sequence[Member], quantities: FindingsSpec) -> str:
    return "" if any(m.quantities for m in found) else "no fit has parameters by condition"


def plots(signature_name: str = "") -> dict[str, Plot]:
    """Figures of findings by name."""

    # The draws are read once for all figures of the same fits.
    known: dict[tuple[Path, ...], list[Member]] = {}

    def read(fits: Sequence[Fitted]) -> list[Member]:
        key = tuple(fit.folder for fit in fits)
        if key not in known:
            known[key] = members(fits, quantities_of(fits), SEED)
        return known[key]

    def why_not(fits: Sequence[Fitted], lacks: Lacks) -> str:
        return lacks(read(fits), quantities_of(fits))

    def plot(summary: str, draw: Draw, lacks: Lacks) -> Plot:
        return Plot(
            summary,
            lambda fits, width: draw(read(fits), quantities_of(fits), width),
            several=True,
            lacking=lambda fits: why_not(fits, lacks),
        )

    return {
        "forest": plot(
            "every parameter of every speaker, averaged over its conditions", all_speakers, _nothing
        ),
        "post_training": plot(
            "weights before and after post-training, and distance from people",
            post_training,
            _no_reference,
        ),
        "effort": plot("effect of each reasoning effort", effort_effects, _no_effort),
        "trajectories": plot("weights over training, one ribbon per run", training_paths, _no_run),
        "scaling": plot("every parameter over size, with scaling laws", laws, _no_size),
    } | (
        {
            f"{signature_name}_map": plot(
                f"probability of {signature_name}, in the plane of two parameters",
                signature_map,
                _no_signature,
            )
        }
        if signature_name
        else {}
    )
