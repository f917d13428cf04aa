"""What a seat of the spatial planning experiment sees, and what it does not."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

from many_wolves.families.markets.rules.actions import form
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.play import open_round, play
from many_wolves.families.markets.rules.session import Session, SessionRecord
from many_wolves.families.markets.rules.view import View, view
from many_wolves.families.markets.rules.words import as_html, as_text, instructions, page
from many_wolves.families.markets.task.wording import read_wording
from planning_sessions import MECHANISMS, session

WORDING = read_wording()


def walk(now):
    """Every state of a session that a seeded generator plays."""
    from random import Random

    random = Random(3)
    while True:
        yield now
        if now.over:
            return
        now = now.step({s: anything(now, s, random) for s in now.acting})


def anything(now, seat, random):
    fields = form(now.rules, now.present, seat)["properties"]
    if "action" in fields:
        kind = random.choice(fields["action"]["enum"])
        market_ = random.choice(["project", "no_project"])
        action = {"action": kind, "price": random.randint(4_000, 9_000), "order": 1}
        return action | ({"market": market_} if "market" in fields else {})
    made = {}
    for name, limits in fields.items():
        if limits["type"] == "number":
            made[name] = float(random.randint(100_000, 400_000))
        elif limits["type"] == "array":
            made[name] = random.sample(range(1, 7), 2) if "lots" in name else []
        else:
            made[name] = random.choice(limits.get("enum", ["hello"]))
    return made


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_no_page_shows_a_value_or_a_signal_of_another_seat(mechanism):
    """Each secret is a number that nothing else in the session equals."""
    rules = Rules.lab(mechanism, ticks=3, rounds=1, practice=False)
    draws = draw(rules, 5)
    secret = {
        seat: tuple(100_000 + 1_000 * seat + 777 + c for c in (0, 1)) for seat in rules.landowners
    }
    signals = {seat: (3_000 + seat * 10 + 1, 3_000 + seat * 10 + 2) for seat in rules.seats}
    draws = replace(draws, values={1: secret}, signals={1: signals})
    for now in walk(Session.begin(rules, draws, 1)):
        for seat in rules.seats:
            seen = view(rules, now.present, seat)
            text = as_text(page(WORDING, rules, seen)) + json.dumps(seen.to_json())
            text = text.replace(",", "")
            for other in rules.seats:
                if other == seat:
                    continue
                for number in (*secret.get(other, ()), *signals[other]):
                    assert str(int(number)) not in text, (seat, other, now.present.stage)
            if seat in secret and now.present.stage != "results":
                assert str(secret[seat][0]) in text


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_views_records_and_rules_survive_json(mechanism):
    rules = Rules.lab(mechanism, ticks=4, rounds=1)
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))) == rules
    for now in walk(Session.begin(rules, draw(rules, 2), 2)):
        record = now.record()
        assert SessionRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
        for seat in now.acting:
            seen = now.view(seat)
            assert View.from_json(json.loads(json.dumps(seen.to_json()))) == seen


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_page_has_words_for_everyone(mechanism):
    rules = Rules.lab(mechanism, ticks=2, rounds=1, talk=1, trade_fee=3)
    for seat in rules.seats:
        text = as_text(instructions(WORDING, rules, seat))
        assert "{" not in text
        assert rules.name(seat) in text
    for now in walk(Session.begin(rules, draw(rules, 2), 2)):
        for seat in rules.seats:
            blocks = page(WORDING, rules, now.view(seat))
            assert "{" not in as_text(blocks)
            assert as_html(blocks).startswith("<p>")


def test_buyers_see_where_a_declaration_lies_in_its_range_and_owners_do_not():
    now = session().step({1: {"no_project": 475_000, "project": 250_000}})
    seen = as_text(page(WORDING, now.rules, now.view(7)))
    assert "475,000 | 50 %" in seen or "250,000 | 50 %" in seen
    assert "share of the range" not in as_text(page(WORDING, now.rules, now.view(3)))


def test_the_rules_import_nothing_but_the_standard_library():
    import sys

    from many_wolves.families.markets import rules

    for path in Path(rules.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or node.module.split(".")[0] in sys.stdlib_module_names
            if isinstance(node, ast.Import):
                assert all(a.name.split(".")[0] in sys.stdlib_module_names for a in node.names)


def test_play_reaches_the_end_of_a_round_by_itself():
    rules = Rules.lab("harberger", ticks=1)
    round_ = open_round(rules, draw(rules, 1), 1)
    while round_.stage != "results":
        round_ = play(rules, round_, {}, 0)
    with pytest.raises(ValueError, match="over"):
        play(rules, round_, {}, 0)
    assert 0 < round_.efficiency <= 1
