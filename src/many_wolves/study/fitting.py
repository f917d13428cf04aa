"""The stages that fit the choices of people and speakers."""

from __future__ import annotations

from collections.abc import Iterator

from many_wolves.files import shipped
from many_wolves.study.casting import Cast
from many_wolves.study.places import Places
from many_wolves.study.schema import Fit, Study
from many_wolves.study.stages import Stage


def sampling(fit: Fit) -> list[str]:
    """Options of `wolves fit` that any cognitive model takes."""
    options = ["--chains", str(fit.chains), "--warmup", str(fit.warmup)]
    options += ["--draws", str(fit.draws), "--seed", str(fit.seed), "--allow-unconverged"]
    return options + _set(fit, "adapt_delta", "engine")


def fit_people(study: Study, places: Places) -> Iterator[Stage]:
    """The fits of human references."""
    for name in study.human:
        out = places.fit(name)
        yield Stage(
            f"fit {name}",
            ("fit", "--human", name, *_options(study.fit), "--out", str(out)),
            reads=(shipped("task-data/human"), shipped("rsa-model/stan_model")),
            writes=places.fit_files(name),
            beside=True,
        )


def fit_speaker(speaker: Cast, study: Study, places: Places) -> Stage:
    """The fit of one speaker."""
    table, out = places.choices(speaker.name), places.fit(speaker.name)
    # People are fitted first, so that the program is compiled once.
    people = tuple(f"fit {name}" for name in study.human)
    # The places of the published human trials are not known.
    bias = ["--position-bias"] if study.fit.position_bias else []
    return Stage(
        f"fit {speaker.name}",
        ("fit", str(table), *_options(study.fit), *bias, "--out", str(out)),
        reads=(table, shipped("rsa-model/stan_model")),
        writes=places.fit_files(speaker.name),
        after=(f"choices {speaker.name}", *people),
    )


def _options(fit: Fit) -> list[str]:
    own = ["--literal", fit.literal, "--utilities", ",".join(fit.utilities)]
    return own + sampling(fit) + _set(fit, "cost_form", "weights_form")


def _set(fit: Fit, *fields: str) -> list[str]:
    """Options of fields that the study file sets."""
    found: list[str] = []
    for field in fields:
        if field in fit.model_fields_set:
            found += [f"--{field.replace('_', '-')}", str(getattr(fit, field))]
    return found
