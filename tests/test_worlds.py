"""Worlds that wait, time out, answer late, lose sessions and crash; and who holds up whom."""

import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import replace

import pytest

from many_wolves.collection import Seat, play
from many_wolves.errors import WolvesError
from many_wolves.reading import read
from many_wolves.records import Choose, Message, Option, Trial
from many_wolves.speakers import Feed, SimulatedSpeaker
from many_wolves.speakers.protocol import respond
from many_wolves.store.journal_lines import read_journal
from many_wolves.store.session_journal import SessionJournal
from many_wolves.worlds import SPEAKER, Episode, EpisodicWorld, Receipt, Turn
from market import DEFAULT, SEATS, SPEC, Market, Prices, Server, events, played

FORK = multiprocessing.get_context("fork")
TICKS = 4
TURNS = TICKS * len(SEATS)


def receipts(folder) -> Counter:
    """How often each receipt was written."""
    return Counter(event["status"] for event in events(folder) if event["event"] == "receipt")


def test_a_world_that_waits_is_played_to_its_end(tmp_path):
    market = Market(tmp_path, TICKS, latency_s=0.003)
    done = played(tmp_path, market, n=8)
    assert (done.asked, done.halted) == ({"answered": 8 * TURNS}, False)
    assert receipts(tmp_path) == {"accepted": 8 * TURNS}
    kinds = Counter(event["event"] for event in events(tmp_path))
    assert kinds == {"begun": 8, "sent": 8 * TURNS, "receipt": 8 * TURNS, "ended": 8}
    found = read_journal(tmp_path / "trader.jsonl").responses
    arrived = Counter(a["price"] for s in market.sessions for a in market.server.actions(s.name))
    assert Counter(r.value for r in found) == arrived
    assert {r.seat for r in found} == set(SEATS)
    assert market.closed
    again = Market(tmp_path, TICKS)
    assert played(tmp_path, again, n=8).asked == {}
    assert again.sessions == []


def test_every_answer_is_on_the_disk_before_it_is_sent(tmp_path):
    class Checking(Market):
        def begin(self, episode, wake):
            session = super().begin(episode, wake)
            act = session.act

            def checked(response, *, perhaps_sent=False):
                assert response.key in (tmp_path / "trader.jsonl").read_text()
                last = events(tmp_path)[-1]
                assert (last["event"], last["key"]) == ("sent", response.key)
                act(response, perhaps_sent=perhaps_sent)

            session.act = checked
            return session

    assert played(tmp_path, Checking(tmp_path, TICKS)).asked == {"answered": TURNS}


class Held(SimulatedSpeaker):
    """Holds back answers until it is told to let them go."""

    def __init__(self, spec, holds) -> None:
        super().__init__(spec, Prices())
        self.holds, self.let_go = holds, threading.Event()

    def ask(self, requests, halt):
        held = []
        for batch in Feed.of(requests).batches(halt):
            for request in batch:
                if self.holds(request):
                    held.append(request)
                else:
                    yield self._answer(request)
        assert self.let_go.wait(20)
        yield from map(self._answer, held)


def test_a_turn_whose_time_is_over_is_defaulted_and_its_late_answer_is_stale(tmp_path):
    late = replace(SPEC, model="late")
    speaker = Held(late, lambda request: request.trial.turn == 4)
    market = Market(tmp_path, TICKS, times_s={4: 0.05})
    market.on_close = speaker.let_go.set
    specs = {"owner": SPEC, "speculator": late, "developer": SPEC}
    done = played(tmp_path, market, specs=specs, speakers={"late": lambda: speaker})
    assert not done.halted
    assert done.asked == {"answered": TURNS}
    (session,) = market.sessions
    prices = {a["turn"]: a["price"] for a in market.server.actions(session.name)}
    assert [turn for turn, price in prices.items() if price == DEFAULT] == [4]
    assert len(prices) == TURNS
    found = {e["turn"]: e["status"] for e in events(tmp_path) if e["event"] == "receipt"}
    assert found.pop(4) in ("defaulted", "stale")
    assert set(found.values()) == {"accepted"}
    answers = read_journal(tmp_path / "late.jsonl").responses
    assert 4 in {response.turn for response in answers}


def test_a_speaker_that_gives_no_answer_ends_nothing(tmp_path):
    class Dead(SimulatedSpeaker):
        def _answer(self, request):
            return respond(request, self.spec, status="failed", error="no reply")

    dead = replace(SPEC, model="dead")
    specs = {"owner": SPEC, "speculator": dead, "developer": SPEC}
    market = Market(tmp_path, TICKS)
    done = played(tmp_path, market, specs=specs, speakers={"dead": lambda: Dead(dead, Prices())})
    assert done.asked == {"answered": 2 * TICKS, "failed": TICKS}
    assert not done.halted
    assert receipts(tmp_path) == {"accepted": 2 * TICKS, "defaulted": TICKS}


def test_a_world_that_crashes_loses_no_answer_and_goes_on(tmp_path):
    with pytest.raises(WolvesError, match="burst"):
        played(tmp_path, Market(tmp_path, TICKS, crash_at=2), n=3)
    before = {r.key for r in read_journal(tmp_path / "trader.jsonl").responses}
    assert before
    done = played(tmp_path, Market(tmp_path, TICKS), n=3)
    assert not done.halted
    found = [r.key for r in read_journal(tmp_path / "trader.jsonl").responses]
    assert len(found) == len(set(found)) == 3 * TURNS
    assert before <= set(found)
    assert receipts(tmp_path) == {"accepted": 3 * TURNS}


def test_a_lost_session_restarts_with_the_answers_that_were_given(tmp_path):
    asked = []

    class Listening(SimulatedSpeaker):
        def _answer(self, request):
            asked.append(request)
            return super()._answer(request)

    market = Market(tmp_path, TICKS, lost_after=2)
    done = played(tmp_path, market, speakers={"trader": lambda: Listening(SPEC, Prices())})
    assert not done.halted
    assert [session.episode.attempt for session in market.sessions] == [0, 1]
    first, second = ([a["price"] for a in market.server.actions(s.name)] for s in market.sessions)
    assert len(first) == 2 * len(SEATS)
    assert len(second) == TURNS
    assert sorted(second[: len(first)]) == sorted(first)
    # What was asked the same way before was not asked again.
    assert len(asked) == TURNS
    keys = [r.key for r in read_journal(tmp_path / "trader.jsonl").responses]
    assert len(set(keys)) == len(keys) == TURNS + len(first)
    assert played(tmp_path, Market(tmp_path, TICKS, lost_after=2)).asked == {}


class Mortal(SimulatedSpeaker):
    """Kills its process at one of its answers."""

    def __init__(self, answers: int) -> None:
        super().__init__(SPEC, Prices())
        self.left = answers

    def _answer(self, request):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._answer(request)


def play_and_die(folder, answers, seconds):
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        market = Market(folder, TICKS, latency_s=0.002)
        played(folder, market, n=6, speakers={"trader": lambda: Mortal(answers)})


def test_killed_anywhere_every_answer_arrives_once(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    played(whole, Market(whole, TICKS), n=6)
    chance, killed = random.Random(5), 0
    for _ in range(14):
        answers, seconds = chance.randrange(25), chance.uniform(0.02, 0.5)
        child = FORK.Process(target=play_and_die, args=(tmp_path, answers, seconds))
        child.start()
        child.join()
        killed += child.exitcode == -signal.SIGKILL
    assert killed >= 10
    last = Market(tmp_path, TICKS)
    played(tmp_path, last, n=6)
    done = Server(tmp_path / "server.jsonl"), Server(whole / "server.jsonl")
    names = {line.split('"')[3] for line in (whole / "server.jsonl").read_text().splitlines()}
    for name in names:
        ours, theirs = (server.actions(name) for server in done)
        assert len(ours) == len({a["turn"] for a in ours}) == TURNS
        assert {a["turn"]: a["price"] for a in ours} == {a["turn"]: a["price"] for a in theirs}
    assert receipts(tmp_path) == {"accepted": 6 * TURNS}
    settled = [(e["episode"], e["turn"]) for e in events(tmp_path) if e["event"] == "receipt"]
    assert len(settled) == len(set(settled))


def test_what_was_perhaps_sent_is_looked_up_before_it_is_sent_again(tmp_path):
    """The run died between the line `sent` and the receipt: once it arrived, once it did not."""
    market = Market(tmp_path, TICKS)
    played(tmp_path, market)
    (name,) = [session.name for session in market.sessions]
    (journal,) = (tmp_path / "sessions").glob("*.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    cut = [line for line in lines[:-1] if '"turn":11' not in line or "receipt" not in line]
    for arrived in (True, False):
        journal.write_text("".join(cut))
        actions = (tmp_path / "server.jsonl").read_text().splitlines(keepends=True)
        kept = [a for a in actions if arrived or '"turn": 11' not in a]
        (tmp_path / "server.jsonl").write_text("".join(kept))
        again = Market(tmp_path, TICKS)
        assert played(tmp_path, again).asked == {}
        (session,) = again.sessions
        assert session.looked_up == 1
        assert len(market.server.actions(name)) == TURNS
        assert receipts(tmp_path) == {"accepted": TURNS}


def test_a_session_has_one_player_and_a_torn_line_is_cut(tmp_path):
    episode = Episode(Trial("m", "t", {}, Choose(()), ()), 0, {SPEAKER: SPEC})
    with SessionJournal(tmp_path, episode) as journal:
        journal.receipt(Receipt(3, "accepted"))
        journal.receipt(Receipt(3, "stale"))
        with pytest.raises(WolvesError, match="playing this session"):
            SessionJournal(tmp_path, episode).__enter__()
    path = journal.path
    assert path.read_text().count("receipt") == 1
    path.write_text(path.read_text() + '{"schema": 2, "event": "se')
    with SessionJournal(tmp_path, episode) as journal:
        assert journal.state(3) == "settled"
        assert (journal.state(4), journal.unsettled, journal.ended) == ("new", (), "")
    assert path.read_text().endswith("}\n")
    path.write_text("[]\n" + path.read_text())
    with pytest.raises(WolvesError) as caught:
        SessionJournal(tmp_path, episode).__enter__()
    assert caught.value.line == 1


GO = Choose((Option("go", "Go."), Option("stop", "Stop.")))


def steps(episode, answered):
    """Six turns, one after the other."""
    n = len(answered)
    asked = (Message("user", f"{episode.opening.cell['n']}, step {n}?"),)
    trial = replace(episode.opening, messages=asked, episode=episode.id, turn=n)
    return () if n == 6 else (Turn(trial),)


class Stalling:
    """Answers at once, but for some games' third turn: these wait until all others are over."""

    def __init__(self, spec, games, stalled) -> None:
        self.spec, self.stopped = spec, ""
        self.games, self.stalled = games, stalled
        self.others_first = False

    def ask(self, requests, halt):
        held, given = [], 0
        everything_else = 6 * (self.games - len(self.stalled)) + 2 * len(self.stalled)
        for batch in Feed.of(requests).batches(halt):
            for request in batch:
                if request.trial.turn == 2 and request.trial.cell["n"] in self.stalled:
                    held.append(request)
                    continue
                given += 1
                yield respond(request, self.spec, status="answered", text="Go.")
            if given == everything_else and held:
                self.others_first = True
                yield from (respond(r, self.spec, status="answered", text="Go.") for r in held)
                held = []

    def close(self) -> None:
        pass


def test_five_stalled_replies_of_a_hundred_games_delay_no_other_game(tmp_path):
    """Counted, not timed: the stalled replies come only when every other game has ended."""
    openings = [Trial("toy", "steps", {"n": n}, GO, ()) for n in range(100)]
    speaker = Stalling(SPEC, 100, set(range(0, 100, 20)))
    done = play(
        [Episode(opening, 0, {SPEAKER: SPEC}) for opening in openings],
        seats={SPEAKER: Seat(SPEC, tmp_path / "j.jsonl", lambda: speaker)},
        world=EpisodicWorld(steps),
        reader=read,
        say=print,
    )
    assert done.asked == {"answered": 600}
    assert speaker.others_first


def test_as_many_seats_as_the_family_names(tmp_path):
    names = tuple(f"player {n}" for n in range(12))
    specs = {name: replace(SPEC, model=f"model {i % 3}") for i, name in enumerate(names)}

    def rounds(episode, answered):
        if len(answered) == 36:
            return ()
        n = len(answered)
        return [
            Turn(
                replace(
                    episode.opening,
                    messages=(Message("user", f"Round {n}, {name}?"),),
                    episode=episode.id,
                    turn=n + i,
                    seat=name,
                ),
                name,
            )
            for i, name in enumerate(names)
        ]

    opening = Trial("toy", "rounds", {}, GO, ())
    speakers = {spec.model: spec for spec in specs.values()}
    done = play(
        [Episode(opening, r, specs) for r in range(3)],
        seats={
            name: Seat(spec, tmp_path / f"{spec.model}.jsonl", lambda spec=spec: going(spec))
            for name, spec in specs.items()
        },
        world=EpisodicWorld(rounds),
        reader=read,
        say=print,
    )
    assert done.asked == {"answered": 108}
    for model in speakers:
        found = read_journal(tmp_path / f"{model}.jsonl").responses
        assert len(found) == 36
        assert {specs[r.seat].model for r in found} == {model}


def going(spec):
    class Going(SimulatedSpeaker):
        def _answer(self, request):
            return respond(request, self.spec, status="answered", text="Go.")

    return Going(spec, Prices())


def test_the_first_interrupt_lets_what_is_under_way_finish(tmp_path):
    openings = [Trial("toy", "steps", {"n": n}, GO, ()) for n in range(30)]

    class Interrupting(Stalling):
        def ask(self, requests, halt):
            for i, response in enumerate(super().ask(requests, halt)):
                if i == 40:
                    os.kill(os.getpid(), signal.SIGINT)
                    assert halt.wait(10)
                yield response
                if halt.is_set():
                    return

    told: list[str] = []
    seats = {SPEAKER: Seat(SPEC, tmp_path / "j.jsonl", lambda: Interrupting(SPEC, 30, set()))}
    episodes = [Episode(opening, 0, {SPEAKER: SPEC}) for opening in openings]
    world = EpisodicWorld(steps)
    done = play(episodes, seats=seats, world=world, reader=read, say=told.append)
    assert done.halted
    assert "Stopping" in told[0]
    assert done.asked == {"answered": 41}
    seats = {SPEAKER: Seat(SPEC, tmp_path / "j.jsonl", lambda: Stalling(SPEC, 30, set()))}
    done = play(episodes, seats=seats, world=world, reader=read, say=print)
    assert (done.known, done.asked) == ({"answered": 41}, {"answered": 139})


def test_a_speaker_that_fails_ends_the_run_and_keeps_what_was_answered(tmp_path):
    class Failing(SimulatedSpeaker):
        def _answer(self, request):
            if request.trial.turn == 7:
                raise WolvesError("the key was refused", fix="check it")
            return super()._answer(request)

    market = Market(tmp_path, TICKS)
    with pytest.raises(WolvesError, match="key was refused"):
        played(tmp_path, market, speakers={"trader": lambda: Failing(SPEC, Prices())})
    assert len(read_journal(tmp_path / "trader.jsonl").responses) >= 6
    assert "speaker" not in {thread.name.split()[0] for thread in threading.enumerate()}
    assert played(tmp_path, Market(tmp_path, TICKS)).halted is False
