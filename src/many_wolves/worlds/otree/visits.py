"""A participant's visit to one page: its limits, and the outcomes of actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from many_wolves.worlds.desk import Fate
from many_wolves.worlds.otree.pages import Page
from many_wolves.worlds.otree.prompts import MEMORY_CHARACTERS
from many_wolves.worlds.otree.sockets import Inbox
from many_wolves.worlds.session_log import Line

LEFT = "the page was left before the answer came"


@dataclass(frozen=True)
class Limits:
    """Limits on the questions to a seat.

    Parameters
    ----------
    live_turns
        Maximum number of questions on one live page before the engine submits it.
    look_again_s
        Seconds after which a seat that chose to wait on a live page is asked again.
    memory
        Maximum number of characters of earlier pages and answers that a prompt repeats.
    """

    live_turns: int = 200
    look_again_s: float = 5.0
    memory: int = MEMORY_CHARACTERS


@dataclass
class Visit:
    """A visit to one page, with its time limit and the rejections so far."""

    page: Page
    inbox: Inbox
    until: float | None
    refusals: int = 0


def looked_up(
    line: Line, sent: Mapping[str, Any] | None, page: Page, here: bool
) -> tuple[Fate | None, str]:
    """The outcome of an action without a receipt; None if it can safely be sent again.

    Parameters
    ----------
    line
        The question in the journal.
    sent
        The action; None if none was sent.
    page, here
        The current page, and whether it is the page of the question.
    """
    if sent is None:
        return "stale", LEFT
    if not line["live"]:
        # A page that was left does not accept a form again; one that was not left accepts it once.
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
