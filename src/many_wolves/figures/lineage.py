"""Which speakers belong together, and a mark for each that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from many_wolves.figures.theme import COLOURS, SHAPES

if TYPE_CHECKING:
    import plotnine as p9

    from many_wolves.figures.fitted import Fitted

FACTS = ("model", "effort", "step", "tokens", "training_stage")
"""Labels that follow from the speaker; all others are given by the user."""
TRAINING = "training"
"""The label that distinguishes base models from post-trained ones."""
BASE = "base"


@dataclass(frozen=True)
class Kin:
    """Speakers that belong together: efforts, checkpoints, and post-trained forms of one model.

    Parameters
    ----------
    lineage
        Name of a speaker -> what it shares with its kin. A speaker that is absent has none.
    base
        Names of base models.
    """

    lineage: Mapping[str, object] = field(default_factory=dict)
    base: frozenset[str] = frozenset()

    @property
    def note(self) -> str:
        """The sentence of a caption that explains hollow marks; empty if there are none."""
        return "Hollow marks: base models." if self.base else ""


class Mark(NamedTuple):
    """A mark of a figure; ``fill`` is white for base models."""

    colour: str
    shape: str
    fill: str


def kin_of(fits: Sequence[Fitted]) -> Kin:
    """The kin among fits, from their labels."""
    lineage: dict[str, object] = {}
    for fit in fits:
        given = {k: v for k, v in fit.labels.items() if k not in (*FACTS, TRAINING)}
        model = fit.labels.get("model", fit.speaker)
        lineage[fit.label] = frozenset(given.items()) if given and TRAINING in fit.labels else model
    base = frozenset(fit.label for fit in fits if fit.labels.get(TRAINING) == BASE)
    return Kin(lineage, base)


def marks(
    names: Sequence[str], kin: Kin | None = None, shapes: Sequence[str] = SHAPES
) -> list[Mark]:
    """A mark per name: one colour per lineage, and no mark twice.

    A base model and its post-trained form share the shape as well.
    """
    kin = kin or Kin()
    lineages = [kin.lineage.get(name, name) for name in names]
    order = {one: k for k, one in enumerate(dict.fromkeys(lineages))}
    holders: dict[tuple[str, str], list[tuple[object, bool]]] = {}
    found = []
    for name, one in zip(names, lineages, strict=True):
        hollow = name in kin.base
        candidates = list(_candidates(order[one], shapes))
        free = (
            place
            for place in candidates
            if all(who == one and other != hollow for who, other in holders.get(place, ()))
        )
        colour, shape = next(free, candidates[0])
        holders.setdefault((colour, shape), []).append((one, hollow))
        found.append(Mark(colour, shape, "white" if hollow else colour))
    return found


def _candidates(k: int, shapes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Colours and shapes of lineage ``k``; shapes shift when the colours start again."""
    for turn in range(len(COLOURS)):
        for j in range(len(shapes)):
            yield (
                COLOURS[(k + turn) % len(COLOURS)],
                shapes[(k + k // len(COLOURS) + j) % len(shapes)],
            )


def mark_scales(names: Sequence[str], kin: Kin | None = None) -> list[p9.scales.scale]:
    """Colour, fill and shape of each name."""
    import plotnine as p9

    drawn = marks(names, kin)
    return [
        p9.scale_color_manual(values=[m.colour for m in drawn], limits=list(names)),
        p9.scale_fill_manual(values=[m.fill for m in drawn], limits=list(names)),
        p9.scale_shape_manual(values=[m.shape for m in drawn], limits=list(names)),
    ]
