"""Games that were cut short go on where they stood: no turn is lost or asked twice."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr

import pytest

from game_players import (
    SPEC,
    Saying,
    games,
    history,
    played,
    responses,
    saying,
    simulated,
    write_games,
    write_parameters,
)
from many_wolves.collection import TurnJournal

FORK = multiprocessing.get_context("fork")


def test_a_failed_turn_is_asked_again_in_the_middle_of_its_game(tmp_path):
    def say(request):
        return None if request.trial.turn == 3 else saying("C")(request)

    listed = games("dilemma", 8)
    done = played(tmp_path / "j", listed, [lambda: Saying(say)])
    assert done.asked == {"answered": 24, "failed": 8}
    speaker = Saying(saying("D"))
    done = played(tmp_path / "j", listed, [lambda: speaker])
    assert sorted({r.trial.turn for r in speaker.asked}) == [3, 4, 5]
    assert done.known == {"answered": 24}
    assert {"".join(o for o, _ in rounds) for rounds in history(tmp_path / "j").values()} == {
        "CCCDDD"
    }
    assert "no reply" in (tmp_path / "j.set-aside").read_text()


def test_games_of_a_speaker_that_stops_can_be_resumed(tmp_path):
    class Poor(Saying):
        """Asks no more after thirty answers."""

        def ask(self, requests, halt):
            for response in super().ask(requests, halt):
                if len(self.asked) > 30:
                    self.stopped = "the money is spent"
                    return
                yield response

    listed = games("dilemma", 12)
    done = played(tmp_path / "j", listed, [lambda: Poor(saying("C"))])
    assert (done.halted, done.why) == (True, "the money is spent")
    assert done.asked == {"answered": 30}
    done = played(tmp_path / "j", listed, [lambda: Saying(saying("C"))])
    assert (done.halted, done.asked, done.known) == (False, {"answered": 42}, {"answered": 30})


def test_every_cut_of_a_journal_goes_on_to_the_same_games(tmp_path):
    listed = games("dilemma", 12, ("tit for tat", "random")) + games("ultimatum", 6)
    played(tmp_path / "whole", listed, at_once=5)
    whole = (tmp_path / "whole").read_bytes()
    expected = {r.key: r.value for r in responses(tmp_path / "whole")}
    chance = random.Random(1)
    for cut in [0, 1, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(12))]:
        (tmp_path / "cut").write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        speaker = Saying(lambda request: pytest.fail("asked"))
        done = played(tmp_path / "cut", listed, at_once=5)
        assert sum(done.asked.values()) in (len(expected) - kept, len(expected) - kept - 1)
        assert {r.key: r.value for r in responses(tmp_path / "cut")} == expected
        played(tmp_path / "cut", listed, [lambda speaker=speaker: speaker])
        (tmp_path / "cut.set-aside").unlink(missing_ok=True)


class Mortal:
    """A simulated speaker whose process is killed at one of its answers."""

    def __init__(self, answers: int) -> None:
        self._speaker, self._left = simulated(), answers
        self.spec, self.stopped = self._speaker.spec, ""

    def ask(self, requests, halt):
        for response in self._speaker.ask(requests, halt):
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            yield response

    def close(self) -> None:
        pass


def play_and_die(path, listed, answers):
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        played(path, listed, [lambda: Mortal(answers)], at_once=8)


def test_killed_at_any_answer_games_go_on_in_their_middle(tmp_path):
    listed = games("dilemma", 24, ("tit for tat", "random")) + games("ultimatum", 6)
    played(tmp_path / "whole", listed)
    expected = history(tmp_path / "whole")
    total = sum(len(rounds) for rounds in expected.values())
    path, interrupted = tmp_path / "killed", 0
    for answers in (1, 7, 12, 13, 29, 40, 3, 25, 5, 11, 22):
        before = len(lines_of(path))
        child = FORK.Process(target=play_and_die, args=(path, listed, answers))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        lines = lines_of(path)
        # whole waves are on the disk; of the last one, what came so far or less
        assert before <= len(lines) <= before + answers
        lengths = Counter(json.loads(line)["episode"] for line in lines)
        interrupted += any(n < 6 for n in lengths.values())
    # A kill may fall before the first wave is on the disk, or where all games there have ended.
    assert interrupted >= 6
    kept = len(lines_of(path))
    done = played(path, listed, at_once=8)
    assert done.asked == {"answered": total - kept}
    assert history(path) == expected
    assert len({r.key for r in responses(path)}) == total


def lines_of(path):
    """Whole lines of a journal that may not be there yet, or end in a torn one."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def test_duplicate_lines_are_set_aside(tmp_path):
    path = tmp_path / "j"
    played(path, games("dilemma", 3))
    once = path.read_text()
    path.write_text(once * 2)
    told: list[str] = []
    with TurnJournal(path, SPEC, told.append):
        pass
    assert path.read_text() == once
    assert "18 turns answered twice" in told[0]


class TestCommand:
    @pytest.fixture
    def words(self, tmp_path):
        """Words that ask a simulated speaker to play 40 games, a journal's file among them."""
        write_games(tmp_path / "g.jsonl", ("dilemma",), sample=40)
        parameters = write_parameters(tmp_path / "p.json")
        words = ["collect", str(tmp_path / "g.jsonl"), "--model_type", "simulated"]
        words += ["--parameters", str(parameters), "--out", str(tmp_path / "j.jsonl")]
        return [sys.executable, "-m", "many_wolves", *words]

    def test_killed_it_goes_on(self, tmp_path, words):
        path = tmp_path / "j.jsonl"
        with subprocess.Popen([*words, "--delay", "0.02", "--at_once", "10"]) as process:
            while process.poll() is None:
                if path.exists() and path.read_bytes().count(b"\n") >= 75:
                    os.kill(process.pid, signal.SIGKILL)
                    break
                time.sleep(0.02)
        ended = subprocess.run(words, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        found = responses(path)
        assert len({r.key for r in found}) == len(found) == 240
        again = subprocess.run(words, check=False, capture_output=True, text=True)
        assert "nothing to ask" in again.stderr

    def test_an_interrupt_prints_how_to_resume(self, tmp_path, words):
        with subprocess.Popen(
            [*words, "--delay", "0.05"], stderr=subprocess.PIPE, text=True
        ) as process:
            path = tmp_path / "j.jsonl"
            while not (path.exists() and path.read_bytes().count(b"\n") >= 5):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=120)
        assert process.returncode == 130, said
        assert "Run the same command again" in said

    def test_explained_and_estimated(self, words, capfd):
        from many_wolves.cli import run
        from many_wolves.commands.collect import command

        asked = words[4:]
        assert run(command, [*asked, "--dry-run"]) == 0
        assert "240 calls to make, at most" in capfd.readouterr().out
        assert run(command, asked) == 0
        capfd.readouterr()
        assert run(command, [*asked, "--explain"]) == 0
        told = capfd.readouterr().out
        assert told.count("6 turns answered; will not be asked: it has ended") == 40
        assert "0 calls to make" in told
