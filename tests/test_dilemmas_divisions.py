"""Divisions of a stake without Stan: preferences, tables, what own gifts say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from game_tables import model
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.divisions import Question, read_divisions
from many_wolves.families.dilemmas.model.preferences import (
    INDIFFERENT,
    Preference,
    from_coordinates,
    log_choice,
    utility,
)
from many_wolves.families.dilemmas.model.social_estimates import estimates
from many_wolves.families.dilemmas.model.social_plan import Plan as SocialPlan
from many_wolves.observations import Observations
from many_wolves.workflows.data import load


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
        raw = gifts.rows.rename(columns={"given": "give", "speaker": "model"})
        index = raw.pop("participant").astype(int) - 1
        raw = raw.assign(prompt_index=index).drop(columns="endowment")
        raw["adjective"] = raw["adjective"].where(raw["adjective"] != "none", "")
        raw.to_csv(tmp_path / "gifts.csv", index=False)
        found = read_divisions(load(tmp_path / "gifts.csv", "dictator"))
        again = read_divisions(gifts)
        np.testing.assert_array_equal(found.counts, again.counts)
        assert "4 dollars are assumed" in found.notes[0] and len(found.levels.participants) == 45

    def test_envy_is_said_to_be_open_and_rejections_close_it(self, gifts):
        social = model("social-preferences")
        assert any("not identify envy" in n for n in social.problem(gifts).notes)
        assert any("not identify sigma" in n
                   for n in social.problem(gifts, form="charness-rabin").notes)  # fmt: skip
        rows = [
            {"speaker": "s", "group": "g", "participant": "1", "part": "replies", "endowment": 10,
             "offer": offer, "accepted": accepted, "count": 5}
            for offer, accepted in ((1, 0), (3, 0), (3, 1), (5, 1))
        ]  # fmt: skip
        replies = Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={"task": "ultimatum"})
        told = social.problem(replies).notes
        assert not any("envy" in n for n in told)
        all_taken = Observations.from_rows(
            "dilemmas", pd.DataFrame(rows).assign(accepted=1), meta={"task": "ultimatum"}
        )
        assert any("None of 15 unequal offers" in n for n in social.problem(all_taken).notes)

    def test_an_ultimatum_is_read_from_files_side_by_side(self, tmp_path):
        columns = "model,group,participant,partner,game,round,endowment,offer,accepted\n"
        (tmp_path / "offers.csv").write_text(columns + "m,g,1,p,0,1,10,4,\nm,g,1,p,0,3,10,5,1\n")
        (tmp_path / "replies.csv").write_text(columns + "m,g,1,p,0,2,10,2,0\n")
        found = read_divisions(load(tmp_path / "offers.csv", "ultimatum"))
        assert {q.part for q in found.questions} == {"offers", "replies"}
        assert found.counts.sum() == 3
        cells = {q.name: counts.tolist() for _, q, counts in found.cells()}
        assert cells["offered 2 of 10"] == [1, 0]
        assert cells["offer of 10"] == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ({"given": 5}, "within the stake of 4 dollars"),
            ({"given": "much"}, "expected a number"),
            ({"count": -1}, "expected a number"),
        ],
    )
    def test_a_bad_row_is_named(self, row, words):
        good = {"speaker": "s", "group": "g", "participant": 1, "endowment": 4, "given": 2,
                "count": 3}  # fmt: skip
        frame = pd.DataFrame([good, good | row])
        with pytest.raises(WolvesError, match=words) as caught:
            read_divisions(Observations.from_rows("dilemmas", frame))
        assert caught.value.line == 3


class TestWhatOwnGiftsSay:
    @pytest.mark.parametrize("form", ["fehr-schmidt", "charness-rabin", "ces"])
    def test_many_gifts_tell_the_coordinate(self, form):
        # Near indifference, where gifts of all kinds are made; a precision that is tried.
        coordinates, precision = INDIFFERENT.get(form, 0.0) + np.array([-0.2, 0, 0.2]), 0.75
        amounts = (0.0, 1.0, 2.0, 3.0, 4.0)
        rows = []
        for c in coordinates:
            who = from_coordinates(form, np.array([c, 0.0, precision]), 4.0)
            expected = 1000 * np.exp(log_choice(who, Question("gifts", 4.0, np.nan, amounts)))
            rows += [
                {"speaker": "s", "group": "g", "participant": f"{c}", "given": a, "count": n}
                for a, n in zip(amounts, expected, strict=True)
            ]
        found = read_divisions(Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={}))
        estimate, information = estimates(found, SocialPlan.of(form))
        told = np.array([float(name) for _, name in found.levels.participants])
        unit = 1.0
        if form in INDIFFERENT:
            unit = np.exp(1.5 * precision)
            told = (told - INDIFFERENT[form]) * unit
        np.testing.assert_allclose(estimate, told, atol=0.02 * unit, rtol=0.25)
        assert (information * unit**2 > 10).all()

    def test_who_was_not_asked_gives_nothing_away(self, gifts):
        found = read_divisions(gifts)
        silent = replace(found, counts=np.zeros_like(found.counts))
        assert not estimates(silent, SocialPlan.of())[1].any()
        assert not estimates(found, SocialPlan.of("selfish"))[1].any()
        assert estimates(found, SocialPlan.of())[1].any()
