"""A stay of a participant on one page: how long it is asked, and what became of an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from many_wolves.worlds.desk import Fate
from many_wolves.worlds.otree.pages import Page
from many_wolves.worlds.otree.prompts import MEMORY_CHARACTERS
from many_wolves.worlds.otree.sockets import Inbox
from many_wolves.worlds.session_journal import Line

LEFT = "the page was left before the answer came"


@dataclass(frozen=True)
class Limits:
    """How long and how often a seat is asked.

    Parameters
    ----------
    live_turns
        Questions on one live page before the engine submits it.
    look_again_s
        A seat that chose to wait on a live page is asked again after so many seconds.
    memory
        Characters of earlier pages and answers that a prompt repeats.
    """

    live_turns: int = 200
    look_again_s: float = 5.0
    memory: int = MEMORY_CHARACTERS


@dataclass
class Visit:
    """A stay on one page, until its time limit, with the questions and refusals so far."""

    page: Page
    inbox: Inbox
    until: float | None
    asked: int = 0
    refusals: int = 0


def looked_up(
    line: Line, sent: Mapping[str, Any] | None, page: Page, here: bool
) -> tuple[Fate | None, str]:
    """What became of an action without a receipt: None where it may be sent again without harm.

    Parameters
    ----------
    line
        The question in the journal.
    sent
        The action; None where none was sent.
    page, here
        The page that the seat is on, and whether it is the one of the question.
    """
    if sent is None:
        return "stale", LEFT
    if not line["live"]:
        # A page that was left does not take a form twice; one that was not takes it once.
        return (None, "") if here else ("accepted", "the page was left")
    refs = page.variables.get("wolves", {}).get("refs")
    if refs is None:
        done = sent.get("do")
        known = done == "wait" or (done == "submit" and not here)
        if done == "submit" and here:
            return None, ""
        return ("accepted", "") if known else ("unknown", "the command ended meanwhile")
    if f"{line['seat']}-{line['turn']}" in map(str, refs):
        return "accepted", "found on the server"
    return (None, "") if here else ("stale", LEFT)
