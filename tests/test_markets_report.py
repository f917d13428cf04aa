"""Measures, lines, figures and tables of sessions in the reports of markets."""

import math

import numpy as np
import pandas as pd
import pytest

from many_wolves import families
from many_wolves.families.markets.reporting import measures
from many_wolves.families.markets.reporting.kept import designs_of, sessions_of
from many_wolves.families.markets.reporting.lines import (
    expected_declarations,
    expected_turnover,
    scripted,
)
from many_wolves.families.markets.rules.parameters import ROLES
from many_wolves.report import write_fit_report
from market_fits import fitted
from market_sessions import played

MODELS = ("declared-value", "purchases", "quotes", "ewa")


@pytest.fixture(scope="module")
def table():
    return played(3, rounds=2, practice=False, ticks=6)


@pytest.fixture(scope="module")
def fit(table, tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("markets") / "fit", "declared-value", table)


def truthful(**rules):
    return played(3, agent="truthful", rounds=2, practice=False, ticks=6, **rules)


# Measures


@pytest.mark.parametrize(
    ("values", "expected"),
    [([2, 2, 2], 0), ([0, 0, 0, 8], 3 / 4), ([1, 3], 1 / 4), ([1, 2, 3, 4], 1 / 4)],
)
def test_the_gini_coefficient_agrees_with_its_definition(values, expected):
    x = np.array(values, float)
    pairs = np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())
    assert measures.gini(values) == pytest.approx(pairs)
    assert measures.gini(values) == pytest.approx(expected)


def test_inequality_of_losses_and_of_nothing_is_not_stated():
    assert math.isnan(measures.gini([-1, 2]))
    assert math.isnan(measures.gini([0, 0]))
    assert math.isnan(measures.gini([]))


def test_intervals_are_over_sessions_not_over_rounds():
    rng = np.random.default_rng(1)
    holds = []
    for _ in range(300):
        sessions = rng.normal(size=6)
        frame = pd.DataFrame({"session": np.repeat(range(6), 20), "x": np.repeat(sessions, 20)})
        mean, low, high = measures.mean_over_sessions(frame, "x")
        assert mean == pytest.approx(sessions.mean())
        holds.append(low <= 0 <= high)
    assert 0.91 < np.mean(holds) < 0.985
    two = pd.DataFrame({"session": [0, 1], "x": [1.0, 3.0]})
    mean, low, high = measures.mean_over_sessions(two, "x")
    assert (mean, math.isnan(low), math.isnan(high)) == (2.0, True, True)


def kept(table):
    """Tables as a report sees them, with a fit's round trip through numbers and back."""
    from many_wolves.families.markets.model.sessions import kept_sessions
    from many_wolves.families.markets.reporting.kept import decoded

    coords, observed = kept_sessions(table)
    return {
        name: decoded(values, coords[f"{name}_column"])
        for name, (_, values) in observed.items()
        if name != "sessions"
    }


def test_truthful_sessions_measure_as_theory_says():
    tables = kept(truthful())
    markups = measures.markups(tables)
    assert (markups[["mean", "over", "under"]] == 0).all().all()
    assert set(markups["stage"]) == {"first", "final"}
    assert measures.rounds(tables)["efficiency"].eq(1).all()
    turnover = measures.turnover(tables)
    assert (turnover["bought"] == 0).all(), "truthful players buy nothing"
    at = turnover.groupby("role")["truthful"].mean()
    assert at["owner"] == pytest.approx(0.62, abs=0.03)
    assert at["developer"] == pytest.approx(0.46, abs=0.06)
    prices = measures.price_paths(tables)
    assert prices["ratio"].median() == pytest.approx(1, abs=0.03)


def test_sessions_come_through_a_fit_as_they_were(table, fit):
    tables = sessions_of(fit)
    declared = table.tables["declarations"]
    found = tables["declarations"]
    assert found["role"].tolist() == declared["role"].tolist()
    assert found["stage"].tolist() == declared["stage"].tolist()
    assert found["declared"].to_numpy() == pytest.approx(declared["declared"].to_numpy(float))
    paid = table.tables["payoffs"].groupby("role")["euro"].mean()
    shown = measures.payoffs(tables, ROLES).set_index("role")["mean"]
    for role in ROLES:
        assert shown[role] == pytest.approx(paid[role])
    worth = table.tables["payoffs"].drop_duplicates(["session", "round"])
    trades = table.tables["trades"].merge(worth, on=["session", "round", "condition"])
    ratio = (trades["price"] / trades["share_price"]).mean()
    assert measures.price_paths(tables)["ratio"].mean() == pytest.approx(ratio)
    (design,) = designs_of(fit)
    assert '"final_tax": 0.33' in design


def test_a_session_of_another_speaker_is_no_session_of_this_one(table):
    other = truthful()
    both = {
        name: pd.concat([frame, other.tables[name].assign(
            session="x-" + other.tables[name]["session"],
            **({"speaker": "t"} if "speaker" in other.tables[name] else {}),
        )])
        for name, frame in table.tables.items()
    }  # fmt: skip
    own = kept(table.having(**both).of("s"))
    assert len(own["trades"]) == len(kept(table)["trades"])


# Lines


def test_lines_are_those_of_players_and_theory(fit):
    designs = designs_of(fit)
    assert measures.rounds(scripted("truthful", designs))["efficiency"].mean() == 1
    zero = measures.rounds(scripted("zero intelligence", designs))["efficiency"].mean()
    assert 0.6 < zero < 1
    declared = expected_declarations(designs, 1.0)
    for (_, _), part in declared.groupby(["role", "condition"]):
        assert part["declared"].is_monotonic_increasing, "more is declared of what is worth more"
    turnover = expected_turnover(designs, 3.0).groupby("role")["bought"]
    assert (turnover.first() > turnover.last()).all(), "high declarations are bought less"


# Figures and tables


def test_each_figure_shows_the_sessions_and_its_lines(fit):
    plots = families.get("markets").report().plots()
    assert list(plots) == ["declared", "turnover", "efficiency", "prices", "payoffs"]
    lines = {
        "declared": {"declared", "truthful", "zero intelligence", "logit equilibrium"},
        "turnover": {"bought", "truthful", "zero intelligence", "logit equilibrium"},
        "efficiency": {"observed", "truthful", "zero intelligence"},
        "prices": {"trade", "fundamental", "truthful", "zero intelligence"},
        "payoffs": {"observed", "truthful", "zero intelligence"},
    }
    for name, plot in plots.items():
        assert plot.lacking([fit]) == ""
        figure = plot.draw([fit], "two")
        assert set(figure.data["kind"]) == lines[name]
        assert figure.name == name
        assert figure.caption
        assert figure.alt
    tables = sessions_of(fit)
    final = measures.final_declarations(tables)
    caption = plots["turnover"].draw([fit], "one").caption
    for role, part in final.groupby("role"):
        words = f"{role}: {part['bought'].mean():.2f} bought, {part['truthful'].mean():.2f} would"
        assert words in caption
    gini = measures.gini(tables["payoffs"].groupby(["session", "participant"])["euro"].mean())
    assert f"Gini {gini:.2f}" in plots["payoffs"].draw([fit], "one").caption


def test_tables_that_do_not_say_their_rules_have_no_lines_of_players(table, tmp_path):
    from dataclasses import replace

    bare = replace(table, meta={"task": "planning"})
    fit = fitted(tmp_path / "fit", "purchases", bare)
    figure = families.get("markets").report().plots()["declared"].draw([fit], "two")
    assert set(figure.data["kind"]) == {"declared", "truthful"}
    assert "need tables with the rules" in figure.caption


def test_what_was_not_played_is_not_drawn(table, tmp_path):
    quiet = table.having(trades=table.tables["trades"].iloc[:0])
    fit = fitted(tmp_path / "fit", "purchases", quiet)
    pages = families.get("markets").report()
    assert "no trades" in pages.plots()["prices"].lacking([fit])
    assert "prices" not in [section.id for section in pages.fit_sections(fit)]


@pytest.mark.parametrize("name", MODELS)
def test_a_report_begins_with_the_sessions_and_checks_predictions(name, table, tmp_path):
    fit = fitted(tmp_path / "fit", name, table)
    pages = families.get("markets").report()
    sections = {section.id: section for section in pages.fit_sections(fit)}
    assert list(sections) == [
        "declared", "turnover", "efficiency", "prices", "payoffs", "parameters", "predictive",
    ]  # fmt: skip
    checks = sections["predictive"].tables[0].frame
    assert {"statistic", "observed", "replicated [95 %]", "two-sided p"} == set(checks)
    assert checks["two-sided p"].astype(float).between(0, 1).all()
    assert len(pages.study_summary([fit]).frame) == len(sections["parameters"].tables[0].frame)
    titles = [section.title for section in pages.study_sections([fit, fit])]
    assert len(titles) == 5, "sessions of a speaker are shown once"


def test_predictive_statistics_are_those_of_the_answers(table, tmp_path):
    fit = fitted(tmp_path / "fit", "quotes", table)
    frame = families.get("markets").report().fit_sections(fit)[-1].tables[0].frame
    seen = dict(zip(frame["statistic"], frame["observed"], strict=True))
    actions = table.tables["orders"].query("action != 'cancel'")["action"]
    assert float(seen["share of turns: wait"]) == pytest.approx(
        (actions == "wait").mean(), abs=0.02
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["declared-value", "quotes"])
def test_the_page_is_whole(name, table, tmp_path):
    fit = fitted(tmp_path / "fit", name, table)
    page = write_fit_report(fit.folder).read_text()
    for words in ("Declared and true values", "Turnover", "Prices", "Gini", "Predictive check"):
        assert words in page
    assert page.index("no practice round") < page.index("Declared and true values</h2>")
