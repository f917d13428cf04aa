"""The prompt of a seat: who it is, the rules, the page of the present stage, the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.rules.words import (
    Wording,
    as_text,
    instructions,
    page,
    question,
)
from many_wolves.records import Message
from many_wolves.worlds.forms import describe


def prompt(
    wording: Wording, rules: Rules, view: View, schema: Mapping[str, Any], persona: str = ""
) -> tuple[Message, ...]:
    """Messages that ask a seat for the form of its stage.

    Parameters
    ----------
    wording
        What players read.
    rules, view
        The rules, and what the seat sees.
    schema
        JSON schema of its form, as ``rules.actions.form`` gives it.
    persona
        Text before everything else; may be empty.
    """
    rules_text = as_text(instructions(wording, rules, view.seat))
    system = "\n\n".join(part for part in (persona.strip(), rules_text) if part)
    asked = question(wording, rules, view)
    labelled = with_labels(wording, schema)
    now = "\n\n".join([as_text(page(wording, rules, view)), asked, describe(labelled)])
    return (Message("system", system), Message("user", now))


def with_labels(wording: Wording, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A form whose fields carry their labels."""
    labels = wording["fields"]
    fields = {
        name: {**field, "description": labels[name]} if name in labels else dict(field)
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}
