"""`wolves serve`, and people on some of the seats of a session."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from many_wolves.cli import run, wolves
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.agents import OverReporter
from many_wolves.worlds.otree.client import OTreeClient
from many_wolves.worlds.otree.seat import Seat
from many_wolves.worlds.otree.server import Address, free_port
from many_wolves.worlds.otree.visits import Limits
from many_wolves.worlds.session_log import SessionLog
from otree_play import TestDesk, scripted

KEY = "a key of the tests"
PERSON = 1


def test_a_server_without_a_key_and_an_unknown_experiment_are_refused(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OTREE_REST_KEY", raising=False)
    assert run(wolves, ["serve", "spatial_planning"]) == 2
    assert "export OTREE_REST_KEY=" in capsys.readouterr().err
    monkeypatch.setenv("OTREE_REST_KEY", KEY)
    assert run(wolves, ["serve", "spatial_planing"]) == 2
    assert "spatial_planning" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_people_are_named_by_the_numbers_of_their_seats(tmp_path):
    from many_wolves.errors import WolvesError
    from many_wolves.families.markets.engines.otree import OTreeSessions

    assert OTreeSessions.of({"people": "1, 4"}, tmp_path).people == {1, 4}
    with pytest.raises(WolvesError, match="expected numbers of participants"):
        OTreeSessions.of({"people": "owner-1"}, tmp_path)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """`wolves serve` in a separate process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTREE_REST_KEY", KEY)
    port = free_port()
    words = ["serve", "spatial_planning", "--port", str(port), "--out", "server"]
    process = subprocess.Popen(
        [sys.executable, "-m", "many_wolves", *words], stdout=subprocess.PIPE, text=True
    )
    line = process.stdout.readline()
    assert f"http://127.0.0.1:{port} serves spatial_planning" in line
    yield process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        process.kill()
    process.wait()


def reachable(url):
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_person_and_models_play_on_a_server_that_ends_when_it_is_told(served, tmp_path):
    """Eleven seats are asked; the twelfth is played from outside, as by a browser."""
    process, url = served
    compiled = ["compile", "--task", "planning", "--mechanism", "harberger", "--paid-rounds", "1"]
    assert run(wolves, [*compiled, "--no-practice", "--ticks", "1", "--out", "trials.jsonl"]) == 0
    Path("truthful.json").write_text(json.dumps({"strategy": "truthful"}))
    collect = ["collect", "trials.jsonl", "--task", "planning", "--model_type", "simulated"]
    collect += ["--model_name", "truthful", "--parameters", "truthful.json", "--out", "out"]
    collect += ["--seat", "developer=self", "--seat", "speculator=self"]
    collect += ["--engine", "otree", "--server", url, "--engine_option", f"people={PERSON}"]
    models = subprocess.Popen([sys.executable, "-m", "many_wolves", *collect])
    try:
        asyncio.run(asyncio.wait_for(person(url, tmp_path, models), 400))
        assert models.wait(200) == 0
    finally:
        models.kill()
    assert run(wolves, ["choices", "out/markets", "--out", "tables"]) == 0
    answers = pd.read_csv("tables/answers.csv")
    assert answers["seat"].nunique() == 11
    assert "owner-1" not in set(answers["seat"])
    declared = pd.read_csv("tables/declarations.csv").query("stage == 'final'")
    markup = (declared["declared"] / declared["value"]).round(6).to_numpy()
    own = (declared["participant"] == PERSON).to_numpy()
    assert markup[own] == pytest.approx(1.2), "the person over-reports"
    assert markup[~own] == pytest.approx(1.0), "the models are truthful"
    assert set(declared[own]["speaker"]) == {"owner"}, "a person's seat is no speaker's"
    written = "".join(path.read_text() for path in Path("out").rglob("*.json*"))
    assert KEY not in written

    assert reachable(url)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    until = time.monotonic() + 10
    while reachable(url) and time.monotonic() < until:
        time.sleep(0.1)
    assert not reachable(url)
    assert (tmp_path / "server").exists()
    assert KEY not in (tmp_path / "server" / "otree.log").read_text()


async def person(url, folder, models):
    """Somebody who opens the link of one participant and plays to the end."""
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=1)
    desk = TestDesk(scripted(rules, {PERSON: OverReporter()}, 1))
    async with OTreeClient(Address(url, os.environ["OTREE_REST_KEY"])) as client:
        while not (found := await client.sessions()):
            assert models.poll() is None, "the command ended early"
            await asyncio.sleep(0.3)
        session = await client.session(str(found[0]["code"]))
        (own,) = [one for one in session.participants if one.number == PERSON]
        with SessionLog(folder / "person.jsonl") as journal:
            await Seat(PERSON, own.code, client, desk, journal, limits=Limits()).run()
    assert desk.questions
