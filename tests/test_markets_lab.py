"""The lab's data form, both ways: its server's files are read, ours are read by the same reader."""

import json
from pathlib import Path

import pytest

from lab_data import to_lab
from many_wolves.errors import WolvesError
from many_wolves.families.markets.engines.lab_parameters import lab_parameters
from many_wolves.families.markets.reading.lab import (
    record_from_lab,
    rules_from_lab,
    stage_of,
)
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.play import stages
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.rules.tables import TABLES, table_rows
from many_wolves.families.markets.simulation.agents import Exploiter, LowBaller, ZeroIntelligence
from many_wolves.families.markets.simulation.play import play_session, seat_players

FILES = Path(__file__).parent / "files"
MECHANISMS = ("harberger", "futarchy", "voting")
CAST = {
    "owner": [ZeroIntelligence(), LowBaller()],
    "developer": [ZeroIntelligence()],
    "speculator": [ZeroIntelligence(), Exploiter(markup=-0.3)],
}


def server_file(mechanism):
    """What the lab's server gave for a game that was played on it for these tests."""
    return json.loads((FILES / f"ibex_data_{mechanism}.json").read_text())


def played(mechanism, seed=4, **changes):
    rules = Rules.lab(mechanism, rounds=2, **changes)
    return play_session(rules, seat_players(rules, CAST), seed).record()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_file_of_the_server_is_read_and_its_payoffs_follow_from_its_moves(mechanism):
    data = server_file(mechanism)
    record = record_from_lab(data)
    (round_,) = record.rounds
    assert record.rules.mechanism == mechanism
    for reward in data["rewards"]:
        seat = reward["number"]
        assert round_.accounts[seat].payoff == pytest.approx(reward["profit"])
        assert record.rewards[seat] == pytest.approx(reward["reward"])
        assert record.rules.reward(seat, round_.accounts[seat].payoff) == pytest.approx(
            reward["reward"]
        )
    if mechanism == "harberger":
        assert round_.first_buys == {4: ((1,), ()), 5: ((1,), ())}
        (event,) = round_.orders
        assert (event.seat, event.action, event.price, event.status) == (1, "ask", 5000, "rested")
        assert event.seconds == pytest.approx(0.63, abs=0.01)
    for name in TABLES:
        for row in table_rows(name, "lab", record):
            assert len(row) == len(TABLES[name])


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_our_sessions_come_back_from_the_lab_s_form_as_they_were(mechanism):
    record = played(mechanism, **({} if mechanism == "voting" else {"ticks": 6, "talk": 1}))
    if mechanism != "voting":
        assert sum(len(m.trades) for r in record.rounds for m in r.markets.values()) > 3
    again = record_from_lab(json.loads(json.dumps(to_lab(record))))
    assert again == record


def test_seats_that_did_not_answer_come_back_as_such():
    rules = Rules.lab("harberger", rounds=1, ticks=1, practice=False)
    session = Session.begin(rules, draw(rules, 1), 1)
    while not session.over:
        session = session.step({})
    record = session.record()
    again = record_from_lab(json.loads(json.dumps(to_lab(record))))
    assert again.rounds[0].defaulted["first_declaration"] == (1, 2, 3, 4, 5, 6)
    assert again == record


def test_nothing_that_identifies_or_lets_in_is_in_the_form():
    text = json.dumps(to_lab(played("harberger", ticks=2)))
    assert "recovery" not in text
    assert "paymentToken" not in text


def test_a_file_whose_payoffs_do_not_follow_is_refused():
    data = server_file("harberger")
    data["rewards"][0]["profit"] += 1
    with pytest.raises(WolvesError, match="its moves give"):
        record_from_lab(data)
    with pytest.raises(WolvesError, match="expected the parameters"):
        record_from_lab({"results": []})


def test_parameters_go_to_the_server_and_come_back():
    rules = Rules.lab("futarchy", rounds=3)
    sent = lab_parameters(rules, {2: None, 6: 30}, 4, "a 'title'")
    assert "'" not in sent["title"]
    assert sent["timers"]["phase_6"] == 30
    assert sent["timers"]["phase_2"] is None
    flat = to_lab(played("futarchy"))["parameters"]
    assert rules_from_lab(flat).to_json()["owner"] == rules.to_json()["owner"]
    with pytest.raises(WolvesError, match="trade_fee"):
        lab_parameters(Rules.lab(trade_fee=1.0), {}, 1, "x")
    with pytest.raises(WolvesError, match="whole percents"):
        lab_parameters(Rules.lab(final_tax=0.335), {}, 1, "x")
    with pytest.raises(WolvesError, match="show_up_fee \\(whole numbers\\)"):
        lab_parameters(Rules.lab(show_up_fee=2.5), {}, 1, "x")


def test_phases_of_the_server_are_stages_of_the_rules():
    rules = Rules.lab("harberger")
    named = [stage_of(rules, phase) for phase in range(10)]
    assert [stage for stage in named if stage] == stages(rules)[:-1]
    voting = Rules.lab("voting")
    assert [s for s in (stage_of(voting, p) for p in range(8)) if s] == stages(voting)[:-1]
