"""Which cognitive model of a family a command works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves import families
from many_wolves.contracts import CognitiveModel, PooledModel, SensitiveModel, SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.records import ChoiceTable
from many_wolves.sources import nearest

OF_MODELS: Mapping[str, Any] = {
    "literal": "joint",
    "utilities": "inf,soc,pres",
    "cost_form": "prior",
    "weights_form": "normalised",
    "nodes": 32,
    "position_bias": False,
}
"""Options of commands that belong to some models and not to others, with their defaults."""


def single_model(family: str, name: str | None = None, task: str | None = None) -> CognitiveModel:
    """A model of one speaker: the named one, or the first that takes the task.

    Raises
    ------
    WolvesError
        If there is none of that name, or it is a model of many speakers or of other tasks.
    """
    models = _of(family, task)
    singles = {n: m for n, m in models.items() if not isinstance(m, PooledModel)}
    if name in models and name not in singles:
        raise WolvesError(
            f"{name} fits many speakers at once, this command one",
            mend="wolves pool TABLE TABLE ..., or --model " + next(iter(singles), "NAME"),
        )
    return _named(singles, family, name)


def simulated_model(
    family: str, name: str | None = None, task: str | None = None
) -> SimulatedModel:
    """A model that can be compared, recovered and calibrated."""
    models = _of(family, task).items()
    return _named({n: m for n, m in models if isinstance(m, SimulatedModel)}, family, name)


def pooled_model(family: str, name: str | None = None) -> PooledModel:
    """A model of many speakers."""
    models = _of(family, None).items()
    return _named({n: m for n, m in models if isinstance(m, PooledModel)}, family, name)


def sensitive_model(
    family: str, name: str | None = None, task: str | None = None
) -> SensitiveModel:
    """A model that knows its alternatives."""
    models = _of(family, task).items()
    return _named({n: m for n, m in models if isinstance(m, SensitiveModel)}, family, name)


def task_of(table: ChoiceTable) -> str | None:
    """The task that a table is of, where it says so."""
    return table.meta.get("task")


def problem_options(model: CognitiveModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a command's options that the model's ``problem`` takes.

    Parameters
    ----------
    options
        All options of the command; ``utilities`` as words parted by commas. ``variant``
        names an entry of the model's ``variants``, whose options come first.

    Raises
    ------
    WolvesError
        If one that the model does not take is set, or there is no such variant.
    """
    stray = [
        name
        for name, default in OF_MODELS.items()
        if name not in model.takes and options.get(name, default) != default
    ]
    if stray:
        raise WolvesError(
            f"the model {model.name!r} has no option --{stray[0].replace('_', '-')}",
            mend="leave it out, or choose another --model",
        )
    chosen = {name: options[name] for name in model.takes if name in options}
    if isinstance(chosen.get("utilities"), str):
        chosen["utilities"] = [u.strip() for u in chosen["utilities"].split(",") if u.strip()]
    return {**chosen, **_variant(model, options.get("variant"))}


def _variant(model: CognitiveModel, name: str | None) -> Mapping[str, Any]:
    if name is None:
        return {}
    variants = model.variants() if isinstance(model, SimulatedModel) else {}
    if name not in variants:
        raise WolvesError(
            f"the model {model.name!r} has no variant {name!r}", mend=nearest(name, variants)
        )
    return variants[name]


def _of(family: str, task: str | None) -> dict[str, CognitiveModel]:
    models = families.get(family).models()
    return {n: m for n, m in models.items() if task is None or task in m.tasks}


def _named[Model: CognitiveModel](models: dict[str, Model], family: str, name: str | None) -> Model:
    if name is None and models:
        return next(iter(models.values()))
    if name is None or name not in models:
        raise WolvesError(
            f"the family {family!r} has no "
            + (f"model {name!r} for this" if name else "model for this"),
            mend=f"--model {next(iter(models))}" if models else "use another family",
        )
    return models[name]
