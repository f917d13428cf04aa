"""What can be chosen of the experiments when they are compiled; light to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from many_wolves.families.markets.rules.parameters import MECHANISMS, Mechanism
from many_wolves.options import Design, Names, OptionError
from many_wolves.sources import nearest

LAB_SESSIONS = 11
"""Sessions of which the lab's draws of values and signals are known."""


def _numbers(value: Any) -> Any:
    """Text with commas, or one number, as a list of numbers."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, int | float) else value


Numbers = Annotated[tuple[float, ...], BeforeValidator(_numbers)]
"""Several numbers: a list, or text with commas."""


class PlanningDesign(Design):
    """Sessions of the spatial planning experiment: mechanisms by tax rates by draws."""

    mechanism: Names = Field(
        default=("harberger", "futarchy"),
        description=f"Mechanisms, separated by commas: {', '.join(get_args(Mechanism))}.",
    )
    sessions: int = Field(
        default=1, ge=1, description="Sessions per mechanism and tax rate, each with its own draws."
    )
    draws: Literal["lab", "random"] = Field(
        default="lab",
        description=f"Values and signals: those of the lab's {LAB_SESSIONS} sessions, or by seed.",
    )
    final_tax: Numbers = Field(
        default=(), description="Tax rates on the final declaration (default: 0.33)."
    )
    first_tax: float | None = Field(
        default=None, ge=0, le=1, description="Tax rate on the first declaration (default: 0.01)."
    )
    paid_rounds: int | None = Field(default=None, ge=1, description="Rounds that may be paid.")
    practice: bool | None = Field(default=None, description="Whether a practice round comes first.")
    ticks: int | None = Field(
        default=None, ge=0, description="Turns per seat in the market of a round."
    )
    talk: int | None = Field(
        default=None, ge=0, description="Turns per seat in a deliberation; 0 for no talk."
    )
    speculators: int | None = Field(default=None, ge=0, description="Number of speculators.")
    rules: Path | None = Field(
        default=None, description="YAML file with other parameters, by their names in the rules."
    )
    personas: Path | None = Field(
        default=None, description="YAML file that says which seats have which persona."
    )
    templates: Path | None = Field(
        default=None, description="Wording file (default: the shipped English one)."
    )
    seed: int = Field(
        default=1, description="Seed of the draws, of the order of actions, and of the paid rounds."
    )

    @field_validator("mechanism")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in MECHANISMS:
                raise OptionError(f"unknown mechanism {name!r}", nearest(name, MECHANISMS))
        return names

    @model_validator(mode="after")
    def _enough_draws(self) -> PlanningDesign:
        if self.draws == "lab" and self.sessions > LAB_SESSIONS:
            raise OptionError(
                f"expected at most {LAB_SESSIONS} sessions with the lab's draws, "
                f"found {self.sessions}",
                "add --draws random",
                ("sessions",),
            )
        return self

    def files(self) -> tuple[Path, ...]:
        """The files that are read."""
        given = (self.rules, self.personas, self.templates)
        return tuple(path for path in given if path is not None)


class OTreeDesign(Design):
    """Sessions of any oTree app."""

    project: Path | None = Field(
        default=None, description="Folder of the oTree project; not needed for a running server."
    )
    config: str = Field(default="", description="Name of the session's configuration.")
    participants: int = Field(default=1, ge=1, description="Participants of a session.")
    sessions: int = Field(default=1, ge=1, description="Number of sessions.")
    changes: dict[str, Any] = Field(
        default_factory=dict, description="Settings that differ from the configuration."
    )
    personas: Path | None = Field(
        default=None, description="YAML file that says which seats have which persona."
    )

    def files(self) -> tuple[Path, ...]:
        """The project, and the personas."""
        return tuple(path for path in (self.project, self.personas) if path is not None)
