"""One self-contained page of a session."""

from __future__ import annotations

import json

import markupsafe

from many_wolves.figures.replay import Replay
from many_wolves.report.page import render_page


def replay_page(replay: Replay, *, watched: bool = False) -> str:
    """A session as one self-contained HTML page.

    Parameters
    ----------
    replay
        The session.
    watched
        Whether the page polls the server that sent it for changes.
    """
    markets = [
        {"title": market.title, "events": market.events, "lines": market.lines}
        for market in replay.markets
    ]
    # HTML ends a script at the first "</", even inside a JSON string.
    data = json.dumps(markets, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")
    context = {
        "title": f"Session {replay.session}",
        "replay": replay,
        "groups": _groups(replay),
        "phase_names": _phase_names(replay),
        "markets": markupsafe.Markup(data),
        "watched": watched,
    }
    return render_page("replay.html", context)


def _phase_names(replay: Replay) -> dict[str, str]:
    """Headings of the phases' messages; none where there is one phase only."""
    if len(replay.phases) < 2:
        return {}
    return {p.id: f"{p.label}, {p.group}" if p.group else p.label for p in replay.phases}


def _groups(replay: Replay) -> list[tuple[str, list[tuple[str, str]]]]:
    """Phases by their group, in order: (group, [(id, label)])."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for phase in replay.phases:
        if not groups or groups[-1][0] != phase.group:
            groups.append((phase.group, []))
        groups[-1][1].append((phase.id, phase.label))
    return groups
