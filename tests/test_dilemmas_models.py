"""Game models without Stan: tables, strategies, measures, simulators, what is not identified."""

import numpy as np
import pandas as pd
import pytest

from many_wolves import families
from many_wolves.commands.modelling import problem_options, single_model
from many_wolves.commands.tables import load_table
from many_wolves.contracts import SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.models.courses import predicted_course
from many_wolves.families.dilemmas.models.divisions import Question, read_divisions
from many_wolves.families.dilemmas.models.levels import Levels
from many_wolves.families.dilemmas.models.memory_measures import Situations, measures
from many_wolves.families.dilemmas.models.mixtures import Plan
from many_wolves.families.dilemmas.models.preferences import Preference, log_choice, utility
from many_wolves.families.dilemmas.models.rounds import read_rounds
from many_wolves.families.dilemmas.models.strategies import (
    STRATEGIES,
    classes,
    cooperation,
    faithful,
    named,
    prescribed,
)
from many_wolves.files import shipped
from many_wolves.records import ChoiceTable

REFERENCE = shipped("task-data/dilemmas/reference")
BY_NAME = {s.name: s for s in STRATEGIES}


def moves(text):
    return np.array(["CD".index(m) for m in text])


def text(found):
    return "".join("CD"[m] for m in found)


def rounds_table(games, **columns):
    """Games as (participant, own, other) -> a table of rounds; all in one group unless told."""
    rows = [
        {"speaker": "s", "group": "g", "participant": who, "partner": "p", "game": number,
         "round": t + 1, "own": own[t], "other": other[t]}
        for number, (who, own, other) in enumerate(games)
        for t in range(len(own))
    ]  # fmt: skip
    frame = pd.DataFrame(rows).assign(**columns)
    return ChoiceTable("dilemmas", frame.assign(count=1), meta={"task": "dilemma"})


@pytest.fixture(scope="module")
def rounds():
    return load_table(REFERENCE / "phelps_dilemma_rounds.csv", "dilemma")


@pytest.fixture(scope="module")
def gifts():
    return load_table(REFERENCE / "phelps_dictator_gifts.csv", "dictator")


def model(name):
    return families.get("dilemmas").models()[name]


class TestReference:
    def test_the_gifts_are_the_published_ones(self, gifts):
        frame = gifts.counts
        assert frame.groupby("given")["count"].sum().to_dict() == {0: 6652, 1: 2078, 2: 4768, 4: 2}
        assert frame["count"].sum() == 13_500
        total = (frame["given"] * frame["count"]).groupby(frame["group"]).sum()
        means = total / frame.groupby("group")["count"].sum()
        expected = {"Altruistic": 2.00, "Cooperative": 1.36, "Control": 0.82, "Competitive": 0.13,
                    "Selfish": 0.00}  # fmt: skip
        assert means.round(2).to_dict() == pytest.approx(expected, abs=0.005)

    def test_the_rounds_are_the_published_ones(self, rounds):
        frame = rounds.counts
        assert len(frame) == 4320 and frame["game"].nunique() == 720
        share = (frame["own"] == "C").groupby(frame["group"]).mean().round(2)
        expected = {"Altruistic": 0.64, "Cooperative": 0.58, "Mixed": 0.54, "Selfish": 0.40,
                    "Control": 0.29, "Competitive": 0.28}  # fmt: skip
        assert share.to_dict() == pytest.approx(expected, abs=0.005)
        assert (frame.groupby("game")["other"].nunique() == 1).all()


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
        assert any("In no game was a round known to be the last" in n for n in notes)

    def test_rows_may_stand_in_any_order(self):
        ordered = rounds_table([(1, "CCDD", "CDCD"), (2, "DDD", "CCC")])
        shuffled = ChoiceTable(
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
            read_rounds(ChoiceTable("dilemmas", table.counts.drop(columns="partner")))


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

    def test_what_is_not_met_is_said(self, rounds):
        notes = model("memory-one").problem(rounds).notes
        assert any("No partner defected and then came back" in n for n in notes)
        assert any("one move throughout" in n for n in notes)
        assert any("DC was never met by Altruistic" in n for n in notes)
        back = rounds_table([(1, "CCDDC", "CDCDC"), (2, "CDDCC", "DCDCC"), (3, "DDCCC", "CCDDC")])
        assert not model("memory-one").problem(back).notes


class TestPreferences:
    def test_utilities_by_hand(self):
        own, other = np.array([0.75, 0.25]), np.array([0.25, 0.75])
        fehr = Preference("fehr-schmidt", (0.6, 0.8), 1.0)
        np.testing.assert_allclose(utility(fehr, own, other), [0.75 - 0.3, 0.25 - 0.4])
        rabin = Preference("charness-rabin", (0.4, -0.2), 1.0)
        np.testing.assert_allclose(
            utility(rabin, own, other), [0.6 * 0.75 + 0.4 * 0.25, 1.2 * 0.25 - 0.2 * 0.75]
        )
        ces = Preference("ces", (0.7, -1.0), 1.0)
        np.testing.assert_allclose(
            utility(ces, own, other), [1 / (0.7 / 0.75 + 0.3 / 0.25), 1 / (0.7 / 0.25 + 0.3 / 0.75)]
        )

    def test_ces_where_a_payoff_is_nothing(self):
        both = np.array([0.0, 1.0]), np.array([0.0, 0.0])
        for r, expected in ((-2.0, 0.0), (1e-7, 0.0), (0.5, 0.36)):
            found = utility(Preference("ces", (0.6, r), 1.0), *both)
            np.testing.assert_allclose(found, [0.0, expected], atol=1e-12)

    def test_ces_is_smooth_where_the_exponent_is_zero(self):
        payoffs = np.array([0.7]), np.array([0.3])
        near = [utility(Preference("ces", (0.6, r), 1.0), *payoffs)[0] for r in (-2e-5, 0, 2e-5)]
        assert near[0] == pytest.approx(near[1], abs=1e-5)
        assert near[2] == pytest.approx(near[1], abs=1e-5)

    def test_a_proposer_weighs_an_offer_by_its_chance(self):
        greedy = Question("offers", 10.0, float("nan"), tuple(map(float, range(11))))
        envious = Preference("fehr-schmidt", (0.0, 5.0), 4.0)
        assert int(np.argmax(log_choice(envious, greedy))) >= 3
        meek = Preference("fehr-schmidt", (0.0, 0.0), 4.0)
        assert int(np.argmax(log_choice(meek, greedy))) <= 1

    def test_envy_rejects_low_offers(self):
        low = Question("replies", 10.0, 1.0, (0.0, 1.0))
        envious = log_choice(Preference("fehr-schmidt", (0.2, 1.0), 2.0), low)
        meek = log_choice(Preference("fehr-schmidt", (0.2, 0.0), 2.0), low)
        assert envious[0] > np.log(0.9) and meek[1] > np.log(0.8)


class TestDivisions:
    def test_the_published_columns_are_read_too(self, gifts, tmp_path):
        raw = gifts.counts.rename(columns={"given": "give", "speaker": "model"})
        raw = raw.assign(prompt_index=raw.pop("participant") - 1).drop(columns="endowment")
        raw["adjective"] = raw["adjective"].where(raw["adjective"] != "none", "")
        raw.to_csv(tmp_path / "gifts.csv", index=False)
        found = read_divisions(load_table(tmp_path / "gifts.csv", "dictator"))
        again = read_divisions(gifts)
        np.testing.assert_array_equal(found.counts, again.counts)
        assert "4 dollars are taken" in found.notes[0] and len(found.levels.participants) == 45

    def test_envy_is_said_to_be_open_and_rejections_close_it(self, gifts):
        social = model("social-preferences")
        assert any("does not identify envy" in n for n in social.problem(gifts).notes)
        assert any("does not identify sigma" in n
                   for n in social.problem(gifts, form="charness-rabin").notes)  # fmt: skip
        rows = [
            {"speaker": "s", "group": "g", "participant": "1", "part": "replies", "endowment": 10,
             "offer": offer, "accepted": accepted, "count": 5}
            for offer, accepted in ((1, 0), (3, 0), (3, 1), (5, 1))
        ]  # fmt: skip
        replies = ChoiceTable("dilemmas", pd.DataFrame(rows), meta={"task": "ultimatum"})
        told = social.problem(replies).notes
        assert not any("envy" in n for n in told)
        all_taken = ChoiceTable(
            "dilemmas", pd.DataFrame(rows).assign(accepted=1), meta={"task": "ultimatum"}
        )
        assert any("None of 15 unequal offers" in n for n in social.problem(all_taken).notes)

    def test_an_ultimatum_is_read_from_files_side_by_side(self, tmp_path):
        columns = "model,group,participant,partner,game,round,endowment,offer,accepted\n"
        (tmp_path / "offers.csv").write_text(columns + "m,g,1,p,0,1,10,4,\nm,g,1,p,0,3,10,5,1\n")
        (tmp_path / "replies.csv").write_text(columns + "m,g,1,p,0,2,10,2,0\n")
        found = read_divisions(load_table(tmp_path / "offers.csv", "ultimatum"))
        assert {q.part for q in found.questions} == {"offers", "replies"}
        assert found.counts.sum() == 3
        cells = {q.name: counts.tolist() for _, q, counts in found.cells()}
        assert cells["offered 2 of 10"] == [1, 0]
        assert cells["offer of 10"] == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ({"given": 5}, "within the 4 dollars"),
            ({"given": "much"}, "expected a number"),
            ({"count": -1}, "expected a number"),
        ],
    )
    def test_a_bad_row_is_named(self, row, words):
        good = {"speaker": "s", "group": "g", "participant": 1, "endowment": 4, "given": 2,
                "count": 3}  # fmt: skip
        frame = pd.DataFrame([good, good | row])
        with pytest.raises(WolvesError, match=words) as caught:
            read_divisions(ChoiceTable("dilemmas", frame))
        assert caught.value.line == 3


def served(user, principal=0):
    rows = [
        {"speaker": "s", "principal": p, "shared_with_user": u, "shared_with_principal": q,
         "served": who, "count": n}
        for p in ("a shop", "a bank", "a club")
        for u in ("yes", "no")
        for q in ("yes", "no")
        for who, n in (("user", user), ("principal", principal))
    ]  # fmt: skip
    return ChoiceTable("dilemmas", pd.DataFrame(rows), meta={"task": "principal"})


class TestPrincipal:
    def test_all_alike_is_fitted_with_a_word(self):
        problem = model("principal-agent").problem(served(20))
        assert problem.refused is None
        assert np.sum(problem.data["counts"]) == 240
        assert any("All 240 choices served the user" in n for n in problem.notes)

    def test_what_does_not_vary_has_no_effect(self):
        table = served(10, 3)
        table.counts["shared_with_user"] = "no"
        problem = model("principal-agent").problem(table)
        assert problem.coords["coefficient"] == ("user served", "reasons shown to the principal")
        assert any("to be shown to the user did not vary" in n for n in problem.notes)

    @pytest.mark.parametrize("word", ["nobody", np.int64(1)])
    def test_an_unknown_word_is_named(self, word):
        table = served(10, 3)
        table.counts["served"] = table.counts["served"].astype(object)
        table.counts.loc[4, "served"] = word
        with pytest.raises(WolvesError, match=f"user or principal, found '{word}'") as caught:
            model("principal-agent").problem(table)
        assert caught.value.line == 6


class TestContracts:
    @pytest.mark.parametrize("name", list(families.get("dilemmas").models()))
    def test_every_model_can_be_compared_recovered_and_calibrated(self, name, rounds, gifts):
        one = model(name)
        assert isinstance(one, SimulatedModel)
        tables = {"dilemma": rounds, "dictator": gifts, "principal": served(8, 4)}
        table = tables[next(t for t in one.tasks if t in tables)]
        problems = {v: one.problem(table, **options) for v, options in one.variants().items()}
        first = next(iter(problems.values()))
        for problem in problems.values():
            # LOO pairs variants part by part: same cells, same counts.
            np.testing.assert_array_equal(
                problem.observed["counts"][1], first.observed["counts"][1]
            )
            assert problem.program == first.program
        for variant, options in one.variants().items():
            rng = np.random.default_rng(7)
            truth, answered = one.simulate(table, rng, **options)
            again = one.problem(answered, **options)
            assert again.size == problems[variant].size
            assert again.coords.keys() == problems[variant].coords.keys()
            assert np.isfinite(truth["log_lik"])
            asked = np.asarray(problems[variant].observed["counts"][1]).sum()
            assert np.asarray(again.observed["counts"][1]).sum() == asked

    def test_models_are_found_by_task(self):
        assert single_model("dilemmas", None, "dictator").name == "social-preferences"
        assert single_model("dilemmas", None, "dilemma").name == "memory-one"
        assert single_model("dilemmas", None, "principal").name == "principal-agent"
        with pytest.raises(WolvesError, match="has no model 'memory-one'"):
            single_model("dilemmas", "memory-one", "dictator")

    def test_options_of_another_family_are_refused_not_passed_over(self):
        social = model("social-preferences")
        assert problem_options(social, {"literal": "joint", "variant": "ces"}) == {"form": "ces"}
        with pytest.raises(WolvesError, match="no option --literal"):
            problem_options(social, {"literal": "cut"})
        with pytest.raises(WolvesError, match="no variant 'kind'"):
            problem_options(social, {"variant": "kind"})

    def test_a_table_of_choices_holds_all_tasks(self, rounds, gifts):
        aside = {
            "rounds": rounds.counts.rename(columns={"speaker": "model"}),
            "gifts": gifts.counts.rename(columns={"speaker": "model"}),
        }
        counts = pd.DataFrame({"speaker": ["gpt-3.5-turbo"], "task": ["dilemma"], "count": [1]})
        table = ChoiceTable("dilemmas", counts, aside)
        np.testing.assert_array_equal(
            model("memory-one").problem(table).data["counts"],
            model("memory-one").problem(rounds).data["counts"],
        )
        np.testing.assert_array_equal(
            model("social-preferences").problem(table).data["counts"],
            model("social-preferences").problem(gifts).data["counts"],
        )
        with pytest.raises(WolvesError, match="no choices of the task 'principal'"):
            model("principal-agent").problem(table)
