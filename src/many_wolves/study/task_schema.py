"""The schema of a task in a study file, and of its fit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from many_wolves import families
from many_wolves.contracts import (
    CognitiveModel,
    Design,
    EpisodicFamily,
    PooledModel,
    SimulatedModel,
    WorldFamily,
)
from many_wolves.options import OptionError
from many_wolves.secrets import base_url
from many_wolves.sources import nearest
from many_wolves.workflows.sampling import Sampling

Count = Annotated[int, Field(ge=1)]
SELF = "self"
"""In a cast, the speaker that is asked."""
STRATEGY = "strategy"
"""In a cast, the field with the strategy of a scripted player."""
OF_A_TASK = ("mode", "replicates", "temperature", "top_p", "max_tokens")
"""Settings of the speakers that a further task does not inherit."""


def _several(value: Any) -> Any:
    """One entry as a list of one."""
    return (value,) if isinstance(value, str | Mapping) else value


Players = Annotated[
    tuple[str | dict[str, Any], ...], BeforeValidator(_several), Field(min_length=1)
]
"""The players for the seats of a role, in turn."""


class Section(BaseModel):
    """A section of a study file; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fit(Section):
    """Settings of fits: sampling, the cognitive model, and the model's options.

    Parameters
    ----------
    engine, chains, warmup, draws, adapt_delta, seed
        As in ``wolves fit``.
    model, variant
        Names of the cognitive model and of its variant (default: the task's first model, and
        the full one).

    Any other field is an option of the model, such as ``literal: joint`` of politeness.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    model: str = ""
    variant: str = ""
    SAMPLING: ClassVar[tuple[str, ...]] = tuple(Sampling.model_fields)

    @property
    def given(self) -> dict[str, Any]:
        """Everything except model and variant, as in the file."""
        return dict(self.model_extra or {})

    @cached_property
    def sampling(self) -> Sampling:
        """The sampling settings."""
        return Sampling.checked({k: v for k, v in self.given.items() if k in self.SAMPLING})

    @property
    def options(self) -> dict[str, Any]:
        """Options of the cognitive model, as in the file."""
        return {k: v for k, v in self.given.items() if k not in self.SAMPLING}

    @model_validator(mode="after")
    def _can_be_sampled(self) -> Self:
        assert self.sampling
        return self


class Task(Section):
    """A task for all speakers, with a separate fit.

    Parameters
    ----------
    task
        Name of the task, such as ``politeness`` or ``dilemma``.
    mode, replicates, temperature, top_p, max_tokens
        As in ``collect``. A task after the first does not inherit the values there. By
        default it samples, with the settings that the design of the task proposes.
    scoring
        As in ``choices``.
    model
        Cognitive model; empty for the task's first.
    fit
        As the study's ``fit``, whose sampling settings it inherits.
    cast
        The players in the seats of games and experiments, by role (``owner``) or seat
        (``owner-3``).
        ``self`` is the speaker that is asked. Others are referred to by their names in
        ``speakers`` and ``players``; a script is ``{strategy: truthful}``. The players in a list
        take the seats in turn.
    engine, engine_options, server
        Experiments: the engine that runs the sessions, its settings, and the address of a
        running server, as in ``wolves collect``.

    Any other field belongs to the design of the task, such as ``goals`` of politeness or
    ``partners`` of a game: see ``wolves compile``.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    task: str
    mode: Literal["sample", "score"] | None = None
    replicates: Count | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = None
    scoring: Literal["sum", "mean", "pmi"] = "sum"
    model: str = ""
    fit: Fit = Fit()
    cast: dict[str, Players] = Field(default={})
    engine: str = ""
    engine_options: dict[str, str | int | float] = Field(default={})
    server: Annotated[str, AfterValidator(base_url)] = ""

    @property
    def asking(self) -> dict[str, Any]:
        """Its settings of speakers, with None for those that it leaves out."""
        return {name: getattr(self, name) for name in OF_A_TASK}

    @property
    def family(self) -> str:
        """Name of the task's family."""
        return families.of_task(self.task)[0].name

    @property
    def given(self) -> dict[str, Any]:
        """Values of the design, as in the file."""
        return dict(self.model_extra or {})

    @cached_property
    def design(self) -> Design:
        """The design of the task, with the defaults of studies for missing fields."""
        family, own = families.of_task(self.task)
        kind = family.design(own)
        return kind.checked({**kind.in_studies, **self.given})

    @cached_property
    def cognitive_model(self) -> CognitiveModel:
        """The cognitive model that is fitted."""
        family, own = families.of_task(self.task)
        known = {n: m for n, m in family.models().items() if own in m.tasks}
        singles = {n: m for n, m in known.items() if not isinstance(m, PooledModel)}
        name = self.model or self.fit.model
        if name and name not in singles:
            raise OptionError(
                f"the task {self.task!r} has no model {name!r}", nearest(name, singles), ("model",)
            )
        if not singles:
            raise OptionError(
                f"the task {self.task!r} has no cognitive model", "choose another task", ("task",)
            )
        return singles[name] if name else next(iter(singles.values()))

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        known = families.tasks()
        if self.task not in known:
            raise OptionError(
                f"expected a task, found {self.task!r}", nearest(self.task, known), ("task",)
            )
        for name, value in self.given.items():
            if value == []:
                raise OptionError("expected at least 1 value, found none", "leave it out", (name,))
        self._check_files()
        self._check_cast()
        self._check_names_of_the_fit()
        options = _within(lambda: self.cognitive_model.options.checked(self.fit.options), ("fit",))
        _within(lambda: options.check_design(self.design), ("fit",))
        return self

    def _check_files(self) -> None:
        """Reject a file or folder of the design that does not exist."""
        for name in self.given:
            path = getattr(self.design, name)
            if isinstance(path, Path) and not path.exists():
                raise OptionError(
                    f"expected a file or folder, found no {str(path)!r}",
                    "check the path, which begins in the folder where `wolves` is started",
                    (name,),
                )

    def _check_cast(self) -> None:
        """Reject a cast for a task without seats, and a scripted player without a strategy."""
        family = families.of_task(self.task)[0]
        if not isinstance(family, EpisodicFamily | WorldFamily):
            for name in ("cast", "engine", "engine_options", "server"):
                if getattr(self, name):
                    raise OptionError(
                        f"the task {self.task!r} has no seats", "leave it out", (name,)
                    )
        if not isinstance(family, WorldFamily):
            for name in ("engine", "engine_options", "server"):
                if getattr(self, name):
                    raise OptionError(
                        f"the task {self.task!r} has no sessions on an engine",
                        "leave it out",
                        (name,),
                    )
        for seat, several in self.cast.items():
            for who in several:
                if not isinstance(who, str) and not isinstance(who.get(STRATEGY), str):
                    raise OptionError(
                        f"expected a strategy for {seat}, found {who!r:.60}",
                        "write for example {strategy: truthful}",
                        ("cast", seat),
                    )

    def _check_names_of_the_fit(self) -> None:
        """Reject a field of ``fit`` that belongs to neither sampling nor the model."""
        if self.fit.variant:  # Only then: looking up variants imports SciPy.
            model = self.cognitive_model
            variants = model.variants() if isinstance(model, SimulatedModel) else {}
            if self.fit.variant not in variants:
                raise OptionError(
                    f"expected a variant of the model, found {self.fit.variant!r}",
                    nearest(self.fit.variant, variants),
                    ("fit", "variant"),
                )
        known = (*Fit.SAMPLING, *self.cognitive_model.options.model_fields)
        for name in self.fit.options:
            if name not in known:
                raise OptionError(
                    f"expected a known field, found {name!r}", nearest(name, known), ("fit", name)
                )


def _within(check: Any, path: tuple[str, ...]) -> Any:
    """The result of a check; an error gets the path of fields as a prefix."""
    try:
        return check()
    except OptionError as fault:
        fields = fault.fields if fault.fields[:1] == ("model",) else (*path, *fault.fields)
        raise OptionError(str(fault), fault.fix, fields) from None
