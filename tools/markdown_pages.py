"""Markdown as this project writes it: CommonMark with tables, and the containers of the site."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

CONTAINER = re.compile(r"^(===|!!!|\?\?\?\+?)\s+\S")
"""First line of a tab or an admonition, whose content is indented by four columns."""
FOOTNOTE = re.compile(r"^\[\^[\w-]+\]:\s*")
DIRECTIVE = re.compile(r"^(:::|--8<--|\s+:[\w-]+:\s)")
"""Lines that are replaced when the site is built."""
INDENT = 4


def read_tokens(path: Path) -> list[Token]:
    """Parse a page; token maps count lines of the file from zero."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> list[Token]:
    """Parse Markdown; every line stays on its line."""
    return MarkdownIt("commonmark").enable("table").parse("\n".join(_plain_lines(text)))


def _plain_lines(text: str) -> list[str]:
    """Return the lines with containers, footnotes and directives as plain Markdown."""
    lines, inside, in_directive = [], False, False
    for line in text.splitlines():
        if CONTAINER.match(line):
            inside, plain = True, ""
        elif inside and (line.startswith(" " * INDENT) or not line.strip()):
            plain = line[INDENT:]
        else:
            inside = False
            plain = FOOTNOTE.sub("", line)
        in_directive = bool(DIRECTIVE.match(plain)) or (in_directive and plain.startswith(" "))
        lines.append("" if in_directive else plain)
    return lines
