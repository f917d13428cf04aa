"""Describes forms (JSON schemas) in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def describe(schema: Mapping[str, Any]) -> str:
    """A form in words: one line per field, and how to answer."""
    fields = schema.get("properties", {})
    lines = [f"- {name}: {field_words(field)}" for name, field in fields.items()]
    if not lines:
        return "Answer with {} to continue."
    return "Answer with one JSON object with these fields:\n" + "\n".join(lines)


def field_words(field: Mapping[str, Any]) -> str:
    """A field's kind, limits and label in words."""
    if "anyOf" in field:
        return " or ".join(field_words(choice) for choice in field["anyOf"])
    if "const" in field:
        return json.dumps(field["const"])
    kinds = field["type"] if isinstance(field.get("type"), list) else [field.get("type", "any")]
    if "enum" in field:
        said = "one of " + ", ".join(json.dumps(choice) for choice in field["enum"])
    elif "object" in kinds and field.get("properties"):
        inner = ", ".join(f'"{n}": {field_words(f)}' for n, f in field["properties"].items())
        said = "{" + inner + "}" + (" or null" if "null" in kinds else "")
    elif "array" in kinds:
        said = "a list" + (f", each {field_words(field['items'])}" if "items" in field else "")
    else:
        names = {"number": "a number", "integer": "a whole number", "string": "a text"}
        names |= {"boolean": "true or false", "object": "a JSON object", "null": "null"}
        said = " or ".join(names.get(kind, kind) for kind in kinds)
    low, high = field.get("minimum"), field.get("maximum")
    said += "" if low is None else f" from {low:g}"
    said += "" if high is None else f" up to {high:g}"
    note = field.get("description")
    return f"{said} ({note})" if note else said
