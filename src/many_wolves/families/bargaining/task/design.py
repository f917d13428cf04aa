"""The designs of the family's tasks: which games are played, by whom, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import Role
from many_wolves.families.bargaining.reading.message import Form
from many_wolves.families.bargaining.task.material import FOLDER
from many_wolves.families.bargaining.task.script import MODERATOR_READS
from many_wolves.files import shipped
from many_wolves.options import Design, Names, OptionError
from many_wolves.sources import nearest, read_mapping

Arm = Literal["none", "constant", "human", "ai"]
Opening = Literal["both", "seller", "buyer", "none"]
Shown = Literal["words", "words and price"]
ARMS: tuple[Arm, ...] = ("none", "constant", "human", "ai")


def _listed(value: Any) -> Any:
    """A list; text is split at its commas, and one value stands for a list of one."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list | tuple) else (value,)


_SPLIT = BeforeValidator(_listed)
Roles = Annotated[tuple[Role, ...], _SPLIT]
Openings = Annotated[tuple[Opening, ...], _SPLIT]
Forms = Annotated[tuple[Form, ...], _SPLIT]
Arms = Annotated[tuple[Arm, ...], _SPLIT]
Flags = Annotated[tuple[bool, ...], _SPLIT]
Numbers = Annotated[tuple[float, ...], _SPLIT]
Counts = Annotated[tuple[int, ...], _SPLIT]

_MAX_GAMES = 100


class _Sources(Design):
    """Where words and prices come from."""

    sources: Path | None = Field(
        default=None,
        description="Folder with the goods, partners, participants, sentences and wording; missing "
        "files are taken from the shipped one.",
    )
    templates: Path | None = Field(
        default=None, description="Wording file (default: the one in the folder of sources)."
    )

    def files(self) -> tuple[Path, ...]:
        """The folder of sources, and the wording if it is a separate file."""
        return (self.sources or shipped(FOLDER), *([self.templates] if self.templates else []))


class HaggleDesign(_Sources):
    """Games of haggling: every combination of the listed values, or a seeded sample of them.

    Values that are not given come from the ``preset``. A good stands once for each of its sets
    of prices, a group once for each of its role prompts.
    """

    in_studies: ClassVar[Mapping[str, Any]] = {}

    preset: str = Field(
        default="default",
        description="Design that the other options change: default, values, improvement, "
        "tournament, balloon-2023, or a YAML file.",
    )
    goods: Names = Field(default=("balloon",), description="Goods, separated by commas.")
    scales: Numbers = Field(default=(1.0,), description="Factors for all prices.")
    roles: Roles = Field(default=("seller", "buyer"), description="Roles of the speaker.")
    groups: Names = Field(
        default=("Plain",), description="Groups of participants, separated by commas."
    )
    partners: Names = Field(
        default=("linear",),
        description="Partners, separated by commas; one that is named twice plays twice as often.",
    )
    openings: Openings = Field(
        default=("none",), description="Whose first price is scripted: both, seller, buyer, none."
    )
    first: Roles = Field(
        default=("seller",), description="Who writes the first message that is not scripted."
    )
    rounds: Counts = Field(default=(10,), description="Maximum number of messages per side.")
    announced: Flags = Field(
        default=(True,), description="Whether the sides know the maximum number (yes, no)."
    )
    goal: Flags = Field(default=(True,), description="Whether a good price is named as the goal.")
    walk: Flags = Field(default=(True,), description="Whether the sides know that they may leave.")
    nothing: Flags = Field(
        default=(True,), description="Whether the prompt states that no deal means no payoff."
    )
    outside: Numbers = Field(
        default=(0.0,), description="The speaker's payoff without a deal, as a share of the pie."
    )
    forms: Forms = Field(default=("marked",), description="Answer forms: free, marked, json.")
    shown: Shown = Field(
        default="words", description="What a side sees of the other: words, or words and price."
    )
    probes: Literal["options", "text"] = Field(
        default="options", description="Answer type of probes: an option, or the answer form."
    )
    games: int = Field(default=1, ge=1, le=_MAX_GAMES, description="Games per chain.")
    arms: Arms = Field(
        default=("none",), description="Advice between games: none, constant, human, ai."
    )
    memory: Literal["all", "none"] = Field(
        default="all", description="What the speaker remembers of earlier games."
    )
    moderator: float = Field(
        default=0.0, ge=0, le=1, description="Share of games that a moderator model also reads."
    )
    moderator_decides: bool = Field(
        default=False, description="Whether the moderator, not the rules, ends a game."
    )
    moderator_reads: int = Field(
        default=MODERATOR_READS, ge=1, description="Number of last messages that a moderator sees."
    )
    copies: int = Field(default=1, ge=1, description="Games per cell.")
    sample: int | None = Field(
        default=None,
        ge=1,
        description="Number of cells per game, drawn by the seed (default: all).",
    )
    seed: int = Field(
        default=1, description="Seed of the sample of cells, and of all chance in the games."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        """Take what is not given from the preset."""
        if not isinstance(given, Mapping):
            return given
        preset = str(given.get("preset", cls.model_fields["preset"].default))
        found = read_mapping(preset_file(preset))
        known = [name for name in cls.model_fields if name != "preset"]
        unknown = next((name for name in found if name not in known), None)
        if unknown is not None:
            raise OptionError(
                f"expected a known field in the design {preset!r}, found {unknown!r}",
                nearest(str(unknown), known),
            )
        return found | {name: value for name, value in given.items() if value is not None}

    @model_validator(mode="after")
    def _possible(self) -> HaggleDesign:
        empty = [name for name in type(self).model_fields if getattr(self, name) == ()]
        if empty:
            raise OptionError(
                f"expected one value or more for {empty[0]}, found none", f"{empty[0]}: ..."
            )
        if self.games == 1 and self.arms != ("none",):
            raise OptionError(
                f"expected two games or more with the arms {', '.join(self.arms)}: advice comes "
                "between games",
                "games: 2",
            )
        if self.moderator_decides and self.moderator < 1:
            raise OptionError(
                "expected every game to be moderated where the moderator decides", "moderator: 1"
            )
        if min(self.scales) <= 0 or min(self.rounds) < 1 or min(self.outside) < 0:
            raise OptionError(
                "expected scales above 0, rounds of 1 or more, outside options of 0 or more",
                "scales: [1], rounds: [10], outside: [0]",
            )
        return self

    def files(self) -> tuple[Path, ...]:
        """The sources, and the preset."""
        return (*super().files(), preset_file(self.preset))


class WordsDesign(_Sources):
    """``haggle-words``: one reply to choose, at one of three prices in one of three tones."""

    goods: Names = Field(default=("balloon", "lamp", "bicycle"), description="Goods.")
    roles: Roles = Field(default=("seller", "buyer"), description="Roles of the speaker.")
    groups: Names = Field(
        default=("Plain",), description="Groups of participants, separated by commas."
    )
    standing: Numbers = Field(
        default=(0.15, 0.35),
        description="Shares that the other side's standing price leaves to the speaker.",
    )
    own: Numbers = Field(default=(0.95,), description="Shares that the speaker demanded before.")
    demands: Numbers = Field(
        default=(0.5, 0.75),
        description="Shares demanded by the replies that reject the standing price.",
    )
    orders: int = Field(
        default=4, ge=1, description="Number of orders of the replies, drawn by the seed."
    )
    goal: Flags = Field(default=(True,), description="Whether a good price is named as the goal.")
    sample: int | None = Field(
        default=None,
        ge=1,
        description="Number of cells per game, drawn by the seed (default: all).",
    )

    @model_validator(mode="after")
    def _different(self) -> WordsDesign:
        if len(set(self.demands)) != len(self.demands) or len(self.demands) < 2:
            raise OptionError(
                f"expected two or more different demands, found {self.demands}",
                "demands: [0.5, 0.65, 0.8]",
            )
        return self


def preset_file(name: str) -> Path:
    """The file of a design by its name, or by its path.

    Raises
    ------
    WolvesError
        If there is none.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    known = presets()
    if name not in known:
        raise WolvesError(f"unknown design {name!r}", fix=nearest(name, known))
    return shipped(f"{FOLDER}/designs") / f"{name}.yaml"


def presets() -> list[str]:
    """Names of the designs that ship."""
    return sorted(path.stem for path in shipped(f"{FOLDER}/designs").glob("*.yaml"))
