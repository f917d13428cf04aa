"""Checks commands that install: they would change the machine, so they are read, not run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
TOOLS = {"uv", "uvx", "pip", "git", "cd"}
NAME = PROJECT["project"]["name"]
EXTRAS = set(PROJECT["project"]["optional-dependencies"])
GROUPS = set(PROJECT["dependency-groups"])
FORMS = {
    ("uv", "add"), ("uv", "sync"), ("uv", "pip"), ("uv", "tool"), ("pip", "install"),
    ("git", "clone"),
}  # fmt: skip
"""Commands that may be shown; ``uvx`` and ``cd`` may as well."""


def check(words: Sequence[str]) -> None:
    """Check that a command is known, and that its extras and groups exist."""
    assert words[0] in {"uvx", "cd"} or tuple(words[:2]) in FORMS, f"unknown: {' '.join(words)}"
    extras = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--extra"]
    groups = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--group"]
    for word in words:
        if named := re.fullmatch(re.escape(NAME) + r"\[([\w,-]+)\]", word):
            extras += named[1].split(",")
    assert set(extras) <= EXTRAS, f"expected extras among {sorted(EXTRAS)}, found {extras}"
    assert set(groups) <= GROUPS, f"expected groups among {sorted(GROUPS)}, found {groups}"
