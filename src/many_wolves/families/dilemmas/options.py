"""Options of the games and of their cognitive models; imports little."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from many_wolves.files import shipped
from many_wolves.options import Design, ModelOptions, Names

SOURCES = "task-data/dilemmas"
"""Folder of the shipped games, participants and wording."""
SPREAD = 0.5
"""Prior mean of the standard deviations between groups and participants, in prior sds."""

Memory = Literal["both", "other", "none"]
Form = Literal["fehr-schmidt", "charness-rabin", "ces", "selfish"]


class GameDesign(Design):
    """Cells of a game; an empty list of names means all."""

    sample: int | None = Field(
        default=None, ge=1, description="Number of cells per game, drawn by the seed."
    )
    groups: Names = Field(default=(), description="Groups of participants, separated by commas.")
    partners: Names = Field(default=(), description="Partners, separated by commas.")
    seed: int = Field(
        default=1, description="Seed of the sample of cells, and of all chance in the games."
    )
    sources: Path | None = Field(
        default=None,
        description="Folder with games.yaml, participants.en.yaml and wording.en.yaml (default: "
        "the shipped one).",
    )
    templates: Path | None = Field(
        default=None, description="Wording file (default: the one in the folder of sources)."
    )

    def files(self) -> tuple[Path, ...]:
        """The folder of sources, and the wording where it is a separate file."""
        return (self.sources or shipped(SOURCES), *([self.templates] if self.templates else []))


def _spread() -> float:
    field: float = Field(
        default=SPREAD,
        gt=0,
        description="Prior mean of the sds between groups and participants, in prior sds.",
    )
    return field


class MemoryOneOptions(ModelOptions):
    """Options of ``memory-one``."""

    memory: Memory = Field(
        default="both", description="Remembered moves of the last round: both, the other's, none."
    )
    end_game: bool = Field(default=True, description="Whether the last round has a coefficient.")
    spread: float = _spread()


class FrequenciesOptions(ModelOptions):
    """Options of ``strategy-frequencies``."""

    strategies: Names = Field(default=(), description="Names of strategies (default: all).")
    one_tremble: bool = Field(default=False, description="Whether all groups share one tremble.")


class SocialOptions(ModelOptions):
    """Options of ``social-preferences``."""

    form: Form = Field(default="fehr-schmidt", description="Form of the utility.")
    vary_precision: bool = Field(
        default=False, description="Whether precision also differs between participants."
    )
    spread: float = _spread()


class PrincipalOptions(ModelOptions):
    """Options of ``principal-agent``."""

    information: bool = Field(
        default=True, description="Whether showing the reasons to user or principal has effects."
    )
    by_principal: bool = Field(default=True, description="Whether principals differ.")
    spread: float = _spread()
