"""The sentences of politeness reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.families.politeness.options import RANGES, UNIFORM, Ranges
from many_wolves.families.politeness.references import CITATION
from many_wolves.families.politeness.reporting.reference import is_reference
from many_wolves.figures.fitted import Fitted

SECOND_ORDER = (
    "the second-order polite speaker (S2), who chooses utterances by their effect on a listener "
    f"that reasons about a speaker ({CITATION})"
)
FIRST_ORDER = (
    "the first-order polite speaker (S1), who chooses utterances by their effect on a literal "
    f"listener ({CITATION})"
)

UTILITIES = {
    "inf": "informative (the listener learns the true state)",
    "soc": "social (the listener believes in a good state)",
    "pres": "presentational (the speaker appears to pursue a certain mixture of the two)",
    "s1": "first-order speaker (S1): one weight, phi, between informative and social",
}

LITERAL = {
    "joint": (
        "joint: literal judgments and choices are fitted in one model. The meanings may differ "
        "from the judgments if that predicts the choices better."
    ),
    "cut": (
        "cut: the meanings come from the literal judgments alone, and their uncertainty is "
        "carried into the fit of the choices."
    ),
    "fixed": (
        "fixed: the meanings are held at the means of the literal judgments, (yes + 1) / (n + 2)."
    ),
}

COST = {
    "prior": (
        "A negation costs its speaker: utterances are weighted by exp(-cost), outside of alpha, "
        "as in the reference implementation."
    ),
    "utility": "A negation costs its speaker: the cost is inside alpha, as in the equation.",
}


def fitted(fit: Fitted) -> Mapping[str, str]:
    """Facts about the fit: heading -> text."""
    options = fit.info.get("options", {})
    chosen = list(options.get("utilities", ()))
    words = {"Model": FIRST_ORDER if is_first_order(fit) else SECOND_ORDER}
    named = [UTILITIES[u] for u in chosen if u in UTILITIES]
    if named:
        words["Utilities"] = "; ".join(named)
    if options.get("weights_form") == "three-way" and len(chosen) < 3:
        words["Weights"] = "three-way weights, with those of absent utilities unused"
    if options.get("literal") in LITERAL:
        words["Literal judgments"] = LITERAL[options["literal"]]
    if options.get("cost_form") in COST:
        words["Cost"] = COST[options["cost_form"]]
    words["Priors"] = _priors(options)
    words["Goals"] = ", ".join(fit.conditions)
    return words | _data(fit)


def _data(fit: Fitted) -> dict[str, str]:
    """Numbers of choices and judgments; empty if not recorded."""
    if "choices" not in fit.info or isinstance(fit.info.get("source", {}).get("answers"), str):
        return {}
    text = f"{fit.info['choices']:,.0f} choices"
    if fit.has("observed_data", "literal_n"):
        judged = float(fit.values("observed_data", "literal_n").sum())
        text += f", {judged:,.0f} literal judgments"
    return {"Data": text}


def _priors(options: Mapping[str, Any]) -> str:
    """The priors: ranges, and shapes that differ from one."""
    usual = RANGES["yoon2020"]
    most, low, high = (options.get(name, usual._asdict()[name]) for name in Ranges._fields)
    shapes = options.get("priors", {})

    def shaped(name: str) -> str:
        of = shapes.get(name) or UNIFORM
        if all(v == 1 for v in of):
            return "uniform"
        family = "Dirichlet" if name == "weights" else "Beta"
        return f"{family}({', '.join(f'{v:g}' for v in of)})"

    ranges = (
        f"alpha {shaped('alpha')} on 0 to {most:g}",
        f"cost {shaped('cost')} on {low:g} to {high:g}",
        "phi and theta on 0 to 1",
        "weights of a goal on their simplex",
    )
    clustered = options.get("likelihood", "counts") != "counts"
    others = ["phi", "weights", *(("lapse", "icc") if clustered else ())]
    told = [f"{name} {shaped(name)}" for name in others if shaped(name) != "uniform"]
    return "; ".join([", ".join(ranges), *told])


READING_FIRST_ORDER = (
    "phi is the weight of being informative relative to being kind (1: purely informative, 0: "
    "purely kind). This speaker has no third goal and does not care how it appears."
)


def reading_weights() -> tuple[str, ...]:
    """The interpretation of the weights."""
    return (
        "The three weights of a goal sum to one. Weight w_inf: how much it matters that the "
        "listener learns the truth. Weight w_soc: how much it matters that the listener feels "
        "good about it. Weight w_pres: how much it matters to appear to pursue a mixture of the "
        "two. That mixture is phi (1: purely informative, 0: purely kind). A polite "
        "speaker with high w_pres, low phi and low w_inf wants to look kind more than it wants "
        "to be of use.",
    )


def weights(fit: Fitted) -> tuple[str, ...]:
    """Interpretation of the weights and, for people, why they differ from the published ones."""
    if is_first_order(fit):
        return (READING_FIRST_ORDER,)
    if not is_reference(fit):
        return reading_weights()
    return (
        *reading_weights(),
        "The published values differ from these, because the published chains had not mixed "
        "(R-hat is 2.0 to 2.7 on most weights, 2.2 on alpha). So their pooled "
        "means depend on the random position of each chain. Here phi is continuous, and the "
        "verdict above shows whether the chains agree.",
    )


def predictive(fit: Fitted) -> tuple[str, ...]:
    """Explanation of the predictive check, and its r²."""
    text = (
        "Replicated data from the posterior are compared with the observed choices. If an "
        "observed proportion is outside its interval, the model does not fit that cell."
    )
    r2 = fit.info.get("r2")
    if r2 is None:
        return (text,)
    extra = " The published fit had r² = 0.971." if is_reference(fit) else ""
    return (text, f"Over all cells, predicted and observed proportions have r² = {r2:.3f}.{extra}")


def meanings(fit: Fitted) -> tuple[str, ...]:
    """Explanation of theta and of its literal treatment."""
    text = "theta is the probability that an utterance is literally true of a state."
    if fit.info.get("options", {}).get("literal") == "joint":
        return (
            f"{text} In the joint fit, it explains choices and judgments. If points and diamonds "
            "differ, the choices pulled the meaning away from the judgments.",
        )
    return (text,)


def is_first_order(fit: Fitted) -> bool:
    """Whether the speaker that was fitted reasons about a literal listener only."""
    return list(fit.info.get("options", {}).get("utilities", ())) == ["s1"]


def recursion(fit: Fitted) -> tuple[str, ...]:
    """Explanation of the two tables."""
    if is_first_order(fit):
        return (
            "The speaker (S1) chooses by the inference of a literal listener. The pragmatic "
            "listener (L1) hears an utterance and infers the state, knowing that the speaker may "
            "be kind.",
        )
    return (
        "The pragmatic listener (L1) hears an utterance and infers the state, knowing that the "
        "speaker may be kind. The speaker (S2) chooses by the inference of that listener.",
    )


def study_predictive(fits: Sequence[Fitted]) -> tuple[str, ...]:
    """The speakers that are predicted best and worst."""
    known = [(float(fit.info["r2"]), fit.label) for fit in fits if fit.info.get("r2") is not None]
    if len(known) < 2:
        return ()
    best, worst = max(known), min(known)
    return (
        f"The model predicts {best[1]} best (r² = {best[0]:.3f}) and {worst[1]} worst "
        f"(r² = {worst[0]:.3f}). The weights of a poorly predicted speaker describe the model's "
        "best imitation, not the speaker's motives.",
    )


def places(fit: Fitted) -> tuple[str, ...]:
    """Explanation of the position bias, and its strength here."""
    part = fit.summary[fit.summary["parameter"] == "place_bias"]
    best = part.iloc[int(part["mean"].to_numpy().argmax())]
    apart = part[(part["hdi_low"] > 0) | (part["hdi_high"] < 0)]
    found = (
        f"{len(apart)} of {len(part)} positions have an effect: their intervals exclude zero. "
        f"The largest effect is that of position {best['condition']}."
        if len(apart)
        else "No position has an effect: every interval includes zero."
    )
    return (
        "A choice depends on the words of an option and on its position in the list. This fit "
        "estimates the log-odds of each position with the weights, so that they do not bias them.",
        found,
    )
