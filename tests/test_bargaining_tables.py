"""Responses -> tables: turns, games, advice, readings, what is left out, checks."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from bargaining_chains import (
    FAMILY,
    SPEC,
    asked_and_answered,
    openings,
    spec,
    tables,
)
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.reading import columns
from many_wolves.families.bargaining.reading.moderated import kappa, moderator_notes
from many_wolves.families.bargaining.simulation.answers import Simulated
from many_wolves.families.bargaining.simulation.games import simulate_games
from many_wolves.records import Response

ONE = {"goods": ["balloon"], "roles": ["seller"], "openings": ["both"], "first": ["seller"],
       "groups": ["Plain"], "forms": ["free"], "sample": None}  # fmt: skip


def only(preset="default", **changed):
    """The one opening of a narrowed design."""
    found = openings(preset, **{**ONE, **changed})
    assert len(found) >= 1
    return found[0]


def in_turn(*texts):
    """Says these texts one after the other, the last one on and on."""
    left = list(texts)
    return lambda trial: left.pop(0) if len(left) > 1 else left[0]


class TestGames:
    def test_an_offer_then_a_deal(self):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("How about $17?", "Deal."))
        found = tables(chain)
        turns, games = found.tables["turns"], found.tables["games"]
        assert list(turns["move"]) == ["offer", "accept"]
        assert list(turns["price"]) == [17.0, ""]
        assert list(turns["own_before"]) == [20.0, 17.0]
        assert list(turns["standing"]) == [10.0, games["price"][0]]
        assert turns["conceded"][0] == pytest.approx(0.3)
        (game,) = games.to_dict("records")
        assert game["ended"] == "deal"
        assert game["by"] == "self"
        terms_share = (game["price"] - game["cost"]) / (game["value"] - game["cost"])
        assert game["share"] == pytest.approx(terms_share)
        assert game["payoff"] == game["price"] - game["cost"]
        assert game["last_round"] == 2

    def test_every_column_is_documented_and_there(self):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("$17?", "Deal."))
        found = tables(chain)
        assert list(found.tables["turns"]) == list(columns.TURNS)
        assert list(found.tables["games"]) == list(columns.GAMES)
        assert all(columns.TURNS.values())
        assert all(columns.GAMES.values())

    def test_a_message_that_cannot_be_read_is_counted_and_ends_its_game(self):
        chain = asked_and_answered(
            only(partners=["fixed"]), in_turn("$17?", "Between us, 11, 12 or so and 13 or 14.")
        )
        found = tables(chain)
        (game,) = found.tables["games"].to_dict("records")
        assert found.tables["turns"]["status"].tolist()[-1] == chain[-1].status
        if chain[-1].status == "unparsed":
            assert game["ended"] == "unparsed"
            assert found.excluded["n"].sum() == 1
        assert game["by"] in ("self", "")

    def test_walking_away_pays_the_outside_option(self):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("I am walking away. Goodbye."))
        (game,) = tables(chain).tables["games"].to_dict("records")
        assert game["ended"] == "walked"
        assert game["payoff"] == game["outside"]
        assert game["share"] == ""

    def test_a_chain_goes_on_after_a_failed_turn_and_the_newest_answer_counts(self):
        opening = only(partners=["fixed"])
        chain = asked_and_answered(opening, in_turn("$17?", "Deal."))
        failed = replace(chain[1], status="failed", value=None, text="", error="no reply")
        before = tables([chain[0], failed])
        assert before.tables["games"]["ended"].tolist() == ["unfinished"]
        assert before.tables["games"]["payoff"].tolist() == [""]
        after = tables([chain[0], failed, chain[1]])
        assert after.tables["games"]["ended"].tolist() == ["deal"]
        pd.testing.assert_frame_equal(after.tables["turns"], tables(chain).tables["turns"])

    def test_messages_after_a_missing_answer_are_counted_and_left_out(self, caplog):
        chain = asked_and_answered(
            only(partners=["fixed"]), in_turn("$19?", "$18?", "$17?", "Deal.")
        )
        assert tables(chain).meta["unreached"] == 0
        failed = replace(chain[-1], status="failed", value=None, text="", error="no reply")
        assert tables([*chain[:-1], failed]).meta["unreached"] == 0
        assert "left out" not in caplog.text
        found = tables([chain[0], *chain[2:]])
        assert len(found.tables["turns"]) == 1
        assert found.meta["unreached"] == len(chain) - 2
        assert f"{len(chain) - 2} messages left out" in caplog.text

    def test_the_order_of_responses_within_a_chain_does_not_matter(self):
        opening = only("improvement", partners=["linear"], arms=["none", "ai"])
        say = {"speaker": in_turn("$18?", "Deal."), "critic": in_turn("Hold firm.")}
        chain = asked_and_answered(opening, say, {"speaker": SPEC, "critic": spec("coach")})
        there, back = tables(chain), tables(chain[::-1])
        order = ["branch", "game", "round"]
        for name in ("turns", "games"):
            one, two = (
                t.tables[name].sort_values([c for c in order if c in t.tables[name]])
                .reset_index(drop=True) for t in (there, back)
            )  # fmt: skip
            pd.testing.assert_frame_equal(one, two)


PAIR = {"speaker": spec("one"), "partner": spec("two")}
COACHED = {"speaker": spec("one"), "critic": spec("coach")}


class TestSeats:
    def chain(self):
        opening = only("balloon-2023", games=1, arms=["none"], goods=["balloon"])
        say = {
            "speaker": in_turn("I could do $18.", "$16 then.", "Deal."),
            "partner": in_turn("I offer $12.", "$15 is my offer.", "OK deal!"),
        }
        return asked_and_answered(opening, say, PAIR)

    def test_both_sides_have_their_own_rows(self):
        found = tables(self.chain())
        games = found.tables["games"]
        assert games["speaker"].tolist() == ["simulated/one", "simulated/two"]
        assert games["partner"].tolist() == ["simulated/two", "simulated/one"]
        assert games["role"].tolist() == ["seller", "buyer"]
        assert games["ended"].tolist() == ["deal", "deal"]
        assert sorted(games["by"]) == ["other", "self"]
        assert games["share"].astype(float).sum() == pytest.approx(1)

    def test_a_missing_journal_of_the_partner_is_made_up_from_what_was_heard(self):
        whole = self.chain()
        mine = [r for r in whole if r.speaker.slug == PAIR["speaker"].slug]
        found, both = tables(mine), tables(whole)
        own = both.tables["turns"]
        own = own[own["speaker"] == "simulated/one"].reset_index(drop=True)
        same = [c for c in own if c != "partner"]
        pd.testing.assert_frame_equal(found.tables["turns"][same], own[same])
        assert set(found.tables["turns"]["partner"]) == {"unknown"}
        theirs = [r for r in whole if r.speaker.slug != PAIR["speaker"].slug]
        assert found.meta["unreached"] == tables(theirs).meta["unreached"] == 0

    def test_a_speaker_that_plays_itself_has_two_rows_per_game(self):
        opening = only("balloon-2023", games=1, arms=["none"], goods=["balloon"])
        say = {
            "speaker": in_turn("I could do $18.", "$16 then."),
            "partner": in_turn("I offer $12.", "OK deal!"),
        }
        found = tables(asked_and_answered(opening, say, SPEC))
        games = found.tables["games"]
        assert games["partner"].tolist() == games["speaker"].tolist()
        assert games["seat"].tolist() == ["speaker", "partner"]


class TestAdvice:
    def chain(self, advice="1. Ask for $16 at first. 2. Offer free delivery."):
        opening = only("improvement", partners=["linear"], arms=["none", "constant", "ai"])
        say = {"speaker": in_turn("Deal."), "critic": in_turn(advice)}
        return asked_and_answered(opening, say, COACHED)

    def test_arms_share_the_first_game(self):
        games = tables(self.chain()).tables["games"]
        first = games[games["game"] == 1]
        assert first[["arm", "branch"]].to_numpy().tolist() == [["", 0]]
        later = games[games["game"] > 1]
        assert later["arm"].value_counts().to_dict() == {"none": 4, "constant": 4, "ai": 4}

    def test_advice_is_kept_with_what_it_must_not_name(self):
        feedback = tables(self.chain()).tables["feedback"]
        assert list(feedback) == list(columns.FEEDBACK)
        assert feedback["game"].tolist() == [2, 3, 4, 5]
        assert set(feedback["critic"]) == {"simulated/coach"}
        assert set(feedback["names_price"]) == {"yes"}
        assert set(feedback["names_extras"]) == {"yes"}
        plain = tables(self.chain("1. Wait. 2. Smile.")).tables["feedback"]
        assert set(plain["names_price"]) == set(plain["names_extras"]) == {"no"}

    def test_no_critic_is_asked_twice_for_the_same_advice(self):
        chain = self.chain()
        critics = [r for r in chain if r.cell["kind"] == "critic"]
        assert len(critics) == len({r.turn for r in critics}) == 4


class TestReadings:
    def test_a_moderator_reads_beside_the_rules(self):
        opening = only(partners=["fixed"], moderator=1.0)
        say = {
            "speaker": in_turn("$17?", "Deal."),
            "moderator": in_turn(
                '{"state": "open", "price": null, "closed_by": null}',
                '{"state": "open", "price": null, "closed_by": null}',
                '{"state": "deal", "price": 12, "closed_by": "seller"}',
            ),
        }
        found = tables(asked_and_answered(opening, say, {"speaker": SPEC, "moderator": spec("m")}))
        readings = found.tables["readings"]
        assert list(readings) == list(columns.READINGS)
        assert readings["rules_state"].tolist() == ["open", "open", "deal"]
        assert readings["moderator_state"].tolist() == ["open", "open", "deal"]
        assert readings["moderator_price"].tolist()[-1] == 12

    def test_the_rules_decide_unless_the_design_says_otherwise(self):
        say = {
            "speaker": in_turn("$17?", "Deal."),
            "moderator": in_turn('{"state": "left", "price": null, "closed_by": "buyer"}'),
        }
        specs = {"speaker": SPEC, "moderator": spec("m")}
        rules = tables(asked_and_answered(only(partners=["fixed"], moderator=1.0), say, specs))
        assert rules.tables["games"]["ended"].tolist() == ["deal"]
        say["speaker"] = in_turn("$17?", "Deal.")
        word = only(partners=["fixed"], moderator=1.0, moderator_decides=True)
        decided = tables(asked_and_answered(word, say, specs))
        assert decided.tables["games"]["ended"].tolist() == ["walked"]


class TestProbes:
    def test_the_menu_with_its_odds_stands_in_the_table(self):
        opening = only("values", partners=["told"], openings=["none"])
        chain = asked_and_answered(opening, lambda trial: trial.options[2].text)
        (turn,) = tables(chain).tables["turns"].to_dict("records")
        pairs = [pair.split(":") for pair in turn["menu"].split()]
        assert len(pairs) == len(chain[0].options)
        assert turn["form"] == "option"
        assert float(pairs[2][0]) == turn["price"]
        assert 0 < float(pairs[-1][1]) <= 1

    def test_a_last_offer_is_taken_or_left(self):
        opening = only("values", partners=["below"], openings=["none"])
        for number, ended in ((0, "deal"), (1, "walked")):
            chain = asked_and_answered(opening, lambda trial, n=number: trial.options[n].text)
            (game,) = tables(chain).tables["games"].to_dict("records")
            assert game["ended"] == ended


class TestReplies:
    def trials(self, **changed):
        design = FAMILY.design("haggle-words").read(changed)
        return list(FAMILY.compile("haggle-words", design).trials)

    def answered(self, trials, pick, replicate=0):
        from many_wolves.records.response import blank_response

        return [
            blank_response(trial, SPEC, replicate, "answered", value=pick(trial))
            for trial in trials
        ]

    def test_choices_are_counted_with_their_prices_and_tones(self):
        trials = self.trials()
        found = tables(self.answered(trials, lambda trial: trial.options[0].id))
        rows = found.rows
        assert found.main == "replies"
        assert list(rows) == list(columns.WORDS)
        assert rows["count"].sum() == len(trials)
        assert set(rows["tone"]) <= {"kind", "plain", "cold"}
        taken = rows[rows["accepts"] == 1]
        assert (taken["demand"] == taken["offered"]).all()

    def test_a_simulated_speaker_gives_expected_counts(self):
        player = Simulated({"words": {"own": 0.6, "deal": 0.1, "kind": 0.3}})
        trials = self.trials(sample=4)
        for trial in trials:
            p = player.probabilities(trial)
            assert p.sum() == pytest.approx(1)
            assert p.size == len(trial.options) == 9

    def test_who_names_no_reply_is_left_out_and_counted(self):
        from many_wolves.records.response import blank_response

        trials = self.trials(sample=3)
        good = self.answered(trials[:2], lambda trial: trial.options[1].id)
        bad = blank_response(trials[2], SPEC, 0, "unparsed", text="Who knows.")
        found = tables(good, [bad])
        assert found.rows["count"].sum() == 2
        assert found.excluded["n"].tolist() == [1]
        assert found.excluded["example"].tolist() == ["Who knows."]


class TestChecks:
    def check(self, found, name):
        return {c.name: c for c in found.checks}[name]

    def simulated(self, player, preset="default", **changed):
        from many_wolves.families.bargaining.reading.checks import check_speaker

        observations = simulate_games(openings(preset, **changed), player)
        return {c.name: c for c in check_speaker("simulated", observations.tables)}

    def test_a_player_with_values_keeps_its_role_and_its_limit(self):
        found = self.simulated({"values": {"own": 0.8, "fair": 0.15, "deal": 0.05}}, sample=120)
        assert found["role"].ok
        assert found["readable"].ok
        assert found["own limit"].ok
        assert found["follows its limit"].ok

    def test_unread_messages_are_seen(self):
        found = self.simulated({"concession": {"opening": 0.9}, "refuses": 0.4}, sample=60)
        assert not found["readable"].ok

    def test_a_player_that_names_one_price_whatever_its_limit_is_seen(self):
        observations = simulate_games(
            openings("default", sample=160), {"concession": {"opening": 0.9}}
        )
        turns = observations.tables["turns"].copy()
        offer = turns["move"] == "offer"
        ask, bid = turns["ask"].astype(float), turns["bid"].astype(float)
        turns.loc[offer, "price"] = ((ask + bid) / 2)[offer]
        turns.loc[~offer, "move"] = "talk"
        from many_wolves.families.bargaining.reading.checks import check_speaker

        found = {
            c.name: c
            for c in check_speaker(
                "simulated", {"turns": turns, "games": observations.tables["games"]}
            )
        }
        assert not found["follows its limit"].ok


class TestModerator:
    def test_kappa_is_that_of_cohen(self):
        # Cohen (1960): agreement .6 where chance gives .5 x .5 + .5 x .5.
        one = ["deal"] * 5 + ["open"] * 5
        two = ["deal"] * 3 + ["open"] * 5 + ["deal"] * 2
        assert kappa(one, two) == pytest.approx((0.6 - 0.5) / 0.5)
        assert pd.isna(kappa(["open"], ["open"]))

    def test_agreement_with_the_rules_is_a_note_for_each_form(self):
        rows = [
            ("free", "open", "", "open", ""),
            ("free", "deal", 15.0, "deal", 15.0),
            ("free", "deal", 15.0, "deal", 16.0),
            ("free", "open", "", "", ""),
            ("json", "open", "", "open", ""),
        ]
        shown = ["form", "rules_state", "rules_price", "moderator_state", "moderator_price"]
        readings = pd.DataFrame(rows, columns=shown).assign(speaker="a", moderator="m")
        free, structured = moderator_notes("a", readings)
        assert free.note and free.ok
        assert free.statistic == 1.0
        assert "3 of 3 states as m does (kappa 1.00)" in free.statement
        assert "1 of 2 prices" in free.statement
        assert "could not be read: 1" in free.statement
        assert "undefined" in structured.statement
        assert moderator_notes("b", readings) == []


@pytest.mark.parametrize(
    ("factor", "value", "words"),
    [
        ("ask", None, "lacks the factor ask"),
        ("group", None, "lacks the factor group"),
        ("rounds", "x", "not as it was written"),
        ("rounds", 1e9, "not as it was written"),
        ("arms", "", "not as it was written"),
        ("rule", "3", "not as it was written"),
    ],
)
def test_an_altered_cell_is_named(factor, value, words):
    chain = asked_and_answered(only(partners=["fixed"]), in_turn("How about $17?", "Deal."))
    altered = []
    for response in chain:
        record = json.loads(json.dumps(response.to_json()))
        if value is None:
            del record["cell"][factor]
        else:
            record["cell"][factor] = value
        altered.append(Response.from_json(record))
    with pytest.raises(WolvesError, match=words):
        tables(altered)
