"""Fills in forms at random, like a speaker without any knowledge of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

WORDS = ("yes", "no", "maybe", "hello", "fair", "more", "less", "thanks")


def random_form(schema: Mapping[str, Any], rng: np.random.Generator) -> Any:
    """A random value that fits a JSON schema, uniform over its enums or between its limits.

    Parameters
    ----------
    schema
        May contain types, enums, constants, examples, limits, arrays, objects and ``anyOf``.
        Without limits, a number is up to 10 above its lower limit. A text is one of the examples,
        or a word, cut off at the maximum length.
    rng
        Random number generator.
    """
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        return random_form(choices[int(rng.integers(len(choices)))], rng)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        known = [choice for choice in schema["enum"] if choice is not None]
        return known[int(rng.integers(len(known)))]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else next(k for k in kinds if k != "null")
    return _of_kind(kind, schema, rng)


def _of_kind(kind: str, schema: Mapping[str, Any], rng: np.random.Generator) -> Any:
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: random_form(field, rng) for name, field in fields.items()}
    if kind == "array":
        return _some(schema.get("items", {"type": "string"}), rng)
    if kind in ("number", "integer"):
        low = float(schema.get("minimum", 0))
        high = float(schema.get("maximum", low + 10))
        return (
            int(rng.integers(round(low), round(high) + 1))
            if kind == "integer"
            else float(round(rng.uniform(low, high), 2))
        )
    if kind == "boolean":
        return bool(rng.random() < 0.5)
    words = schema.get("examples") or WORDS
    return str(rng.choice(words))[: schema.get("maxLength")]


def _some(items: Mapping[str, Any], rng: np.random.Generator) -> list[Any]:
    """Each listed choice with probability one half; up to three values if none is listed."""
    if "enum" in items:
        return [choice for choice in items["enum"] if rng.random() < 0.5]
    return [random_form(items, rng) for _ in range(int(rng.integers(0, 4)))]
