"""The design of a collection: which games are played, by whom, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import Role
from many_wolves.families.bargaining.reading.message import Form
from many_wolves.families.bargaining.task.material import (
    FOLDER,
    Strict,
    read_yaml,
    validation_error,
)
from many_wolves.files import shipped
from many_wolves.sources import nearest

Arm = Literal["none", "constant", "human", "ai"]
Opening = Literal["both", "seller", "buyer", "none"]
ARMS: tuple[Arm, ...] = ("none", "constant", "human", "ai")
DEFAULT = "default"


class HaggleDesign(Strict):
    """Games of haggling: every combination of the listed values, or a seeded sample of them.

    A good stands once for each of its sets of prices, a group once for each of its role prompts.
    """

    goods: tuple[str, ...] = Field(("balloon",), description="goods of goods.en.yaml")
    scales: tuple[float, ...] = Field((1.0,), description="factors for all prices")
    roles: tuple[Role, ...] = Field(("seller", "buyer"), description="role of the speaker")
    groups: tuple[str, ...] = Field(("Plain",), description="groups of participants.en.yaml")
    partners: tuple[str, ...] = Field(
        ("linear",), description="partners of partners.yaml; one that is named twice plays twice"
    )
    openings: tuple[Opening, ...] = Field(
        ("none",), description="whose first price is scripted: both, seller, buyer, none"
    )
    first: tuple[Role, ...] = Field(
        ("seller",), description="who writes the first message that is not scripted"
    )
    rounds: tuple[int, ...] = Field((10,), description="messages of each side at most")
    announced: tuple[bool, ...] = Field((True,), description="whether the sides know that")
    goal: tuple[bool, ...] = Field((True,), description="whether the goal is told: a good price")
    walk: tuple[bool, ...] = Field((True,), description="whether walking away is told")
    nothing: tuple[bool, ...] = Field((True,), description="whether the worth of no deal is told")
    outside: tuple[float, ...] = Field(
        (0.0,), description="the speaker's payoff without a deal, as a share of the pie"
    )
    forms: tuple[Form, ...] = Field(("marked",), description="answer form: free, marked, json")
    shown: tuple[Literal["words", "words and price"], ...] = Field(
        ("words",), description="what is heard of the other side"
    )
    games: int = Field(1, ge=1, le=100, description="games of a chain")
    arms: tuple[Arm, ...] = Field(
        ("none",), description="advice between games: none, constant, human, ai"
    )
    memory: Literal["all", "none"] = Field("all", description="what is kept of earlier games")
    moderator: float = Field(
        0.0, ge=0, le=1, description="share of games that a moderator model reads too"
    )
    moderator_decides: bool = Field(False, description="whether it, not the rules, ends a game")
    copies: int = Field(1, ge=1, description="games of each cell")
    sample: int | None = Field(None, ge=1, description="games in all; every cell when None")
    seed: int = Field(1, description="decides the sample, and what partners draw")

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, value: Any, info: Any) -> Any:
        """A single value may stand for a list of one."""
        field = cls.model_fields[info.field_name]
        wants_list = "tuple" in str(field.annotation)
        return [value] if wants_list and not isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _possible(self) -> HaggleDesign:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and not value:
                raise ValueError(f"expected one value or more for {name}, found none")
        if self.games == 1 and self.arms != ("none",):
            raise ValueError("expected `games: 2` or more beside `arms`: advice comes between games")
        if self.moderator_decides and self.moderator < 1:
            raise ValueError("expected `moderator: 1` where the moderator decides")
        if any(scale <= 0 for scale in self.scales) or any(n < 1 for n in self.rounds):
            raise ValueError("expected scales above 0 and rounds of 1 or more")
        return self


class WordsDesign(Strict):
    """``haggle-words``: one reply to choose, at one of three prices in one of three tones."""

    goods: tuple[str, ...] = Field(("balloon", "lamp", "bicycle"), description="goods")
    roles: tuple[Role, ...] = Field(("seller", "buyer"), description="role of the speaker")
    groups: tuple[str, ...] = Field(("Plain",), description="groups of participants.en.yaml")
    standing: tuple[float, ...] = Field(
        (0.15, 0.35), description="share that the other's standing price leaves to the speaker"
    )
    own: tuple[float, ...] = Field((0.95,), description="share that the speaker demanded before")
    demands: tuple[float, ...] = Field(
        (0.5, 0.65, 0.8), description="shares that the three replies demand"
    )
    orders: int = Field(4, ge=1, description="orders in which the options are shown")
    goal: tuple[bool, ...] = Field((True,), description="whether the goal is told: a good price")
    sample: int | None = Field(None, ge=1, description="trials in all; every cell when None")
    seed: int = Field(1, description="decides sample and orders")

    @model_validator(mode="after")
    def _three(self) -> WordsDesign:
        if len(set(self.demands)) != len(self.demands) or len(self.demands) < 2:
            raise ValueError(f"expected two or more different demands, found {self.demands}")
        return self


def read_design(
    preset: str = DEFAULT, changed: Mapping[str, Any] | None = None, folder: Path | None = None
) -> HaggleDesign:
    """A design by its name, with some of its values changed.

    Parameters
    ----------
    preset
        Name of a file in ``designs``, or the path of a YAML file.
    changed
        Field -> value that takes the file's place.
    folder
        Folder of ``designs``; the shipped one when None.

    Raises
    ------
    WolvesError
        If there is none of that name, or a value is at fault.
    """
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else _preset(preset, folder)
    values = read_yaml(path) | dict(changed or {})
    try:
        return HaggleDesign.model_validate(values)
    except ValidationError as fault:
        raise validation_error(fault, path) from fault


def presets(folder: Path | None = None) -> list[str]:
    """Names of the designs that ship."""
    return sorted(path.stem for path in (folder or shipped(f"{FOLDER}/designs")).glob("*.yaml"))


def _preset(name: str, folder: Path | None) -> Path:
    known = presets(folder)
    if name not in known:
        raise WolvesError(f"unknown design {name!r}", mend=nearest(name, known))
    return (folder or shipped(f"{FOLDER}/designs")) / f"{name}.yaml"
