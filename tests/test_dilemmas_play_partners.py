"""Partners in games: what each plays follows from the rounds before, by its rule alone."""

import math
import random
from collections import Counter

import pytest

from game_players import Saying, games, history, played, saying
from many_wolves.families.dilemmas.task.partners import move

TIT_FOR_TAT = {"start": 1, "CC": 1, "CD": 0, "DC": 1, "DD": 0}
PARTNERS = {
    "always C": lambda met: "C",
    "always D": lambda met: "D",
    "tit for tat": lambda met: met[-1] if met else "C",
    "suspicious tit for tat": lambda met: met[-1] if met else "D",
    "grim": lambda met: "D" if "D" in met else "C",
}
"""What a partner plays after the moves that it met, by its definition in words."""


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
    from many_wolves.families.dilemmas.task.library import next_move

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
