"""Which cognitive model of a family a command works with."""

from __future__ import annotations

from many_wolves import families
from many_wolves.contracts import CognitiveModel, PooledModel, SensitiveModel, SimulatedModel
from many_wolves.errors import WolvesError


def single_model(family: str, name: str | None = None) -> CognitiveModel:
    """A model of one speaker: the named one, or the family's first.

    Raises
    ------
    WolvesError
        If there is none of that name, or it is a model of many speakers.
    """
    models = families.get(family).models()
    singles = {n: m for n, m in models.items() if not isinstance(m, PooledModel)}
    if name in models and name not in singles:
        raise WolvesError(
            f"{name} fits many speakers at once, this command one",
            mend="wolves pool TABLE TABLE ..., or --model " + next(iter(singles), "NAME"),
        )
    return _named(singles, family, name)


def simulated_model(family: str, name: str | None = None) -> SimulatedModel:
    """A model that can be compared, recovered and calibrated."""
    models = families.get(family).models().items()
    return _named({n: m for n, m in models if isinstance(m, SimulatedModel)}, family, name)


def pooled_model(family: str, name: str | None = None) -> PooledModel:
    """A model of many speakers."""
    models = families.get(family).models().items()
    return _named({n: m for n, m in models if isinstance(m, PooledModel)}, family, name)


def sensitive_model(family: str, name: str | None = None) -> SensitiveModel:
    """A model that knows its alternatives."""
    models = families.get(family).models().items()
    return _named({n: m for n, m in models if isinstance(m, SensitiveModel)}, family, name)


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
