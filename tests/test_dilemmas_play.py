"""Games are played as they are designed: turns follow answers, and scores follow moves."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import pytest

from game_players import (
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
)
from many_wolves.contracts import Episode, EpisodicFamily
from many_wolves.families import get
from many_wolves.families.dilemmas.reading.tabulate import tabulate
from many_wolves.families.dilemmas.task.dilemma import payoff
from many_wolves.records import OptionScore
from many_wolves.speakers.protocol import respond


def test_the_family_is_one_of_episodes_and_politeness_is_none():
    assert isinstance(get("dilemmas"), EpisodicFamily)
    assert not isinstance(get("politeness"), EpisodicFamily)


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
            assert after.cell["before"] == before.value + before.cell["other"]
        for turn in turns:
            counts[turn.cell["before"] or "start", turn.value] += 1
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


def test_scores_draw_the_moves_and_are_shared_out_in_games_of_one_turn(tmp_path):
    spec = settings(mode="score")
    listed = games("dilemma", 300, ("always C",)) + games("dictator", 36)
    played(tmp_path / "j", listed, specs=[spec])
    found = [r for r in responses(tmp_path / "j") if r.task == "dilemma" and r.turn == 0]
    share = sum(r.value == "C" for r in found) / len(found)
    p = MEMORY_ONE["start"]
    assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / len(found))
    gifts = tabulate(responses(tmp_path / "j")).aside["gifts"]
    by_gift = gifts.groupby("given")["count"].sum()
    (trial,) = games("dictator", 1)
    probabilities = FAMILY.simulator(PARAMETERS).probabilities(trial)
    for option, expected in zip(trial.options, probabilities, strict=True):
        assert by_gift[int(option.id)] == pytest.approx(36 * expected)


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
                    last = turn.value
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
    episode = Episode(opening, 0, {"speaker": SPEC})
    (turn,) = FAMILY.turns(episode, ())
    assert replace(turn.trial, episode="") == opening
    assert turn.trial.episode == opening.id
    played(tmp_path / "j", [opening])
    assert FAMILY.turns(episode, responses(tmp_path / "j")) == ()


def test_score_mode_gives_the_speaker_its_own_words_back(tmp_path):
    spec = settings(mode="score")
    (opening,) = games("dilemma", 1)
    episode = Episode(opening, 0, {"speaker": spec})
    (turn,) = FAMILY.turns(episode, ())
    from many_wolves.speakers import Request

    scores = tuple(OptionScore(o.id, -1.0, 2) for o in turn.trial.options)
    response = respond(Request(turn.trial), spec, status="answered", value="D", scores=scores)
    (second,) = FAMILY.turns(episode, [response])
    text = next(o.text for o in opening.options if o.id == "D")
    assert second.trial.messages[1].content == text
