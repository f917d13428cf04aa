"""Selects the cognitive model of a fit and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from many_wolves import families
from many_wolves.contracts import (
    CognitiveModel,
    Observations,
    PlannedModel,
    PooledModel,
    PredictingModel,
    Problem,
    SensitiveModel,
    SimulatedModel,
)
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest


def single_model(observations: Observations, name: str | None = None) -> CognitiveModel:
    """A model of one speaker: the given one, or the first that supports the task.

    Raises
    ------
    WolvesError
        If there is none with that name, or it is a model of many speakers or of other tasks.
    """
    models = _of(observations.family, observations.task)
    singles = {n: m for n, m in models.items() if not isinstance(m, PooledModel)}
    if name in models and name not in singles:
        raise WolvesError(
            f"the model {name!r} is for many speakers at once, but this command fits one",
            fix="wolves pool TABLE TABLE ..., or --model " + next(iter(singles), "NAME"),
        )
    return _named(singles, observations.family, name)


def simulated_model(observations: Observations, name: str | None = None) -> SimulatedModel:
    """A model that can be compared, recovered and calibrated."""
    return cast(SimulatedModel, _able(observations, name, lambda m: isinstance(m, SimulatedModel)))


def sensitive_model(observations: Observations, name: str | None = None) -> SensitiveModel:
    """A model that defines alternative assumptions."""
    return cast(SensitiveModel, _able(observations, name, lambda m: isinstance(m, SensitiveModel)))


def pooled_model(observations: Observations, name: str | None = None) -> PooledModel:
    """A model of many speakers."""
    return cast(PooledModel, _able(observations, name, lambda m: isinstance(m, PooledModel)))


def planned_models() -> dict[str, CognitiveModel]:
    """The models that ``power`` can plan for."""
    return {n: m for n, m in all_models().items() if isinstance(m, PlannedModel)}


def planned_model(name: str | None = None) -> PlannedModel:
    """A model that ``power`` can plan for; by default that of the default family."""
    return cast(PlannedModel, _anywhere(name, lambda m: isinstance(m, PlannedModel)))


def predicting_model(name: str | None = None) -> PredictingModel:
    """A model whose predictions can be printed; by default that of the default family."""
    return cast(PredictingModel, _anywhere(name, lambda m: isinstance(m, PredictingModel)))


def all_models() -> dict[str, CognitiveModel]:
    """The models of all families by name, those of the default family first."""
    return {
        name: model for family in families.loadable() for name, model in family.models().items()
    }


def options_of(
    model: CognitiveModel, given: Mapping[str, Any], variant: str | None = None
) -> dict[str, Any]:
    """Checked options of a model: those of the variant, then those given.

    The result contains only given options; the model fills in its defaults.

    Raises
    ------
    WolvesError
        If the model has no such option, variant, or value.
    """
    for name in given:
        if name not in model.options.model_fields:
            raise WolvesError(
                f"the model {model.name!r} has no option {name!r}",
                fix=nearest(name, list(model.options.model_fields)),
            )
    chosen = model.options.read(given, of=f"the model {model.name!r}").chosen()
    return {**chosen, **_variant(model, variant)}


def problem_of(
    observations: Observations,
    model: CognitiveModel,
    given: Mapping[str, Any],
    variant: str | None = None,
) -> Problem:
    """The problem of fitting some observations; a reason not to fit them is raised as an error.

    Raises
    ------
    WolvesError
        If an option is at fault, or the observations cannot be fitted.
    """
    problem = model.problem(observations, **options_of(model, given, variant))
    if problem.refused is not None:
        raise problem.refused
    return problem


def _variant(model: CognitiveModel, name: str | None) -> Mapping[str, Any]:
    if name is None:
        return {}
    variants = model.variants() if isinstance(model, SimulatedModel) else {}
    if name not in variants:
        raise WolvesError(
            f"the model {model.name!r} has no variant {name!r}", fix=nearest(name, variants)
        )
    return variants[name]


def _of(family: str, task: str) -> dict[str, CognitiveModel]:
    """Models of a family for a task; all of them if the observations do not record the task."""
    found = families.get(family)
    known = task in found.tasks
    return {n: m for n, m in found.models().items() if not known or task in m.tasks}


def _able(
    observations: Observations, name: str | None, able: Callable[[CognitiveModel], bool]
) -> CognitiveModel:
    models = _of(observations.family, observations.task).items()
    return _named({n: m for n, m in models if able(m)}, observations.family, name)


def _named(models: Mapping[str, CognitiveModel], family: str, name: str | None) -> CognitiveModel:
    if name is None and models:
        return next(iter(models.values()))
    if name is None or name not in models:
        raise WolvesError(
            f"the family {family!r} has no "
            + (f"model {name!r} for this" if name else "model for this"),
            fix=nearest(name or "", list(models)) if models else "analyse the tables directly",
        )
    return models[name]


def _anywhere(name: str | None, able: Callable[[CognitiveModel], bool]) -> CognitiveModel:
    found = {n: m for n, m in all_models().items() if able(m)}
    if not found or (name is not None and name not in found):
        raise WolvesError(
            f"no model {name!r} supports this" if name else "no installed model supports this",
            fix=nearest(name or "", list(found)) if found else "install a family that supports it",
        )
    return found[name] if name is not None else next(iter(found.values()))
