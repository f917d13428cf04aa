"""The search for rules: objectives, the file, the front, the run with fresh seeds."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from api_speakers import give_keys
from fault_server import FaultServer
from many_wolves import cli
from many_wolves.families.markets.learning.agents import cast_of
from many_wolves.families.markets.reporting.measures import gini
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.search.objectives import (
    estimate,
    of_session,
    played_values,
    table_values,
    welfare,
)
from many_wolves.families.markets.search.options import RuleSearch
from many_wolves.families.markets.search.search import changed, finalists, parameter
from many_wolves.families.markets.simulation.agents import LowBaller
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.simulation.tables import tables_of
from many_wolves.worlds.random_forms import random_form

QUICK = {"rounds": 1, "practice": False, "ticks": 0}
SEARCH = {
    "search": {"final_tax": [0.1, 0.6], "speculators": [1, 4]},
    "objectives": ["revenue", "worst_case"],
    "rules": "rules.yaml",
    "cast": {"owner": "low.json", "speculator": {"strategy": "logit_buyer"}},
    "exploiters": {"buyer": {"role": "speculator", "player": {"strategy": "exploiter"}}},
    "trials": 5,
    "sessions": 3,
    "finalists": 2,
    "fresh_sessions": 4,
}


def wolves(*words, status=0):
    assert cli.run(cli.wolves, [str(word) for word in words]) == status


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    low = {"model_type": "simulated", "parameters": {"strategy": "low_baller"}}
    (tmp_path / "low.json").write_text(json.dumps(low))
    (tmp_path / "rules.yaml").write_text("ticks: 0\n")
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(SEARCH))
    return tmp_path


def test_welfare_is_the_mean_weighted_by_equality_also_for_negative_payoffs():
    x = np.array([3.0, 8.0, 1.0, 20.0])
    assert welfare(x) == pytest.approx(x.mean() * (1 - gini(x)))
    pairs = np.minimum.outer(x - 5, x - 5)
    assert welfare(x - 5) == pytest.approx(pairs.mean())
    assert welfare([7.0] * 3) == pytest.approx(7.0)


def test_objectives_of_a_session_are_those_of_its_table():
    rules = Rules.lab("harberger", **QUICK)
    seated = seat_players(rules, cast_of({"owner": [{"strategy": "low_baller"}]}))
    sessions = {str(seed): play_session(rules, seated, seed) for seed in (1, 2, 3)}
    records = {name: session.record() for name, session in sessions.items()}
    table = tables_of(records, "x").tables["payoffs"]
    found = table_values(table)
    for name in ("efficiency", "revenue", "welfare"):
        expected = [of_session(session)[name] for session in sessions.values()]
        assert found[name] == pytest.approx(expected)
    low, high = estimate(found["revenue"])[1:]
    assert low < found["revenue"].mean() < high


def test_the_worst_case_is_no_better_than_without_exploiters():
    rules = Rules.lab("harberger", **QUICK)
    cast = cast_of({role: [{"strategy": "low_baller"}] for role in ("owner", "developer")})
    exploiters = {
        "buyer": ("speculator", player("exploiter", {"markup": -0.3})),
        "owner": ("owner", LowBaller(factor=0.1)),
    }
    with_them = played_values(rules, cast, exploiters, range(1, 6))
    without = played_values(rules, cast, {}, range(1, 6))
    assert with_them["worst_case"].mean() < without["worst_case"].mean()
    assert without["worst_case"] == pytest.approx(without["welfare"])


def test_parameters_change_the_rules_and_are_read_back():
    rules = Rules.lab("harberger")
    point = {"final_tax": 0.5, "signal_error": 0.1, "speculators": 3, "ticks": 7}
    new = changed(rules, {"mechanism": "harberger", **point})
    assert {name: parameter(new, name) for name in point} == pytest.approx(point)
    assert len(new.speculators) == 3
    assert parameter(rules, "signal_error") == pytest.approx(0.05)


def test_a_long_front_is_thinned_evenly():
    options = RuleSearch.read({"search": {"final_tax": [0, 1]}, "finalists": 3})
    trials = pd.DataFrame(
        {
            "trial": range(6),
            "mechanism": "harberger",
            "final_tax": np.linspace(0, 1, 6),
            "efficiency": np.linspace(0, 1, 6),
            "pareto": [True] * 5 + [False],
        }
    )
    assert [row["trial"] for row in finalists(options, trials)] == [4, 2, 0]


def test_a_search_goes_on_and_reports_the_front_with_fresh_seeds(folder, capsys, monkeypatch):
    pytest.importorskip("optuna", reason="needs the extra `rules`")
    from many_wolves.families.markets.search import search

    whole, done = search.Searched.values, []

    def interrupted(self, point, fresh=False):
        done.append(point)
        if len(done) == 3:
            raise KeyboardInterrupt
        return whole(self, point, fresh)

    monkeypatch.setattr(search.Searched, "values", interrupted)
    wolves("design-rules", "s.yaml", status=130)
    monkeypatch.setattr(search.Searched, "values", whole)
    wolves("design-rules", "s.yaml")
    out = capsys.readouterr().out
    assert "With fresh seeds" in out
    trials = pd.read_csv(folder / "rules/s/trials.csv")
    assert len(trials) == 5
    assert trials["final_tax"].iloc[0] == pytest.approx(0.33), "the published rules come first"
    assert trials["final_tax"].between(0.1, 0.6).all()
    front = trials[trials["pareto"]]
    for _, one in front.iterrows():
        better = (trials["revenue"] > one["revenue"]) & (trials["worst_case"] > one["worst_case"])
        assert not better.any()
    table = pd.read_csv(folder / "rules/s/pareto.csv")
    assert table["rules"].iloc[0] == "published harberger"
    assert table["gain_revenue"].iloc[0] == 0
    assert (table["fresh_revenue_low"] < table["fresh_revenue"]).all()
    searched = front.set_index(front["trial"].astype(str))["revenue"]
    for name, row in table.iloc[1:].set_index("rules").iterrows():
        assert row["revenue"] == pytest.approx(searched[name])
        assert row["fresh_revenue"] != row["revenue"], "fresh seeds are other sessions"
        rules = yaml.safe_load((folder / f"rules/s/rules-{name}.yaml").read_text())
        assert rules.get("final_tax", 0.33) == pytest.approx(row["final_tax"])
    before = (folder / "rules/s/pareto.csv").read_text()
    wolves("design-rules", "s.yaml")
    assert (folder / "rules/s/pareto.csv").read_text() == before


def test_other_speakers_play_the_best_rules(folder):
    """Models take the same road: speakers of `wolves collect` by role."""
    pytest.importorskip("optuna", reason="needs the extra `rules`")
    owner = {"model_type": "simulated", "model_name": "m", "parameters": {"strategy": "truthful"}}
    (folder / "m.json").write_text(json.dumps(owner))
    more = {"models": {"owner": "m.json"}, "objectives": ["revenue"], "finalists": 1, "trials": 2}
    (folder / "s.yaml").write_text(yaml.safe_dump({**SEARCH, **more}))
    wolves("design-rules", "s.yaml", "--max-cost", "1")
    table = pd.read_csv(folder / "rules/s/models.csv")
    assert list(table["sessions"]) == [3] * len(table)
    assert (table["revenue"] > 0).all()
    answers = pd.read_csv(folder / "rules/s/models/rules-published-harberger/tables/payoffs.csv")
    assert set(answers.loc[answers["role"] == "owner", "speaker"].str.contains("m")) == {True}


def test_language_models_play_the_best_rules_within_the_maximum_cost(folder, monkeypatch, capsys):
    """Two speakers of a compatible server; a call costs 0.17 dollars (100 tokens in, 7 out)."""
    pytest.importorskip("optuna", reason="needs the extra `rules`")
    give_keys(monkeypatch)
    (folder / "p.yaml").write_text("models:\n  openai-compatible/*: {input: 1000, output: 10000}\n")
    rng = np.random.default_rng(1)
    with FaultServer() as server:
        server.answer = lambda body: json.dumps(
            random_form(body["response_format"]["json_schema"]["schema"], rng)
        )
        for name, temperature in (("a", 0.5), ("b", 1.0)):
            speaker = {"provider": "openai-compatible", "model": "tester", "prices": "p.yaml"}
            speaker |= {"base_url": server.url + "/v1", "max_tokens": 40}
            speaker["temperature"] = temperature
            (folder / f"{name}.json").write_text(json.dumps(speaker))
        models = {"owner": "a.json", "speculator": "b.json"}
        more = {"models": models, "objectives": ["revenue"], "finalists": 1, "trials": 2}
        (folder / "s.yaml").write_text(yaml.safe_dump({**SEARCH, **more}))
        wolves("design-rules", "s.yaml", "--max-cost", "16")
        assert 10 < len(server.calls) <= 16 / 0.17
        # Two sets of rules and two speakers have a quarter each.
        err = capsys.readouterr().err
        assert "the next request could exceed the limit of 4.0" in err
        assert err.count("--final-tax") == 1, "a note on each of two sets of rules"
        first = pd.read_csv(folder / "rules/s/models.csv")
        assert set(first["sessions"]) == {0}, "a session that the limit stopped is no result"
        wolves("design-rules", "s.yaml", "--max-cost", "1000")
        asked = [json.dumps(call["body"], sort_keys=True) for call in server.calls]
    table = pd.read_csv(folder / "rules/s/models.csv")
    assert list(table["sessions"]) == [3] * len(table)
    assert table["revenue"].notna().all()
    buyers = pd.read_csv(folder / "rules/s/pareto.csv")["speculators"]
    assert len(asked) == 3 * 2 * (5 + buyers).sum(), "no question is asked twice"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"search": {"tax": [0, 1]}}, "unknown parameter 'tax'"),
        ({"search": {"final_tax": [0.6, 0.1]}}, "expected a range within 0 to 1"),
        ({"search": {}}, "expected a parameter"),
        ({"objectives": ["wealth"]}, "unknown objective 'wealth'"),
        ({"mechanism": "voting"}, "unknown mechanism 'voting'"),
        ({"exploiters": {}}, "worst_case needs exploiters"),
        ({"cast": {"boss": "low.json"}}, "unknown role 'boss'"),
        ({"cast": {"owner": "none.json"}}, "none.json"),
        ({"cast": {"owner": {"strategy": "greedy"}}}, "expected one of truthful"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_any_trial(change, expected, folder, capsys):
    (folder / "s.yaml").write_text(yaml.safe_dump({**SEARCH, **change}))
    wolves("design-rules", "s.yaml", status=2)
    assert expected in capsys.readouterr().err
    assert not list(folder.glob("rules/s/trials*"))
