"""The code blocks of a page, those in comments included.

The info string of a block may say, after its language:

``title="studies/mine.yaml"``
    The block is a file: it is written there before the next block runs.
``slow="why"``
    It takes minutes: it runs with ``make test-slow`` only.
``skip="why"``
    It cannot run here, for instance because it needs a key.
``status=1``
    Exit status of its last command; 0 by default.

A block inside an HTML comment is not shown to the reader: it prepares what comes next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.markdown_pages import parse

OPTION = re.compile(r"""([\w-]+)=(?:"([^"]*)"|(\S+))""")
KNOWN_OPTIONS = {"title", "slow", "skip", "status"}
COMMENT = re.compile(r"^<!--\n(.*)-->\s*$", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block.

    Parameters
    ----------
    page
        Its page, relative to the root of the checkout.
    line
        Line of the page, from one, where its code begins.
    language
        First word of its info string; empty for an indented block.
    source
        Its code.
    options
        What else its info string says.
    """

    page: Path
    line: int
    language: str
    source: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Where it is and what it is, for the name of its test."""
        return f"{self.page}:{self.line}:{self.language or 'indented'}"


def blocks_of(page: Path, text: str) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    yield from _blocks(page, text, 0)


def _blocks(page: Path, text: str, before: int) -> Iterator[Block]:
    for token in parse(text):
        if token.map is None:
            continue
        line = before + token.map[0] + 1
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            options = {key: quoted or plain for key, quoted, plain in OPTION.findall(rest)}
            yield Block(page, line + 1, language, token.content, options)
        elif token.type == "code_block":
            yield Block(page, line, "", token.content)
        elif token.type == "html_block" and (hidden := COMMENT.match(token.content)):
            yield from _blocks(page, hidden[1], line)


def problems(block: Block, languages: set[str]) -> Iterator[str]:
    """Say what keeps a block from being checked."""
    if not block.language:
        yield "name its language in a fence: ```bash, ```text, ..."
    elif block.language not in languages:
        yield f"expected a language among {', '.join(sorted(languages))}, found {block.language}"
    for option in block.options.keys() - KNOWN_OPTIONS:
        yield f"expected an option among {', '.join(sorted(KNOWN_OPTIONS))}, found {option}"
    for option in ("slow", "skip"):
        if option in block.options and len(block.options[option].split()) < 2:
            yield f"say in a few words why it is {option}"
