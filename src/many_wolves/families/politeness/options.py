"""Options of the politeness task and of its cognitive models; imports little."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, PositiveFloat, field_validator, model_validator

from many_wolves.families.politeness.task.shipped_scenes import sources_of
from many_wolves.options import Design, ModelOptions, Names, OptionError, Options

LiteralTreatment = Literal["joint", "cut", "fixed"]
CostForm = Literal["prior", "utility"]
WeightsForm = Literal["normalised", "three-way"]
Pooling = Literal["none", "partial", "complete"]
Likelihood = Literal["auto", "item", "participant", "counts", "item+negation", "item+kindness"]
RangesName = Literal["yoon2020", "models", "wide", "auto"]
BetaShape = tuple[PositiveFloat, PositiveFloat]
UTILITIES = ("inf", "soc", "pres")
FIRST_ORDER = "s1"
"""Value of ``utilities`` for the first-order speaker S1."""
NODES, WIDE_NODES = 32, 48
"""Quadrature nodes for phi: with the published ranges, and with others.

Utilities (alpha * ln P_L1) are within 1e-6 at an alpha of 5, .1 at 20, and .2 at 30 with more nodes
(``benchmarks/quadrature.py``).
"""
OWN_MEANINGS = "own-meanings"
"""The variant whose literal meanings are estimated with the choices."""
SPREAD = 0.5
"""Prior mean of the standard deviations between speakers, in standard normal coordinates."""


class Ranges(NamedTuple):
    """Ranges of the priors: alpha from zero, and the cost of a negation.

    Other utterances cost 1, so ``1 - cost`` is the log-odds that a negation is preferred.
    """

    alpha_upper: float
    cost_lower: float
    cost_upper: float


RANGES: Mapping[str, Ranges] = {
    "yoon2020": Ranges(20.0, 1.0, 10.0),
    "models": Ranges(20.0, -13.0, 15.0),
    "wide": Ranges(60.0, -13.0, 15.0),
}
"""Named ranges: those of Yoon et al. (2020), and log-odds of a negation from -14 to 14."""
UNIFORM = (1.0, 1.0)
SHAPES: Mapping[str, Mapping[str, BetaShape]] = {
    "yoon2020": {"alpha": UNIFORM, "cost": UNIFORM},
    "models": {"alpha": UNIFORM, "cost": (4.0, 4.0)},
    "wide": {"alpha": (1.0, 6.0), "cost": (4.0, 4.0)},
}
"""Beta priors on the named ranges. On wider ones, the density falls towards the ends, so a speaker
that does not need them loses little evidence."""
ALPHA_UPPER = RANGES["yoon2020"].alpha_upper
COST_RANGE = RANGES["yoon2020"][1:]
TRIALS = ("choice", "literal")
"""Kinds of trials."""


class PolitenessDesign(Design):
    """Scenes of the politeness task; an empty list of names means all."""

    tasks: Names = Field(
        default=TRIALS, min_length=1, description="Kinds of trials: choice, literal."
    )
    items: Names = Field(default=(), description="Items, separated by commas (default: all).")
    goals: Names = Field(default=(), description="Goals, separated by commas (default: all).")
    framings: Names = Field(default=(), description="Framings, separated by commas (default: all).")
    scale: str = Field(default="hearts", description="Scale in scales.yaml.")
    utterances: str = Field(default="eight", description="Set of utterances in utterances.yaml.")
    limit: int | None = Field(
        default=None,
        ge=1,
        description="At most N trials of each kind, taken evenly from its cells and items.",
    )
    orders: int = Field(
        default=1,
        ge=1,
        description="Number of different orders of options per scene; at most the number of "
        "options.",
    )
    seed: int = Field(default=1, description="Seed of the assignment of orders to scenes.")
    sources: Path | None = Field(
        default=None,
        description="Folder with items.yaml, scales.yaml and utterances.yaml (default: the "
        "shipped one).",
    )
    language: str = Field(default="en", description="Language of the shipped scenes: en or de.")
    templates: Path | None = Field(
        default=None,
        description="Template file (default: the one in the folder of sources).",
    )

    in_studies: ClassVar[Mapping[str, Any]] = {
        "goals": ("informative", "social", "both", "none"),
        "framings": ("third",),
    }
    parts: ClassVar[Mapping[str, Mapping[str, Any]]] = {kind: {"tasks": (kind,)} for kind in TRIALS}

    def files(self) -> tuple[Path, ...]:
        """The folder of sources, and the template file if it is separate."""
        return (
            self.sources or sources_of(self.language),
            *([self.templates] if self.templates else []),
        )


class Priors(Options):
    """Shapes of the priors; all ones are those of the paper.

    ``alpha`` and ``cost`` are Beta on their share of their ranges; by default, the option
    ``ranges`` sets their shapes. ``phi`` is Beta, ``weights`` Dirichlet over (inf, soc, pres). With
    a likelihood by cluster, ``lapse`` and ``icc`` are Beta.
    """

    alpha: BetaShape | None = None
    cost: BetaShape | None = None
    phi: BetaShape = (1.0, 1.0)
    weights: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (1.0, 1.0, 1.0)
    lapse: BetaShape = (1.0, 9.0)
    icc: BetaShape = (1.0, 1.0)


class PoliteOptions(ModelOptions):
    """Options of ``polite-speaker``."""

    literal: LiteralTreatment = Field(
        default="joint",
        description="Literal meanings (theta). joint: estimated with the choices; cut: from the "
        "judgments alone, with their uncertainty; fixed: at the means of the judgments.",
    )
    utilities: Names = Field(
        default=UTILITIES, description="Utilities of the speaker: a subset, or s1 (first order)."
    )
    cost_form: CostForm = Field(
        default="prior", description="Cost added to alpha * utility, or inside it."
    )
    weights_form: WeightsForm = Field(
        default="normalised",
        description="Weights of reduced variants: over their utilities, or over all three.",
    )
    position_bias: bool = Field(
        default=False,
        description="Also estimate the log-odds of each position in the list of options.",
    )
    likelihood: Likelihood = Field(
        default="auto",
        description="item, participant: with an intraclass correlation and lapses; counts: all "
        "answers are independent; auto: the first of these that the table allows. Under "
        "item+negation and item+kindness, each item also has an effect on the log-odds of "
        "negations, or of kind utterances.",
    )
    nodes: int | None = Field(
        default=None,
        ge=2,
        le=2000,
        description=f"Quadrature nodes for phi (default: {NODES} with the published ranges, "
        f"{WIDE_NODES} with others).",
    )
    ranges: RangesName = Field(
        default="auto",
        description="Priors of alpha and of the cost of a negation (other utterances cost 1). "
        "Published ones (yoon2020) are uniform on 0 to 20 and 1 to 10. For models, the cost is "
        "Beta(4, 4) on -13 to 15. Under wide, alpha is also Beta(1, 6) on 0 to 60. Under auto, "
        "they depend on whether the speaker is known to be a language model.",
    )
    alpha_upper: float | None = Field(
        default=None, gt=0, le=1000, description="Upper end of alpha's prior, in place of --ranges."
    )
    cost_lower: float | None = Field(
        default=None,
        ge=-50,
        description="Lower end of the prior of the cost of a negation, in place of --ranges.",
    )
    cost_upper: float | None = Field(
        default=None,
        le=100,
        description="Upper end of the prior of the cost of a negation, in place of --ranges.",
    )
    priors: Priors = Field(default=Priors(), description="Shapes of the priors, as JSON.")

    @property
    def ends(self) -> Ranges:
        """The effective ranges: the named ones, with single bounds replaced.

        ``auto`` means those of people here; ``for_speaker`` resolves it.
        """
        own = {name: getattr(self, name) for name in Ranges._fields}
        named = RANGES.get(self.ranges, RANGES["yoon2020"])
        return named._replace(**{k: v for k, v in own.items() if v is not None})

    def for_speaker(self, *, model: bool) -> Self:
        """The options for one speaker: its ranges, the shapes of their priors, and the nodes."""
        automatic = "models" if model else "yoon2020"
        ranges = automatic if self.ranges == "auto" else self.ranges
        own = {name: getattr(self.priors, name) or of for name, of in SHAPES[ranges].items()}
        priors = self.priors.model_copy(update=own)
        found = self.model_copy(update={"ranges": ranges, "priors": priors})
        usual = NODES if found.ends == RANGES["yoon2020"] else WIDE_NODES
        return found.model_copy(update={"nodes": self.nodes or usual})

    @field_validator("utilities")
    @classmethod
    def _of_the_model(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return check_utilities(value)

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        _, lower, upper = self.ends
        if lower >= upper:
            raise OptionError(
                f"expected a cost_lower below cost_upper, found {lower:g} and {upper:g}",
                "--cost-lower -5 --cost-upper 15",
                ("cost_lower",),
            )
        return self

    def check_design(self, design: Design) -> None:
        """Literal meanings are estimated only from judgments."""
        asked = design.tasks if isinstance(design, PolitenessDesign) else TRIALS
        if "choice" not in asked:
            raise OptionError(
                "without the task `choice` in `trials` there is nothing to fit",
                "add it to `tasks`",
                ("tasks",),
            )
        if self.literal != "fixed" and "literal" not in asked:
            raise OptionError(
                f"`literal: {self.literal}` needs the task `literal` in `trials`",
                "add it to `tasks`, or write `literal: fixed`",
                ("literal",),
            )


class PooledOptions(ModelOptions):
    """Options of ``polite-hierarchy``."""

    pooling: Pooling = Field(default="partial", description="Degree of pooling.")
    groups: dict[str, str] = Field(
        default={}, description="Speaker -> its group; speakers of a group share a prior."
    )
    literal: Literal["fixed", "shared"] = Field(
        default="fixed",
        description="theta at the means of each speaker's judgments, or of all judgments together.",
    )
    utilities: Names = Field(
        default=UTILITIES, description="Utilities of the speaker: a subset, or s1 (first order)."
    )
    cost_form: CostForm = Field(
        default="prior", description="Cost added to alpha * utility, or inside it."
    )
    nodes: int = Field(default=NODES, ge=2, le=2000, description="Quadrature nodes for phi.")
    spread: float = Field(
        default=SPREAD, gt=0, description="Prior mean of the sds between speakers."
    )

    @field_validator("utilities")
    @classmethod
    def _of_the_model(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return check_utilities(value)


def check_utilities(utilities: tuple[str, ...]) -> tuple[str, ...]:
    """The utilities in their order; ``OptionError`` unless they are a subset, or s1 alone."""
    chosen = tuple(u for u in (*UTILITIES, FIRST_ORDER) if u in set(utilities))
    unknown = [u for u in utilities if u not in (*UTILITIES, FIRST_ORDER)]
    if unknown or not chosen or (FIRST_ORDER in chosen and len(chosen) > 1):
        raise OptionError(
            "expected a non-empty subset of inf, soc, pres, or s1 alone; "
            f"found {', '.join(utilities) or 'nothing'}",
            "--utilities inf,soc,pres",
        )
    return chosen
