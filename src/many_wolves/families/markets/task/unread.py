"""Why an answer could not be read, in a sentence for the seat that gave it."""

from __future__ import annotations

from many_wolves.families.markets.rules.actions import refusal
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.reading.objects import faults, objects_in
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Form, Response

NO_OBJECT = "your answer held no JSON object; answer with one JSON object and nothing else"
SEVERAL = "your answer held several JSON objects; answer with one"
TOO_LONG = 200


def why_unread(rules: Rules, view: View, seat: int, response: Response) -> str:
    """What is wrong with an answer from which no form was read."""
    found = list(objects_in(without_thoughts(response.text)))
    if len(found) != 1:
        return SEVERAL if found else NO_OBJECT
    return refusal(rules, view, seat, found[0]) or why_no_form(response, found[0])


def why_unread_form(response: Response) -> str:
    """What is wrong with an answer to a form of which no other rules are known."""
    found = list(objects_in(without_thoughts(response.text)))
    if len(found) != 1:
        return SEVERAL if found else NO_OBJECT
    return why_no_form(response, found[0])


def why_no_form(response: Response, value: dict[str, object]) -> str:
    """What of an object does not fit the form."""
    if not isinstance(response.answer, Form):
        return NO_OBJECT
    wrong = faults(response.answer, value)
    return wrong[0].removeprefix("$.")[:TOO_LONG] if wrong else NO_OBJECT
