"""The help of every command is what it was when someone last read it."""

from __future__ import annotations

import pytest

from help_texts import FOLDER, commands, file_of, help_text

ALL = list(commands())


@pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words) or "wolves")
def test_help(words: tuple[str, ...]) -> None:
    path = file_of(words)
    assert path.is_file(), f"{path.name} is missing. Fix: make help-texts"
    assert help_text(words) == path.read_text(), "Fix: make help-texts, and read the difference"


def test_no_file_is_left_of_a_command_that_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.txt")} == {file_of(words).name for words in ALL}
