"""Settings that an API accepts are found out once; those that it rejects, every time."""

import subprocess
import sys

import pytest

from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.api import accepted, model

THINKS = SpeakerSpec("openai", "o4-mini", effort="low")
ASKS_AGAIN = """
import sys
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.api.model import check_request
check_request(SpeakerSpec("openai", "o4-mini", effort="low"))
print("inspect_ai" in sys.modules)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    return tmp_path


def test_what_was_accepted_is_not_found_out_again(cache):
    model.check_request(THINKS)
    done = subprocess.run(
        [sys.executable, "-c", ASKS_AGAIN], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_other_settings_and_other_versions_are_others(cache, monkeypatch):
    accepted.remember_accepted(THINKS)
    assert accepted.is_accepted(THINKS)
    assert not accepted.is_accepted(SpeakerSpec("openai", "o4-mini", effort="high"))
    monkeypatch.setattr(accepted, "_version", lambda package: "0")
    assert not accepted.is_accepted(THINKS)


def test_what_is_rejected_is_rejected_again(cache):
    hot = SpeakerSpec("openai", "o4-mini", effort="low", temperature=0.5)
    for _ in range(2):
        with pytest.raises(WolvesError, match="temperature"):
            model.check_request(hot)


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path / "file"))
    accepted.remember_accepted(THINKS)
    assert not accepted.is_accepted(THINKS)
