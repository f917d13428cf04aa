"""Serves a page on loopback and rewrites it whenever its files have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.progress import log

HERE = "127.0.0.1"
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'"
)
"""The page may load nothing except from this server."""


def watching(port: int, sources: Sequence[Path], page: Callable[[], str]) -> ThreadingHTTPServer:
    """A server on loopback; ``serve_forever`` runs it.

    Parameters
    ----------
    port
        Its port; 0 for any free port.
    sources
        Files and folders whose changes trigger a new page.
    page
        Writes the page. If it cannot, the last one is served, since the files may be whole again
        a moment later.

    Raises
    ------
    WolvesError
        If the port is not free.
    """
    last = _LastPage(page)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            if host not in (HERE, "localhost"):
                self.send_error(403, "this page is for this machine only")
            elif self.path == "/":
                self._send("text/html; charset=utf-8", last.read())
            elif self.path == "/state":
                self._send("text/plain; charset=utf-8", state(sources))
            else:
                self.send_error(404)

        def _send(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", _POLICY)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing per request."""

    try:
        return ThreadingHTTPServer((HERE, port), Handler)
    except OSError as error:
        raise WolvesError(
            f"port {port} cannot be used: {error.strerror}",
            fix="give another --port, or none for any free port",
        ) from error


class _LastPage:
    """The page, or the last one that could be written."""

    def __init__(self, page: Callable[[], str]) -> None:
        self._page = page
        self._last = ""
        self._told = ""

    def read(self) -> str:
        """The page; why it cannot be written is logged once."""
        try:
            self._last, self._told = self._page(), ""
        except (WolvesError, OSError) as error:
            if str(error) != self._told:
                log.warning("The page cannot be written again: %s", error)
            self._told = str(error)
        return self._last


def state(sources: Sequence[Path]) -> str:
    """Sizes and times of the files; the text changes whenever one of them does."""
    files = [
        file
        for source in sources
        for file in (sorted(source.rglob("*.json*")) if source.is_dir() else [source])
    ]
    newest, size = 0, 0
    for file in files:
        try:
            known = file.stat()
        except OSError:
            continue
        newest, size = max(newest, known.st_mtime_ns), size + known.st_size
    return f"{len(files)} {size} {newest}"
