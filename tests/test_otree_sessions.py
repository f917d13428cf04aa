"""Which session on an oTree server is taken up after a kill: never one that is half made."""

import asyncio
from types import SimpleNamespace

import pytest

from many_wolves.families.markets.engines.otree import OTreeSessions
from many_wolves.worlds.otree.client import BrokenPageError, ParticipantInfo, SessionInfo
from many_wolves.worlds.server_world import BrokenError
from many_wolves.worlds.session_log import SessionLog


class Server:
    """Sessions by code; the pages of those in ``broken`` answer 500."""

    def __init__(self, made, broken):
        self.made, self.broken = dict(made), broken

    async def sessions(self):
        return [{"code": code, "label": label} for code, (label, _) in self.made.items()]

    async def session(self, code):
        people = tuple(ParticipantInfo(n + 1, f"{code}-{n}", "") for n in range(self.made[code][1]))
        return SessionInfo(code, "any", "now", people)

    async def join(self, code):
        if code.partition("-")[0] in self.broken:
            raise BrokenPageError(f"oTree answers 500 at {code}")

    async def create_session(self, config, participants, changes, label):
        self.made["new"] = (label, participants)
        return "new"


@pytest.mark.parametrize(
    ("made", "broken", "expected"),
    [
        ({"whole": ("mine", 2)}, (), "whole"),
        ({"half": ("mine", 2)}, ("half",), "new"),
        ({"short": ("mine", 1)}, (), "new"),
        ({"whole": ("mine", 2), "half": ("mine", 2)}, ("half",), "whole"),
        ({"other": ("another's", 2)}, (), "new"),
    ],
)
def test_a_session_that_a_kill_left_half_made_is_not_taken_up(tmp_path, made, broken, expected):
    opening = SimpleNamespace(task="otree", script={}, cell={"config": "any"})
    episode = SimpleNamespace(opening=opening, seats={"one": None, "two": None})
    sessions = OTreeSessions(tmp_path)
    sessions._client = Server(made, broken)
    with SessionLog(tmp_path / "s.jsonl") as journal:
        journal.write("making", label="mine")
        found = asyncio.run(sessions._session(episode, journal))
        assert found.code == expected
        assert [line["code"] for line in journal.of("session")] == [expected]
        assert asyncio.run(sessions._session(episode, journal)).code == expected


@pytest.mark.parametrize("own", [True, False])
def test_an_error_of_the_experiment_names_the_log_that_has_it(tmp_path, own):
    log = tmp_path / "otree.log"
    log.write_text("Traceback\nTypeError: 'NoneType' object is not subscriptable\n\n")
    opening = SimpleNamespace(task="otree", script={"personas": {}}, cell={"config": "any"})
    episode = SimpleNamespace(opening=opening, seats={"one": None})
    sessions = OTreeSessions(tmp_path)
    sessions._client = Server({"new": ("mine", 1)}, ("new",))
    sessions._server = SimpleNamespace(log=log) if own else None
    said = pytest.raises(BrokenError, match="oTree answers 500")
    with SessionLog(tmp_path / "s.jsonl") as journal, said as error:
        asyncio.run(sessions.play(episode, None, journal))
    told = str(error.value)
    assert ("NoneType" in told and str(log) in told) == own
    assert "log" in told
