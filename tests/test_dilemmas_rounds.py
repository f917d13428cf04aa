"""Rounds of the dilemma without Stan: tables, strategies, measures."""

import numpy as np
import pandas as pd
import pytest

from game_tables import model, rounds_table
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.courses import predicted_course
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.families.dilemmas.model.memory_measures import Situations, measures
from many_wolves.families.dilemmas.model.mixtures import Plan
from many_wolves.families.dilemmas.model.rounds import read_rounds
from many_wolves.families.dilemmas.model.strategies import (
    STRATEGIES,
    classes,
    cooperation,
    faithful,
    named,
    prescribed,
)
from many_wolves.observations import Observations

BY_NAME = {s.name: s for s in STRATEGIES}


def moves(text):
    return np.array(["CD".index(m) for m in text])


def text(found):
    return "".join("CD"[m] for m in found)


class TestRounds:
    def test_contexts_are_own_move_first_and_the_last_round_is_marked(self):
        found = read_rounds(rounds_table([(1, "CCDD", "CDCD")])).frame
        assert [("start", "CC", "CD", "DC", "DD")[c] for c in found["context"]] == [
            "start", "CC", "CD", "DC"
        ]  # fmt: skip
        assert found["last"].tolist() == [False, False, False, True]

    def test_a_game_that_broke_off_has_no_last_round(self):
        found = read_rounds(rounds_table([(1, "CCC", "CCC"), (2, "CC", "CC")])).frame
        assert found["last"].tolist() == [False, False, True, False, False]

    def test_only_an_announced_length_makes_a_last_round(self):
        told = read_rounds(rounds_table([(1, "CCC", "CCC")], rounds=3, length="announced")).frame
        assert told["last"].tolist() == [False, False, True]
        cut_off = read_rounds(rounds_table([(1, "CCC", "CCC")], rounds=6, length="announced")).frame
        assert not cut_off["last"].any()
        hidden = rounds_table([(1, "CCC", "CCC"), (1, "DDC", "CDD")], rounds=3, length="hidden")
        assert not read_rounds(hidden).frame["last"].any()
        notes = model("memory-one").problem(hidden).notes
        assert any("No game had a round that was known to be the last" in n for n in notes)

    def test_rows_may_be_in_any_order(self):
        ordered = rounds_table([(1, "CCDD", "CDCD"), (2, "DDD", "CCC")])
        shuffled = Observations.from_rows(
            "dilemmas", ordered.counts.sample(frac=1, random_state=2), meta={"task": "dilemma"}
        )
        keep = ["game", "round", "own", "other", "context", "last"]
        pd.testing.assert_frame_equal(
            read_rounds(shuffled).frame[keep], read_rounds(ordered).frame[keep]
        )

    @pytest.mark.parametrize(
        ("change", "words", "line"),
        [
            ({"own": ["C", "X", "D", "D"]}, "C or D, found 'X'", 3),
            ({"round": [1, 2, 2, 4]}, "expected its round 3, found round 2", 4),
            ({"round": [1, 2, "three", 4]}, "number of a round", 4),
        ],
    )
    def test_a_bad_row_is_named(self, change, words, line):
        with pytest.raises(WolvesError, match=words) as caught:
            read_rounds(rounds_table([(1, "CCDD", "CDCD")], **change))
        assert caught.value.line == line

    def test_a_missing_column_is_named(self):
        table = rounds_table([(1, "CC", "CC")])
        with pytest.raises(WolvesError, match="partner missing"):
            read_rounds(Observations.from_rows("dilemmas", table.rows.drop(columns="partner")))


class TestStrategies:
    @pytest.mark.parametrize(
        ("name", "other", "own"),
        [
            ("always C", "DDDDDD", "CCCCCC"),
            ("always D", "CCCCCC", "DDDDDD"),
            ("tit for tat", "CDDCCD", "CCDDCC"),
            ("suspicious tit for tat", "CDDCCD", "DCDDCC"),
            ("grim", "CDCCCC", "CCDDDD"),
            ("win-stay lose-shift", "DDDDDD", "CDCDCD"),
            ("win-stay lose-shift", "CCDCCC", "CCCDDD"),
            ("tit for two tats", "CDCDDC", "CCCCCD"),
            ("tit for two tats", "DDDCCC", "CCDDCC"),
        ],
    )
    def test_moves_by_hand(self, name, other, own):
        assert text(faithful(BY_NAME[name], moves(other))) == own

    def test_prescriptions_follow_the_moves_really_made(self):
        found = prescribed(BY_NAME["grim"], moves("CDCC"), moves("CCCC"))
        assert text(found) == "CCDD"  # its own slip makes grim defect for good
        assert text(prescribed(BY_NAME["win-stay lose-shift"], moves("DDD"), moves("CDD"))) == "CDC"

    def test_the_course_of_cooperation_is_that_of_many_games(self):
        rng = np.random.default_rng(3)
        other = moves("CDDCDC")
        for strategy in STRATEGIES:
            played = np.zeros(other.size)
            for _ in range(4000):
                state = 0
                for t, o in enumerate(other):
                    own = strategy.moves[state] ^ int(rng.uniform() < 0.15)
                    played[t] += own == 0
                    state = strategy.steps[state][2 * own + o]
            expected = cooperation(strategy, other, np.array(0.15))
            np.testing.assert_allclose(played / 4000, expected, atol=0.03)

    def test_constant_partners_do_not_tell_grim_from_tit_for_tat(self):
        groups = classes(STRATEGIES, [moves("CCCCCC"), moves("DDDDDD")])
        assert "tit for tat or grim" in named(STRATEGIES, groups) and len(groups) == 6
        only_c = named(STRATEGIES, classes(STRATEGIES, [moves("CCCCCC")]))
        together = ["always C", "tit for tat", "grim", "win-stay lose-shift", "tit for two tats"]
        assert only_c == [" or ".join(together), "always D", "suspicious tit for tat"]

    def test_a_partner_that_comes_back_tells_all_apart(self):
        groups = classes(STRATEGIES, [moves("CDDCCC"), moves("DCCDDC")])
        assert [len(g) for g in groups] == [1] * len(STRATEGIES)

    def test_the_classes_come_from_the_table(self, rounds):
        problem = model("strategy-frequencies").problem(rounds)
        assert "tit for tat or grim" in problem.coords["class"]
        assert "tit for tat" not in problem.coords["class"]
        assert "grim" not in problem.coords["class"]
        assert any("tit for tat or grim" in note for note in problem.notes)
        reacting = rounds_table([(1, "CCCCCC", "CDDCCC"), (2, "CCCCCC", "DCCDDC")])
        apart = model("strategy-frequencies").problem(reacting)
        assert {"tit for tat", "grim"} <= set(apart.coords["class"])

    def test_the_predicted_course_sums_the_classes(self, rounds):
        plan = Plan.of(read_rounds(rounds))
        only = np.zeros((len(plan.groups), len(plan.members)))
        only[:, plan.names.index("tit for tat or grim")] = 1
        course = predicted_course(plan, only, np.full(len(plan.groups), 1e-9))
        assert set(np.round(course[:, 0], 6)) == {1.0}
        assert set(np.round(course[:, 1:].mean(axis=1), 6)) == {0.0, 1.0}


class TestMeasures:
    def test_they_are_functions_of_the_five_probabilities(self):
        levels = Levels.of([("a", "1"), ("a", "2"), ("b", "1")])
        p = np.array([[0.9, 0.5, 0.2], [0.8] * 3, [0.3, 0.5, 0.9], [0.4, 0.2, 0.6], [0.1] * 3])
        last = np.full((1, 3), -1.0)
        odds = np.vstack([np.log(p / (1 - p)), last])
        met = Situations(np.array([0, 1, 2, 2]), np.array([0, 2, 1, 4]),
                         np.array([0.0, 0, 0, 1]), np.array([10.0, 30, 5, 15]))  # fmt: skip
        found = measures(odds, met, levels)
        np.testing.assert_allclose(found["opening"], [0.7, 0.2])
        np.testing.assert_allclose(found["retaliation"], [0.6, 0.1])
        np.testing.assert_allclose(found["forgiveness"], [0.3, 0.6])
        np.testing.assert_allclose(found["spite"], [(0.7 * 0.6 + 0.5 * 0.8) / 2, 0.1 * 0.4])
        end = 1 / (1 + np.exp(-(np.log(1 / 9) - 1)))
        np.testing.assert_allclose(found["endgame_drop"], [0, 0.1 - end])
        np.testing.assert_allclose(
            found["cooperation"], [(10 * 0.9 + 30 * 0.5) / 40, (5 * 0.8 + 15 * end) / 20]
        )

    def test_situations_that_never_occurred_are_reported(self, rounds):
        notes = model("memory-one").problem(rounds).notes
        assert any("No partner cooperated again after a defection" in n for n in notes)
        assert any("always played the same move" in n for n in notes)
        assert any("DC never occurred for Altruistic" in n for n in notes)
        back = rounds_table([(1, "CCDDC", "CDCDC"), (2, "CDDCC", "DCDCC"), (3, "DDCCC", "CCDDC")])
        assert not model("memory-one").problem(back).notes
