"""Games are played as they are designed: partners react, turns follow answers, nothing is lost."""

import itertools
import json
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import replace

import pytest

from many_wolves.collection import TurnJournal
from many_wolves.contracts import Episode, EpisodicFamily
from many_wolves.errors import WolvesError
from many_wolves.families import get
from many_wolves.families.dilemmas.dilemma import payoff
from many_wolves.families.dilemmas.partners import move
from many_wolves.families.dilemmas.tabulate import tabulate
from many_wolves.records import OptionScore, SpeakerSpec
from many_wolves.speakers.protocol import respond
from playing import (
    FAMILY,
    MEMORY_ONE,
    PARAMETERS,
    SPEC,
    Saying,
    by_game,
    games,
    history,
    played,
    responses,
    saying,
    settings,
    simulated,
    write_parameters,
)

TIT_FOR_TAT = {"start": 1, "CC": 1, "CD": 0, "DC": 1, "DD": 0}
FORK = multiprocessing.get_context("fork")
PARTNERS = {
    "always C": lambda met: "C",
    "always D": lambda met: "D",
    "tit for tat": lambda met: met[-1] if met else "C",
    "suspicious tit for tat": lambda met: met[-1] if met else "D",
    "grim": lambda met: "D" if "D" in met else "C",
}
"""What a partner plays after the moves that it met, by its definition in words."""


def test_the_family_is_one_of_episodes_and_politeness_is_none():
    assert isinstance(get("dilemmas"), EpisodicFamily)
    assert not isinstance(get("politeness"), EpisodicFamily)


@pytest.mark.parametrize("partner", list(PARTNERS))
def test_partners_react_to_the_rounds_before_and_to_nothing_else(tmp_path, partner):
    played(tmp_path / "j.jsonl", games("dilemma", 60, (partner,)))
    seen = set()
    for rounds in history(tmp_path / "j.jsonl").values():
        met = [own for own, _ in rounds]
        assert [other for _, other in rounds] == [
            PARTNERS[partner](met[:n]) for n in range(len(rounds))
        ]
        seen |= set(met)
    assert seen == {"C", "D"}


def test_tit_for_tat_plays_what_it_met_in_the_previous_round_not_in_this_one(tmp_path):
    """The published partner never reacted, and its successor mirrored the current move."""
    script = "CDDCDC"

    def say(request):
        return saying(script[request.trial.turn])(request)

    played(tmp_path / "j.jsonl", games("dilemma", 6, ("tit for tat",)), [lambda: Saying(say)])
    for rounds in history(tmp_path / "j.jsonl").values():
        assert "".join(other for _, other in rounds) == "C" + script[:-1]
        assert "".join(other for _, other in rounds) != script


def test_win_stay_lose_shift_and_generous():
    wsls = {"start": 1, "CC": 1, "CD": 0, "DC": 0, "DD": 1}
    played_before = [("C", "D")]
    assert move(wsls, played_before, "x") == "D"
    assert move(wsls, [*played_before, ("D", "D")], "x") == "C"
    assert move(wsls, [*played_before, ("D", "C")], "x") == "D"
    generous = {"start": 1, "CC": 1, "CD": 0.5, "DC": 1, "DD": 0.5}
    drawn = Counter(move(generous, [("C", "D")], str(n)) for n in range(2000))
    assert abs(drawn["C"] / 2000 - 0.5) < 4 * math.sqrt(0.25 / 2000)
    assert all(move(generous, [("C", "C")], str(n)) == "C" for n in range(50))


def test_partners_agree_with_the_axelrod_library():
    axl = pytest.importorskip("axelrod")
    from many_wolves.families.dilemmas.library import next_move

    ours = {
        "Cooperator": {"start": 1, "CC": 1, "CD": 1, "DC": 1, "DD": 1},
        "Defector": {"start": 0, "CC": 0, "CD": 0, "DC": 0, "DD": 0},
        "Tit For Tat": TIT_FOR_TAT,
        "Suspicious Tit For Tat": TIT_FOR_TAT | {"start": 0},
        "Grudger": {"start": 1, "CC": 1, "CD": 0, "DC": 0, "DD": 0},
        "Win-Stay Lose-Shift": {"start": 1, "CC": 1, "CD": 0, "DC": 0, "DD": 1},
    }
    assert set(ours) <= {strategy.name for strategy in axl.strategies}
    chance = random.Random(4)
    for name, partner in ours.items():
        for _ in range(20):
            rounds: list[tuple[str, str]] = []
            for _ in range(8):
                own = move(partner, rounds, "x")
                assert next_move(name, rounds, "x") == own
                rounds.append((own, chance.choice("CD")))


def test_equal_seeds_give_equal_games_and_others_other_games(tmp_path):
    listed = games("dilemma", 80, ("random",))
    again = games("dilemma", 80, ("random",))
    other = games("dilemma", 80, ("random",), seed=2)
    assert [t.id for t in listed] == [t.id for t in again]
    assert {t.id for t in listed}.isdisjoint(t.id for t in other)
    for name, chosen in (("a", listed), ("b", again), ("c", listed[::-1])):
        played(tmp_path / name, chosen, at_once=7 if name == "b" else 1000)
    assert history(tmp_path / "a") == history(tmp_path / "b") == history(tmp_path / "c")
    moves = Counter(o for rounds in history(tmp_path / "a").values() for _, o in rounds)
    assert abs(moves["C"] / moves.total() - 0.5) < 4 * math.sqrt(0.25 / moves.total())


def test_replicates_are_games_of_their_own(tmp_path):
    played(tmp_path / "j", games("dilemma", 30, ("random",)), replicates=2)
    found = history(tmp_path / "j")
    assert len(found) == 60
    pairs = [(found[e, 0], found[e, 1]) for e, r in found if r == 0]
    assert sum(first != second for first, second in pairs) > 20


def test_the_simulated_participant_has_the_probabilities_it_was_given(tmp_path):
    played(tmp_path / "j", games("dilemma", 1200, ("random",)))
    counts: Counter = Counter()
    for turns in by_game(tmp_path / "j").values():
        assert turns[0].cell["before"] == ""
        for before, after in itertools.pairwise(turns):
            assert after.cell["before"] == before.choice + before.cell["other"]
        for turn in turns:
            counts[turn.cell["before"] or "start", turn.choice] += 1
    for before, p in MEMORY_ONE.items():
        n = counts[before, "C"] + counts[before, "D"]
        assert n > 300
        assert abs(counts[before, "C"] / n - p) < 4 * math.sqrt(p * (1 - p) / n)


def test_a_turn_tells_what_came_before_and_what_the_partner_did_only_afterwards(tmp_path):
    speaker = Saying(saying("D"))
    played(tmp_path / "j", games("dilemma", 3, ("tit for tat",)), [lambda: speaker])
    for request in speaker.asked:
        trial = request.trial
        n = trial.cell["round"]
        roles = [m.role for m in trial.messages]
        assert roles == (["user", "assistant"] * n)[: 2 * n - 1]
        said = trial.messages[-1].content.lower()
        texts = {o.id: o.text.lower() for o in trial.options}
        if n == 1:
            assert "you earned" not in said
            continue
        # the partner played C in the first round, and D ever after
        before = "C" if n == 2 else "D"
        own, other = payoff(trial.cell, "D", before)
        assert f"you chose {texts['D']} and your partner chose {texts[before]}" in said
        assert f"you earned ${own:g} and your partner earned\n${other:g}".replace("\n", " ") in (
            said.replace("\n", " ")
        )
        assert f"this is round {n} of 6" in said


def test_turns_of_different_games_are_one_batch_and_ended_games_make_place(tmp_path):
    speaker = Saying(saying("C"))
    played(tmp_path / "j", games("dilemma", 25), [lambda: speaker], at_once=10)
    assert speaker.batches == [10] * 12 + [5] * 6


def test_an_answer_without_a_choice_ends_its_game_and_is_counted(tmp_path):
    def say(request):
        odd = int(request.trial.episode[:4], 16) % 2
        if request.trial.turn == 2 and odd:
            return "Both projects have their merits."
        return saying("C")(request)

    listed = games("dilemma", 40)
    done = played(tmp_path / "j", listed, [lambda: Saying(say)])
    ended = done.asked["unparsed"]
    assert 5 < ended < 35
    found = by_game(tmp_path / "j")
    assert sorted({len(turns) for turns in found.values()}) == [3, 6]
    table = tabulate(responses(tmp_path / "j"))
    assert table.excluded["n"].sum() == ended
    assert (table.excluded["status"] == "unparsed").all()
    assert len(table.aside["rounds"]) == 2 * ended + 6 * (40 - ended)
    outcome = table.aside["games"]["ended"].value_counts()
    assert outcome.to_dict() == {"complete": 40 - ended, "unparsed": ended}
    assert table.aside["games"].query("ended == 'unparsed'")["own_score"].min() >= 0
    # ended is ended: nothing is asked again
    again = Saying(say)
    played(tmp_path / "j", listed, [lambda: again])
    assert again.asked == []


def test_a_failed_turn_is_asked_again_where_its_game_stood(tmp_path):
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


def test_a_speaker_that_stops_of_its_own_accord_leaves_games_that_go_on(tmp_path):
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
    expected = {r.key: r.choice for r in responses(tmp_path / "whole")}
    chance = random.Random(1)
    for cut in [0, 1, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(12))]:
        (tmp_path / "cut").write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        speaker = Saying(lambda request: pytest.fail("asked"))
        done = played(tmp_path / "cut", listed, at_once=5)
        assert sum(done.asked.values()) in (len(expected) - kept, len(expected) - kept - 1)
        assert {r.key: r.choice for r in responses(tmp_path / "cut")} == expected
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
    for answers in (1, 7, 12, 13, 29, 40, 3, 25):
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
    assert interrupted >= 6
    kept = len(lines_of(path))
    done = played(path, listed, at_once=8)
    assert done.asked == {"answered": total - kept}
    assert history(path) == expected
    assert len({r.key for r in responses(path)}) == total


def lines_of(path):
    """Whole lines of a journal that may not be there yet, or end in a torn one."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def test_lines_that_stand_twice_are_set_aside(tmp_path):
    path = tmp_path / "j"
    played(path, games("dilemma", 3))
    once = path.read_text()
    path.write_text(once * 2)
    told: list[str] = []
    with TurnJournal(path, SPEC, told.append):
        pass
    assert path.read_text() == once
    assert "18 turns answered twice" in told[0]


def test_scores_draw_the_moves_and_are_shared_out_in_games_of_one_turn(tmp_path):
    spec = settings(mode="score")
    listed = games("dilemma", 300, ("always C",)) + games("dictator", 36)
    played(tmp_path / "j", listed, specs=[spec])
    found = [r for r in responses(tmp_path / "j") if r.task == "dilemma" and r.turn == 0]
    share = sum(r.choice == "C" for r in found) / len(found)
    p = MEMORY_ONE["start"]
    assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / len(found))
    gifts = tabulate(responses(tmp_path / "j")).aside["gifts"]
    by_gift = gifts.groupby("given")["count"].sum()
    (trial,) = games("dictator", 1)
    probabilities = FAMILY.simulator(PARAMETERS)(trial)
    for option, expected in zip(trial.options, probabilities, strict=True):
        assert by_gift[int(option.id)] == pytest.approx(36 * expected)


def test_a_speaker_against_itself_and_against_another(tmp_path):
    sources = _with_speaker(tmp_path)
    listed = games("dilemma", 36, ("another",), sources=sources)
    listed += games("ultimatum", 18, ("another",), sources=sources)
    assert {FAMILY.extent(t).seats for t in listed} == {2}
    played(tmp_path / "own", listed, specs=(SPEC, SPEC))
    found = responses(tmp_path / "own")
    assert {r.cell["seat"] for r in found} == {0, 1}
    assert {r.cell["partner"] for r in found} == {"simulated/player"}
    assert len(found) == 36 * 12 + 18 * 12
    other = SpeakerSpec("simulated", "rival", parameters=PARAMETERS, seed=9)
    (tmp_path / "both").mkdir()
    played(tmp_path / "both", listed, specs=(SPEC, other),
           speakers=[lambda: simulated(SPEC), lambda: simulated(other)])  # fmt: skip
    files = sorted((tmp_path / "both").glob("*.jsonl"))
    assert len(files) == 2
    both = [r for file in files for r in responses(file)]
    assert {r.speaker.model for r in both if r.cell["seat"] == 0} == {"player"}
    assert {r.speaker.model for r in both if r.cell["seat"] == 1} == {"rival"}
    rounds = tabulate(both).aside["rounds"]
    assert len(rounds) == 36 * 6 * 2
    ours, theirs = (rounds[rounds["model"] == f"simulated/{m}"] for m in ("player", "rival"))
    assert list(ours["own"]) == list(theirs["other"])
    assert list(ours["other"]) == list(theirs["own"])
    offers = tabulate(both).aside["offers"]
    assert set(offers["accepted"]) <= {0, 1}
    alone = tabulate(responses(files[0]))
    assert "rounds" not in alone.aside
    assert set(alone.aside["offers"]["accepted"]) == {""}


def test_two_speakers_resume_in_the_middle_of_a_round(tmp_path):
    listed = games("dilemma", 9, ("another",), sources=_with_speaker(tmp_path))
    other = SpeakerSpec("simulated", "rival", parameters=PARAMETERS)
    makers = [lambda: simulated(SPEC), lambda: simulated(other)]
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    played(tmp_path / "whole", listed, makers, specs=(SPEC, other))
    for file in (tmp_path / "whole").glob("*.jsonl"):
        lines = file.read_text().splitlines(keepends=True)
        keep = 30 if "player" in file.name else 22
        (tmp_path / "cut" / file.name).write_text("".join(lines[:keep]))
    done = played(tmp_path / "cut", listed, makers, specs=(SPEC, other))
    assert done.asked == {"answered": 24 + 32}
    for file in (tmp_path / "whole").glob("*.jsonl"):
        cut = {r.key: r.choice for r in responses(tmp_path / "cut" / file.name)}
        assert cut == {r.key: r.choice for r in responses(file)}


def _with_speaker(folder):
    """The design with a partner that is a speaker."""
    from many_wolves.files import shipped

    sources = folder / "design"
    sources.mkdir()
    for file in shipped("task-data/dilemmas").glob("*.yaml"):
        text = file.read_text()
        if file.name == "games.yaml":
            text = text.replace(
                "    always C: {start", "    another: {speaker: true}\n    always C: {start"
            ).replace("    offers all:", "    another: {speaker: true}\n    offers all:")
        (sources / file.name).write_text(text)
    return sources


class TestUltimatum:
    def test_roles_alternate_and_both_are_played(self, tmp_path):
        played(tmp_path / "j", games("ultimatum", 72))
        for turns in by_game(tmp_path / "j").values():
            roles = [turn.cell["role"] for turn in turns]
            assert len(roles) == 6
            assert roles[0] == turns[0].cell["starts"]
            assert all(a != b for a, b in itertools.pairwise(roles))

    def test_mirror_offers_what_it_was_offered(self, tmp_path):
        played(tmp_path / "j", games("ultimatum", 36, ("mirror",)))
        mirrored = 0
        for turns in by_game(tmp_path / "j").values():
            last = "5"
            for turn in turns:
                if turn.cell["role"] == "proposer":
                    last = turn.choice
                else:
                    assert turn.cell["offer"] == float(last)
                    mirrored += last != "5"
        assert mirrored > 20

    def test_scores_follow_from_offers_and_replies(self, tmp_path):
        listed = games("ultimatum", 72)
        played(tmp_path / "j", listed)
        table = tabulate(responses(tmp_path / "j"))
        offers, replies = table.aside["offers"], table.aside["replies"]
        assert len(offers) == len(replies) == 72 * 3
        own = (offers["accepted"] * (10 - offers["offer"])).sum()
        own += (replies["accepted"] * replies["offer"]).sum()
        assert table.aside["games"]["own_score"].sum() == pytest.approx(own)
        strict = offers[offers["partner"] == "strict"]
        assert (strict["accepted"] == (strict["offer"] >= 5).astype(int)).all()
        assert set(replies["accepted"]) == {0, 1}


def test_an_episode_of_one_turn_is_its_opening(tmp_path):
    (opening,) = games("principal", 1)
    episode = Episode(opening, 0, (SPEC,))
    (turn,) = FAMILY.turns(episode, ())
    assert replace(turn.trial, episode="") == opening
    assert turn.trial.episode == opening.id
    played(tmp_path / "j", [opening])
    assert FAMILY.turns(episode, responses(tmp_path / "j")) == ()


def test_score_mode_gives_the_speaker_its_own_words_back(tmp_path):
    spec = settings(mode="score")
    (opening,) = games("dilemma", 1)
    episode = Episode(opening, 0, (spec,))
    (turn,) = FAMILY.turns(episode, ())
    from many_wolves.speakers import Request

    scores = tuple(OptionScore(o.id, -1.0, 2) for o in turn.trial.options)
    response = respond(Request(turn.trial), spec, status="answered", choice="D", scores=scores)
    (second,) = FAMILY.turns(episode, [response])
    text = next(o.text for o in opening.options if o.id == "D")
    assert second.trial.messages[1].content == text


class TestCommand:
    @pytest.fixture
    def words(self, tmp_path):
        """Words that ask a simulated speaker to play 40 games, a journal's file among them."""
        from many_wolves.families.dilemmas.compiler import Selection, compile_games

        compile_games(Selection(games=("dilemma",), sample=40), tmp_path / "g.jsonl")
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

    def test_interrupted_it_says_how_to_go_on(self, tmp_path, words):
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


def test_a_file_of_games_needs_a_second_speaker_where_it_has_two_seats(tmp_path, capfd):
    from many_wolves.cli import run
    from many_wolves.commands.collect import command
    from many_wolves.families.dilemmas.compiler import Selection, compile_games

    chosen = Selection(
        games=("dilemma",), sample=18, partners=("another",), sources=_with_speaker(tmp_path)
    )
    compile_games(chosen, tmp_path / "g.jsonl")
    words = [str(tmp_path / "g.jsonl"), "--model_type", "simulated", "--parameters"]
    words += [str(write_parameters(tmp_path / "p.json")), "--out", str(tmp_path / "out")]
    assert run(command, words) == 2
    assert "--with self" in capfd.readouterr().err
    assert run(command, [*words, "--with", "self"]) == 0
    rival = {"model_type": "simulated", "model_name": "rival", "parameters": "p.json"}
    (tmp_path / "rival.json").write_text(json.dumps(rival))
    assert run(command, [*words, "--with", str(tmp_path / "rival.json")]) == 0
    names = sorted(f.name for f in (tmp_path / "out" / "dilemmas").glob("*.jsonl"))
    assert len(names) == 2
    assert "rival" in names[0]
    (tmp_path / "rival.json").write_text(json.dumps(rival | {"modle": "x"}))
    assert run(command, [*words, "--with", str(tmp_path / "rival.json")]) == 2
    assert "modle" in capfd.readouterr().err


def test_a_second_speaker_is_refused_where_nobody_answers_another(tmp_path, capfd):
    from asking import trials, write_trials
    from many_wolves.commands.collect import command

    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--model_type", "simulated", "--parameters"]
    words += [str(write_parameters(tmp_path / "p.json"))]
    with pytest.raises(WolvesError, match="belongs to games"):
        command.main([*words, "--with", "self"], standalone_mode=False)
