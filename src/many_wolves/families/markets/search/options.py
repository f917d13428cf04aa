"""What a file of `wolves design-rules` holds; light to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from many_wolves.families.markets.rules.parameters import ROLES, Mechanism
from many_wolves.options import Names, OptionError, Options
from many_wolves.sources import nearest

Objective = Literal["efficiency", "revenue", "welfare", "worst_case"]
OBJECTIVES: tuple[str, ...] = get_args(Objective)
PARAMETERS = {
    "first_tax": (0.0, 1.0),
    "final_tax": (0.0, 1.0),
    "buyer_share": (0.0, 1.0),
    "trade_fee": (-10_000.0, 10_000.0),
    "signal_error": (0.0, 0.9),
    "speculators": (0, 30),
    "ticks": (0, 200),
}
"""Parameter -> the widest range that a search may have; whole bounds make whole numbers."""
Range = tuple[float, float]


def _listed(value: Any) -> Any:
    """One player as a list of players."""
    return value if isinstance(value, list | tuple) else (value,)


Players = Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_listed)]
"""Players of a role: files of speakers, or strategies with their parameters."""


class Opponent(Options):
    """A player that exploits others, and the role whose first seat it takes."""

    role: str = Field(description="Role.")
    player: str | dict[str, Any] = Field(description="File of a speaker, or a strategy.")

    @field_validator("role")
    @classmethod
    def _known(cls, role: str) -> str:
        return _role(role)


class RuleSearch(Options):
    """A search for rules.

    ``models`` are language models by role, for the best rules only.
    """

    search: dict[str, Range] = Field(description="Parameter -> lowest and highest value.")
    mechanism: Names = ("harberger",)
    objectives: Names = ("efficiency", "revenue", "welfare")
    rules: Path | None = None
    cast: dict[str, Players] = Field(default_factory=dict)
    exploiters: dict[str, Opponent] = Field(default_factory=dict)
    trials: int = Field(default=60, ge=2)
    sessions: int = Field(default=20, ge=3)
    finalists: int = Field(default=6, ge=1)
    fresh_sessions: int = Field(default=100, ge=3)
    seed: int = Field(default=1, ge=0)
    models: dict[str, str] = Field(default_factory=dict)
    model_sessions: int = Field(default=3, ge=3)

    @field_validator("search")
    @classmethod
    def _ranges(cls, given: dict[str, Range]) -> dict[str, Range]:
        if not given:
            raise OptionError("expected a parameter, found none", "write `final_tax: [0.1, 0.6]`")
        for name, (low, high) in given.items():
            if name not in PARAMETERS:
                raise OptionError(f"unknown parameter {name!r}", nearest(name, PARAMETERS))
            least, most = PARAMETERS[name]
            if not least <= low < high <= most:
                raise OptionError(
                    f"expected a range within {least:g} to {most:g}, found {low:g} to {high:g}",
                    f"write `{name}: [LOW, HIGH]`, the lower bound first",
                    (name,),
                )
        return given

    @field_validator("mechanism")
    @classmethod
    def _mechanisms(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = [name for name in get_args(Mechanism) if name != "voting"]
        return _all_known(names, known, "mechanism", "voting has none of these parameters; ")

    @field_validator("objectives")
    @classmethod
    def _objectives(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _all_known(names, OBJECTIVES, "objective")

    @field_validator("cast", "models")
    @classmethod
    def _roles(cls, given: dict[str, Any]) -> dict[str, Any]:
        for role in given:
            _role(role)
        return given

    @model_validator(mode="after")
    def _has_exploiters(self) -> RuleSearch:
        if "worst_case" in self.objectives and not self.exploiters:
            raise OptionError(
                "the objective worst_case needs exploiters",
                "add `exploiters: {buyer: {role: speculator, player: {strategy: exploiter}}}`",
                ("exploiters",),
            )
        return self

    def files(self, folder: Path) -> dict[str, Path]:
        """Files of players, by how they are named, in the folder of the search file."""
        players = [p for listed in self.cast.values() for p in listed]
        players += [one.player for one in self.exploiters.values()]
        named = [*(p for p in players if isinstance(p, str)), *self.models.values()]
        return {name: folder / name for name in named}


def _role(role: str) -> str:
    if role not in ROLES:
        raise OptionError(f"unknown role {role!r}", nearest(role, ROLES))
    return role


def _all_known(names: tuple[str, ...], known: Any, what: str, hint: str = "") -> tuple[str, ...]:
    if not names:
        raise OptionError(f"expected an {what}, found none", f"choose of {', '.join(known)}")
    for name in names:
        if name not in known:
            raise OptionError(f"unknown {what} {name!r}", hint + nearest(name, known))
    return tuple(dict.fromkeys(names))
