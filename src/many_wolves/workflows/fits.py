"""Fits the observations of one speaker and writes the fit to a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Array, CognitiveModel, Observations, Problem
from many_wolves.files import fingerprint
from many_wolves.progress import log, step
from many_wolves.records.speaker import joined_labels
from many_wolves.workflows.calls import command, shown
from many_wolves.workflows.folder_names import folder_names
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.models import options_of, problem_of, single_model
from many_wolves.workflows.sampling import Sampling

if TYPE_CHECKING:
    from many_wolves.inference import Fit
    from many_wolves.inference.engines.protocol import Program


FEW_ATTEMPTS = 1
"""Further attempts for a speaker that did not do the task. Its numbers are not interpreted, and its
posterior may need many attempts."""


@dataclass(frozen=True)
class FitRequest:
    """Settings of a fit.

    Parameters
    ----------
    options
        Options of the cognitive model that differ from its defaults.
    model, variant
        Names of the model and of its variant; None for the first model of the task, and for the
        full variant.
    sampling
        Engine, chains, iterations, seed.
    report
        Whether ``report.html`` is written into the folder.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    variant: str | None = None
    sampling: Sampling = field(default_factory=Sampling)
    report: bool = True

    def prepare(self, observations: Observations) -> tuple[CognitiveModel, Problem]:
        """The model and the problem for some observations.

        Raises
        ------
        WolvesError
            If an option is invalid, or the observations cannot be fitted.
        """
        model = single_model(observations, self.model)
        return model, problem_of(observations, model, self.options, self.variant)

    def record(self, observations: Observations, out: Path | None = None) -> dict[str, Any]:
        """The call that reproduces the fit: as a command line, and by its arguments."""
        model = single_model(observations, self.model)
        options = options_of(model, self.options)
        named = {"model": self.model, "variant": self.variant}
        where = ["--out", shown(out)] if out is not None else []
        return {
            "command": command("fit", observations, options, named, self.sampling, flags=where),
            "call": {
                "function": "fit",
                "options": model.options.read(options).model_dump(mode="json", exclude_unset=True),
                "sampling": self.sampling.model_dump(),
                **named,
            },
        }


def default_folder(observations: Observations) -> Path:
    """The default folder of a fit, which is not one that holds a fit of another speaker."""
    speaker = str(observations.speakers[0])
    name = observations.meta.get("reference") or speaker
    if name != speaker and "speaker" in observations.meta.get("kept", {}):
        name = f"{name}-{speaker}"
    (word,) = folder_names([str(name)])
    folder = Path("rsa-output") / word
    if _speaker_in(folder) in ("", speaker):
        return folder
    return folder.with_name(f"{word}-{fingerprint(speaker, 12)}")


def _speaker_in(folder: Path) -> str:
    """The speaker of the fit in a folder; empty if there is none."""
    try:
        found = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        return str(found["speaker"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def fit_into(
    observations: Observations,
    out: Path,
    request: FitRequest,
    facts: Mapping[str, Any] | None = None,
) -> Fit:
    """Fit one speaker's observations and write the fit to a folder.

    Parameters
    ----------
    facts
        Further entries of ``fit.json``; by default the record of the call.

    Raises
    ------
    WolvesError
        If the observations cannot be fitted.
    """
    from many_wolves import inference

    model, problem = request.prepare(observations)
    make_ready(out)
    for note in problem.notes:
        log.info("Note: %s", note)
    program = inference.load(problem.program, request.sampling.engine, step)
    done = sampled(observations, problem, program, model, request.sampling)
    told = request.record(observations, out) if facts is None else facts
    inference.save(done, out, facts_of(observations) | examined(done, model) | dict(told))
    if request.report:
        from many_wolves.report import write_fit_report

        write_fit_report(out)
    return done


def sampled(
    observations: Observations,
    problem: Problem,
    program: Program,
    model: CognitiveModel,
    sampling: Sampling,
    known: Sequence[Array] = (),
) -> Fit:
    """Sample the posterior, with few further attempts for a speaker that did not do the task.

    Parameters
    ----------
    observations
        Their checks say whether the speaker did the task.
    known
        Points (D,) from which to look for modes.
    """
    from many_wolves.inference.sampling.retry import ATTEMPTS, fit_with_retries

    failed = not all(check.ok for check in observations.checks)
    done = fit_with_retries(
        problem,
        program,
        model.parameters,
        sampling.settings,
        step,
        attempts=FEW_ATTEMPTS if failed else ATTEMPTS,
        known=known,
    )
    if done.diagnostics.ok or not failed:
        return done
    words = f"The speaker did not do the task, so only {FEW_ATTEMPTS} further attempt was made."
    verdict = (*done.diagnostics.verdict, words)
    return replace(done, diagnostics=replace(done.diagnostics, verdict=verdict))


def examined(done: Fit, model: CognitiveModel) -> dict[str, Any]:
    """Entries of ``fit.json`` on misfit, bounds of priors, and influential clusters."""
    from many_wolves.inference.evaluation.edges import edges
    from many_wolves.inference.evaluation.influence import noted
    from many_wolves.inference.evaluation.predictive import describes

    found = {"describes": describes(done), "edges": edges(done)}
    moved = noted(done, tuple(getattr(model, "contrasts", ())))
    return found if moved is None else found | {"influence": moved}


def facts_of(observations: Observations) -> dict[str, Any]:
    """Entries of ``fit.json`` on the observations: checks, excluded answers, source."""
    return {
        "checks": [check.to_json() for check in observations.checks],
        "excluded": observations.excluded.to_dict(orient="records"),
        "labels": labels_of(observations),
        "source": _without_machine(observations.meta),
    }


def _without_machine(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The facts about a table, without machine-specific parts of its path."""
    path = meta.get("path")
    return {**meta, "path": shown(Path(path))} if path is not None else dict(meta)


def labels_of(observations: Observations) -> dict[str, str | float]:
    """Labels of the speaker, as far as known: model, effort, and position in training.

    Labels from the table (``meta["labels"]``, by speaker) come last.
    """
    from many_wolves.speakers.checkpoints import position, training_stage

    speaker = observations.speakers[0]
    given = dict(observations.meta.get("labels", {}).get(speaker, {}))
    spec = observations.meta.get("speakers", {}).get(speaker)
    if spec is None:
        return given
    at = position(spec["revision"])
    known = {
        "model": f"{spec['provider']}/{spec['model']}",
        "effort": spec["effort"],
        "step": at.step,
        "tokens": at.tokens,
        "training_stage": training_stage(spec["revision"]),
    }
    return joined_labels({k: v for k, v in known.items() if v not in ("", None)}, given)
