"""A page of oTree as a participant sees it: text, form, timer, sockets, chats."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from lxml import html as lxml_html

from many_wolves.worlds.otree.fields import FormField, read_fields
from many_wolves.worlds.otree.text import Element, readable, unseen

Kind = Literal["form", "wait", "end", "room"]

_PATH = re.compile(r"^/p/(?P<code>[^/]+)/(?P<app>[^/]+)/(?P<page>[^/]+)/(?P<index>\d+)")
_SOCKET = re.compile(
    r"makeReconnectingWebSocket\(\s*[\"'](?P<url>/(?:wait_page|subsession_wait_page|"
    r"group_by_arrival_time|wait_for_session_in_room)[^\"']*)"
)
_SECONDS = re.compile(r"remainingTimeoutSeconds\s*=\s*(?P<s>[-\d.]+)")
_VARIABLES = re.compile(r"var js_vars = (?P<json>\{.*?\});</script>", re.DOTALL)
_CHAT = re.compile(r"varsFromDjango\s*=\s*(?P<json>\{.*?\});", re.DOTALL)


@dataclass(frozen=True)
class Chat:
    """A chat on a page: its channel, socket, and the participant's nickname."""

    channel: str
    path: str
    nickname_signed: str
    nickname: str
    participant: int


@dataclass(frozen=True)
class Page:
    """The current page of a participant.

    Parameters
    ----------
    kind
        ``form`` (any page that can be submitted), ``wait``, ``end``, or ``room`` (waiting for a
        session).
    path
        Its address on the server.
    app, name, index
        Its position in the session; the index is 0 at the end.
    text
        The visible text, with the form's fields marked by name.
    fields
        Fields to fill in.
    fixed
        Hidden inputs with their values, which are sent back unchanged.
    errors
        Whether it was returned with errors, which are in the text.
    seconds_left
        Remaining time on the page; None without a limit.
    advance_url, wait_url, live_url
        Sockets for the signals to move on and to end a wait, and for live messages; empty if
        missing.
    chats
        Chats on the page.
    script
        The page's own scripts, if it is a live page.
    variables
        ``js_vars`` of the page.
    """

    kind: Kind
    path: str
    app: str = ""
    name: str = ""
    index: int = 0
    text: str = ""
    fields: tuple[FormField, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    errors: bool = False
    seconds_left: float | None = None
    advance_url: str = ""
    wait_url: str = ""
    live_url: str = ""
    chats: tuple[Chat, ...] = ()
    script: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Code with which the participant joins; empty outside a session."""
        place = _PATH.match(self.path)
        return place["code"] if place else ""

    @property
    def asks(self) -> bool:
        """Whether the page allows any action: a field, a live page, a chat."""
        return bool(self.fields or self.live_url or self.chats)


def read_page(url: str, html: str, headers: Mapping[str, str]) -> Page:
    """Read a page from the server's reply.

    Parameters
    ----------
    url
        URL of the reply, after redirects.
    html
        Its body.
    headers
        Its headers by names in lower case; oTree marks wait pages and redisplayed forms in them.
    """
    path = urlsplit(url).path
    place = _PATH.match(path)
    if place is None and path.startswith("/OutOfRangeNotification"):
        return Page("end", path)
    root = lxml_html.document_fromstring(html or "<html></html>")
    hidden = unseen(root)
    if place is None:
        return Page("room", path, text=_text(root, hidden), wait_url=_socket(html))
    app, name, index = place["app"], place["page"], int(place["index"])
    if headers.get("otree-wait-page") or _socket(html):
        text = _text(root, hidden)
        variables = _variables(html)
        return Page(
            "wait", path, app, name, index, text, wait_url=_socket(html), variables=variables
        )
    form = root.find(".//form[@id='form']")
    fields, fixed = ((), {}) if form is None else read_fields(root, form, hidden)
    live = root.find(".//script[@id='otree-live']")
    seconds = _SECONDS.search(html)
    return Page(
        "form",
        path,
        app,
        name,
        index,
        text=_text(root, hidden),
        fields=fields,
        fixed=fixed,
        errors=bool(headers.get("otree-redisplay-with-errors")),
        seconds_left=float(seconds["s"]) if seconds else None,
        advance_url=_socket_of(root.find(".//script[@id='websocket-redirect']")),
        live_url=_socket_of(live),
        chats=tuple(_chats(html)),
        script="" if live is None else _own_scripts(root),
        variables=_variables(html),
    )


def _text(root: Element, hidden: set[Element]) -> str:
    """The visible part of a page as text."""
    for place in (".//div[@class='otree-body container']", ".//body"):
        found = root.find(place)
        if found is not None:
            return readable(found, hidden)
    return readable(root, hidden)


def _socket(html: str) -> str:
    found = _SOCKET.search(html)
    return _plain(found["url"]) if found else ""


def _socket_of(script: Element | None) -> str:
    return "" if script is None else script.get("data-socket-url") or ""


def _plain(url: str) -> str:
    return url.replace("&amp;", "&")


def _variables(html: str) -> dict[str, Any]:
    found = _VARIABLES.search(html)
    if not found:
        return {}
    try:
        variables = json.loads(found["json"])
    except json.JSONDecodeError:
        return {}
    return variables if isinstance(variables, dict) else {}


def _chats(html: str) -> list[Chat]:
    chats = []
    for found in _CHAT.finditer(html):
        try:
            told = json.loads(found["json"])
            chats.append(
                Chat(
                    channel=str(told["channel"]),
                    path=told["socket_path"],
                    nickname_signed=told["nickname_signed"],
                    nickname=told["nickname_i_see_for_myself"],
                    participant=int(told["participant_id"]),
                )
            )
        except (json.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
    return chats


def _own_scripts(root: Element) -> str:
    """Inline scripts of the experiment, without those of oTree."""
    generated = ("js_vars =", "varsFromDjango", "isDebug", "remainingTimeoutSeconds")
    scripts = (script.text or "" for script in root.iter("script") if not script.get("src"))
    own = [s.strip() for s in scripts if s.strip() and not any(word in s for word in generated)]
    return "\n".join(own)
