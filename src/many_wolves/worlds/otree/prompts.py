"""Turns pages into prompts: what a seat has read and done so far, and its possible actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from many_wolves.records import Message
from many_wolves.worlds.forms import describe
from many_wolves.worlds.otree.fields import form_schema
from many_wolves.worlds.otree.live import LiveCall, live_calls, message_schema
from many_wolves.worlds.otree.pages import Page

Did = Literal["submit", "send", "write", "wait"]
MEMORY_CHARACTERS = 24_000
"""Default number of characters of earlier pages and answers that a prompt repeats."""

SYSTEM = (
    "You take part in an experiment that runs on a server. Each page is shown to you as text: "
    "fields are marked by their names in square brackets, buttons by their words. "
    "Do what the pages ask as the participant that you are. "
    "Answer each page with one JSON object and nothing else."
)
LEFT_OUT = "(Earlier pages are left out.)"


class Entry(NamedTuple):
    """An entry of a seat's history: a ``page`` that it read, or an ``answer``."""

    kind: Literal["page", "answer"]
    text: str


def action_schema(page: Page) -> dict[str, Any]:
    """The JSON schema of the possible actions on a page.

    A form without a live part is answered by its fields. On other pages, the answer selects an
    action: ``submit`` the form, ``send`` a live message, ``write`` to the chat, or ``wait``.
    """
    if not page.live_url and not page.chats:
        return form_schema(page.fields)
    fields: dict[str, Any] = {}
    done: list[Did] = ["submit"]
    if page.fields:
        fields["fields"] = _or_null(form_schema(page.fields))
    if page.live_url:
        done.append("send")
        fields["message"] = _or_null(message_schema(live_calls(page.script)))
    if page.chats:
        done.append("write")
        fields["text"] = {"type": ["string", "null"]}
    return {
        "type": "object",
        "properties": {"do": {"type": "string", "enum": [*done, "wait"]}, **fields},
        "required": ["do", *fields],
        "additionalProperties": False,
    }


def page_text(page: Page, received: Sequence[str] = (), shown: str = "") -> str:
    """The text of a page, with its live part and the messages received.

    Parameters
    ----------
    page
        The page.
    received
        Live messages and chat lines since the last question.
    shown
        Current content of the page according to the experiment, instead of its text and script.
    """
    parts = [shown or page.text]
    if page.live_url and page.script and not shown:
        parts.append(f"Script of the page:\n{page.script}")
    if received:
        parts.append("Received since the last question:\n" + "\n".join(received))
    return "\n\n".join(parts)


def messages(
    persona: str,
    entries: Sequence[Entry],
    text: str,
    schema: Mapping[str, Any],
    memory: int = MEMORY_CHARACTERS,
) -> tuple[Message, ...]:
    """The prompt: the persona, the history, the page, and the form.

    Parameters
    ----------
    persona
        Text about the participant, at the beginning; may be empty.
    entries
        History of the seat, in order.
    text, schema
        The current page and the schema of the answer.
    memory
        Maximum number of characters of earlier entries; the oldest are left out first.
    """
    system = "\n\n".join(part for part in (persona.strip(), SYSTEM) if part)
    kept: list[Entry] = []
    size = 0
    for entry in reversed(entries):
        size += len(entry.text)
        if size > memory:
            kept.append(Entry("page", LEFT_OUT))
            break
        kept.append(entry)
    now = Entry("page", f"{text}\n\n{describe(schema)}")
    turns: list[Message] = []
    for entry in [*reversed(kept), now]:
        role: Literal["user", "assistant"] = "user" if entry.kind == "page" else "assistant"
        if turns and turns[-1].role == role:
            turns[-1] = Message(role, f"{turns[-1].content}\n\n{entry.text}")
        else:
            turns.append(Message(role, entry.text))
    if turns[0].role == "assistant":
        turns.insert(0, Message("user", LEFT_OUT))
    return (Message("system", system), *turns)


def on_load_messages(page: Page) -> list[Any]:
    """Live messages that a browser sends when it opens the page."""
    calls: list[LiveCall] = live_calls(page.script) if page.script else []
    return [call.value for call in calls if call.on_load and call.constant]


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]}
