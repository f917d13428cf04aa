"""How a politeness study was made, as a paragraph to adapt, and whose work it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.text import is_first_order
from many_wolves.figures import Fitted

BIBTEX = """\
@article{yoon2020polite,
  author  = {Yoon, Erica J. and Tessler, Michael Henry and Goodman, Noah D. and Frank, Michael C.},
  title   = {Polite speech emerges from competing social goals},
  journal = {Open Mind},
  volume  = {4},
  pages   = {71--87},
  year    = {2020}
}

@misc{murthy2025cognitive,
  author = {Murthy, Sonia K. and others},
  title  = {Cognitive models can reveal interpretable value trade-offs in language models},
  year   = {2025},
  note   = {arXiv:2506.20666}
}
"""

LITERAL = {
    "joint": "were estimated in the same model from yes/no judgments of every utterance in every "
    "state",
    "cut": "were estimated from yes/no judgments alone, and their uncertainty was carried into "
    "the fit of the choices",
    "fixed": "were held at the smoothed means of yes/no judgments",
}


def methods(fits: Sequence[Fitted]) -> tuple[str, ...]:
    """Paragraphs on the task and the cognitive model."""
    models = [fit for fit in fits if fit.speaker != SPEAKER]
    people = [fit for fit in fits if fit.speaker == SPEAKER]
    options = fits[0].info.get("options", {})
    goals = list(dict.fromkeys(c for fit in models for c in fit.conditions))
    asked = (
        f"{len(models)} speakers chose what Ann says to Bob about something he made, in scenes "
        f"after Yoon et al. (2020). They were given Ann's true opinion and one of the conditions "
        f"{', '.join(goals)}. The order of the eight utterances was counterbalanced. "
        if models
        else ""
    )
    beside = (
        "The choices of 203 people (Yoon et al., 2020) were fitted with the same program. "
        if people
        else ""
    )
    order = "first-order" if is_first_order(fits[0]) else "second-order"
    literal = LITERAL.get(str(options.get("literal")), "were given")
    return (
        f"{asked}{beside}Each speaker's choices were modelled by a {order} pragmatic speaker of "
        "the Rational Speech Acts framework (Yoon et al., 2020). Its utility weighs being "
        "informative, being kind, and appearing to pursue a mixture phi of the two. Literal "
        f"meanings {literal}. Weights and phi were free in every condition; the speaker's "
        "optimality alpha and the cost of a negation were shared by them.",
    )
