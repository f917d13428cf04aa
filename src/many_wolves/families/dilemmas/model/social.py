"""Social preferences as a cognitive model: gifts, offers and replies to Stan data and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from many_wolves.contracts import Array, Outcome, Problem, Variable
from many_wolves.families.dilemmas.model.divisions import Divisions, read_divisions
from many_wolves.families.dilemmas.model.preferences import FORMS, INDIFFERENT, log_choice
from many_wolves.families.dilemmas.model.social_estimates import estimates
from many_wolves.families.dilemmas.model.social_notes import social_notes
from many_wolves.families.dilemmas.model.social_plan import (
    FULL,
    Plan,
    expected_share,
    has_gifts,
    shares_of,
)
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.families.dilemmas.simulation.social import (
    as_table,
    from_prior,
    given_preferences,
)
from many_wolves.files import shipped
from many_wolves.observations import Observations

NAME = "social-preferences"
PROGRAM = "game-model/stan_model/social.stan"
SHARE = "given_share"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    form: {"form": form} for form in (FULL, "charness-rabin", "ces", "selfish")
}
ADAPT_DELTA = 0.95


def simulate(
    table: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Mapping[str, Any], Observations]:
    """See ``SocialPreferences.simulate``."""
    found = read_divisions(table)
    plan = Plan.of(**options)
    truth, each = (
        from_prior(found, plan, rng) if given is None else given_preferences(given, found, plan)
    )
    drawn = np.zeros_like(found.counts)
    total = 0.0
    for row, (who, question, counts) in zip(drawn, found.cells(), strict=True):
        log_p = log_choice(each[who], question)
        answers = rng.multinomial(int(np.rint(counts.sum())), np.exp(log_p))
        row[: answers.size] = answers
        total += float((answers * log_p)[answers > 0].sum())
    answered = replace(found, counts=drawn)
    truth |= {SHARE: shares_of(answered, each)} if has_gifts(found) else {}
    return truth | {"log_lik": total}, as_table(table, answered)


def build(
    table: Observations, *, form: str = FULL, vary_precision: bool = False, spread: float = SPREAD
) -> Problem:
    """See ``SocialPreferences.problem``."""
    plan = Plan.of(form, vary_precision, spread)
    found = read_divisions(table)
    levels = found.levels
    own = found.padded(lambda q: q.payoffs[0]) / found.unit
    other = found.padded(lambda q: q.payoffs[1]) / found.unit
    V = plan.varying
    estimate, information = estimates(found, plan)
    data = {
        "form": FORMS.index(plan.form),
        "N": len(found.counts),
        "A": found.counts.shape[1],
        "V": V,
        **levels.data(),
        "participant": (found.participant + 1).tolist(),
        "n_options": [len(q.amounts) for _, q, _ in found.cells()],
        "proposal": [int(q.part == "offers") for _, q, _ in found.cells()],
        "own": own.tolist(),
        "other": other.tolist(),
        "counts": found.counts.tolist(),
        "total": np.rint(found.counts.sum(axis=1)).astype(int).tolist(),
        "spread": spread,
        "estimate": estimate.tolist(),
        "information": information.tolist(),
        "scaled": int(plan.form in INDIFFERENT),
        "indifferent": INDIFFERENT.get(plan.form, 0.0),
    }
    names = [f"{levels.names[who]} | {q.name}" for who, q, _ in found.cells()]
    options = [str(i) for i in range(found.counts.shape[1])]

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = found.counts.copy()
        column = options.index(str(part["option"])) if "option" in part else slice(None)
        at = (names.index(part["cell"]), column)
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        who = ("participant",) if vary_precision else ()
        derived: dict[str, tuple[tuple[str, ...], Array]] = {
            "precision": (who, posterior["precision"] / found.unit)
        }
        if has_gifts(found):
            derived[SHARE] = (("group",), expected_share(found, posterior["predicted"]))
        return derived

    def before(rng: np.random.Generator, n: int) -> dict[str, tuple[tuple[str, ...], Array]]:
        drawn = [shares_of(found, from_prior(found, plan, rng)[1]) for _ in range(n)]
        return {SHARE: (("group",), np.stack(drawn))}

    return Problem(
        model=NAME,
        family=table.family,
        speaker=str(table.rows["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        coords={
            "cell": names,
            "option": options,
            "group": levels.groups,
            "participant": levels.names,
            "coordinate": plan.names[:V],
        },
        variables=_variables(plan, found),
        observed={
            "counts": (("cell", "option"), found.counts),
            "amount": (("cell", "option"), found.padded(lambda q: np.array(q.amounts))),
            "n_options": (("cell",), np.array(data["n_options"], dtype=float)),
            "stake": (("cell",), np.array([q.stake for _, q, _ in found.cells()])),
            "reply": (
                ("cell",),
                np.array([q.part == "replies" for _, q, _ in found.cells()]) * 1.0,
            ),
            "cell_participant": (("cell",), found.participant.astype(float)),
            "participant_group": (("participant",), np.array(levels.of_participants, dtype=float)),
        },
        outcome=Outcome("counts", event="option"),
        without=without,
        adapt_delta=ADAPT_DELTA,
        derive=derive,
        prior=before if has_gifts(found) else None,
        options={"form": plan.form, "vary_precision": vary_precision, "spread": spread},
        notes=(*table.meta.get("notes", ()), *found.notes, *social_notes(found, plan.form)),
    )


def _variables(plan: Plan, found: Divisions) -> tuple[Variable, ...]:
    J, G = len(found.levels.participants), len(found.levels.groups)
    listed = []
    for row, name in enumerate(plan.preferences):
        listed += [
            Variable("posterior", name, "group_preference", ("group",), (2, G), row),
            Variable(
                "posterior", f"{name}_participant", "preference", ("participant",), (2, J), row
            ),
            Variable("posterior", f"{name}_middle", "middle_preference", (), (2,), row),
        ]
    if plan.vary_precision:
        listed.append(Variable("posterior", "precision", "precision", ("participant",), (J,)))
    else:
        listed.append(Variable("posterior", "precision", "precision", (), (J,), 0))
    of_sd = (("coordinate",), (plan.varying,))
    if found.levels.by_group and plan.varying:
        listed.append(Variable("posterior", "sd_group", "sd_group", *of_sd))
    if found.levels.by_participant and plan.varying:
        listed.append(Variable("posterior", "sd_participant", "sd_participant", *of_sd))
    cells = (("cell", "option"), found.counts.shape)
    listed += [
        Variable("posterior", "predicted", "predicted", *cells),
        Variable("posterior_predictive", "counts", "counts_rep", *cells),
        Variable("log_likelihood", "counts", "log_lik", *cells),
    ]
    return tuple(listed)
