"""Removes thoughts from an answer before it is read."""

from __future__ import annotations

import re

TAGS = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "seed:think", "scratchpad"),
    *("reflection", "analysis", "inner_monologue", "internal", "planning"),
)
"""Names of the tags around thoughts in known models."""

_NAMES = "|".join(re.escape(name) for name in TAGS)
_OPENS = (
    rf"(?:<\|?(?:{_NAMES})\|?>|\[THINK\]|\u25c1think\u25b7|<\|begin_of_thought\|>"
    r"|<\|channel\|>analysis|\Aanalysis(?=[A-Z]))"
)
_CLOSES = (
    rf"(?:<\|?/(?:{_NAMES})\|?>|\[/THINK\]|\u25c1/think\u25b7|<\|end_of_thought\|>"
    r"|<\|channel\|>final<\|message\|>|assistantfinal)"
)
_WHOLE = re.compile(rf"{_OPENS}.*?{_CLOSES}", re.S | re.I)
_CLOSED = re.compile(rf"\A.*{_CLOSES}", re.S | re.I)
_OPEN = re.compile(rf"{_OPENS}.*\Z", re.S | re.I)


def without_thoughts(text: str) -> str:
    """The text without thoughts.

    The text before a closing tag is a thought, because many chat templates write the opening tag
    into the prompt. The text after an unclosed opening tag is a thought, too: the answer was cut
    off before it began.
    """
    text = _WHOLE.sub("", text)
    text = _CLOSED.sub("", text)
    return _OPEN.sub("", text).strip()
