"""Pages and figures of bargaining on draws of random numbers: nothing is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bargaining_chains import FAMILY, MODELS, openings
from fit_folders import write_fit_folder
from many_wolves.families.bargaining.reporting import curves
from many_wolves.families.bargaining.reporting.pages import PAGES
from many_wolves.families.bargaining.reporting.parts import row_name, table_of
from many_wolves.families.bargaining.reporting.weights import pays, triangle
from many_wolves.figures.fitted import Fitted, read_fitted
from many_wolves.inference.sampling.summary import summarise
from many_wolves.observations import Observations
from many_wolves.records import SpeakerSpec
from many_wolves.records.response import blank_response
from many_wolves.report.other_families import across_section

from many_wolves.families.bargaining.simulation.games import simulate_games  # isort: skip

SIMPLEX = {"atom": -1, "w": 2, "w_participant": 2, "predicted": -1}
"""Variable -> axis along which it sums to one."""


def fitted(name: str, observations: Observations, speaker: str = "", seed: int = 1) -> Fitted:
    """A fit whose draws are random numbers of the right shapes."""
    model = MODELS[name]
    problem = model.problem(observations)
    rng = np.random.default_rng(seed)
    groups: dict[str, dict] = {"posterior": {}, "posterior_predictive": {}}
    for v in problem.variables:
        if v.group not in groups:
            continue
        shape = v.shape if v.row is None else v.shape[1:]
        values = np.exp(0.3 * rng.normal(size=(2, 20, *shape)))
        if v.name in SIMPLEX:
            values = values / values.sum(axis=SIMPLEX[v.name], keepdims=True)
        groups[v.group][v.name] = (v.dims, values)
    counts = problem.observed["counts"][1]
    groups["posterior_predictive"]["counts"] = (
        problem.observed["counts"][0],
        np.broadcast_to(counts, (2, 20, *counts.shape)),
    )
    plain = {key: values for key, (_, values) in groups["posterior"].items()}
    groups["posterior"] |= dict(problem.derive(plain))
    sets = {
        group: xr.Dataset({k: (("chain", "draw", *d), v) for k, (d, v) in own.items()})
        for group, own in groups.items()
    }
    sets["observed_data"] = xr.Dataset(dict(problem.observed))
    for group, own in sets.items():
        known = {d: list(problem.coords[d]) for d in own.dims if d in problem.coords}
        sets[group] = own.assign_coords(known)
    info = {"speaker": speaker or problem.speaker, "model": name, "family": problem.family,
            "choices": float(counts.sum())}  # fmt: skip
    found = Fitted(
        Path(), info, {"ok": True}, summarise(sets["posterior"], model.parameters), speaker
    )
    found.__dict__["draws"] = xr.DataTree.from_dict(sets)
    return found


def replies() -> Observations:
    """Choices among replies, one of each situation."""
    player = {"words": {"own": 0.5, "deal": 0.2, "kind": 0.3}}
    who, known = SpeakerSpec("simulated", "s", parameters=player), FAMILY.simulator(player)
    design = FAMILY.design("haggle-words").read({"goods": ["lamp"], "orders": 1})
    trials = list(FAMILY.compile("haggle-words", design).trials)
    best = [t.options[int(np.argmax(known.probabilities(t)))].id for t in trials]
    return FAMILY.tabulate([
        blank_response(trial, who, 0, "answered", value=value)
        for trial, value in zip(trials, best, strict=True)
    ])  # fmt: skip


@pytest.fixture(scope="module")
def gpt() -> Observations:
    return FAMILY.references()["fu2023-balloon"].load().of("gpt-3.5-turbo (2023)")


@pytest.fixture(scope="module")
def moves(gpt) -> Fitted:
    return fitted("concession", gpt)


@pytest.fixture(scope="module")
def games() -> Observations:
    design = {"sample": 6, "games": 3, "groups": ["Plain"], "arms": ["none", "constant"]}
    return simulate_games(openings("improvement", **design), {"concession": {"opening": 0.9}})


class TestPages:
    def test_every_section_of_concession(self, moves):
        fit = moves
        sections = PAGES.fit_sections(fit)
        assert [s.id for s in sections] == ["moves", "seen", "predictive"]
        seen = sections[0].figures[0].data.set_index("parameter")["observed"]
        counts = fit.values("observed_data", "counts").to_numpy().sum(axis=0)
        np.testing.assert_allclose(seen, counts / counts.sum())
        assert sections[-1].figures[0].data["observed"].sum() == pytest.approx(1)

    def test_improvement_has_three_panels_with_observations(self, games):
        fit = fitted("outcomes", games)
        figure = PAGES.plots()["improvement"].draw([fit], "two")
        assert set(figure.data["parameter"]) == {"share", "deal_rate", "expected_share"}
        assert set(figure.data["group"]) == {
            "first game", "none, game 2", "none, game 3", "constant, game 2", "constant, game 3",
        }  # fmt: skip
        first = figure.data[figure.data["group"] == "first game"].set_index("parameter")
        deals = fit.values("observed_data", "counts").sel(end="deal").to_numpy()
        of = fit.values("observed_data", "episode_condition").to_numpy()
        assert first.loc["deal_rate", "observed"] == pytest.approx(deals[of == 0].mean())
        assert [s.id for s in PAGES.fit_sections(fit)] == ["outcomes", "time", "predictive"]

    def test_speakers_are_compared_in_one_figure(self, gpt):
        fits = [fitted("concession", gpt, name) for name in ("one", "two")]
        sections = PAGES.study_sections(fits)
        assert sections[0].title == "Concessions"
        assert set(sections[0].figures[1].data["group"]) == {"one", "two"}
        assert set(PAGES.study_summary(fits).frame["speaker"]) == {"one", "two"}

    def test_a_tournament_shows_all_pairs(self, games):
        frame = games.tables["games"].assign(partner=["a", "b"] * (len(games.tables["games"]) // 2))
        met = games.having(games=frame)
        fits = [fitted("outcomes", met, name) for name in ("a", "b")]
        data = curves.tournament(fits).data
        assert len(data) == 8
        assert set(data["row"]) == set(data["column"]) == {"a", "b"}
        assert PAGES.plots()["tournament"].several
        titles = [figure.name for figure in PAGES.study_sections(fits)[0].figures]
        assert titles[-1] == "tournament"

    def test_many_speakers_have_panels_of_their_own_in_place_of_a_long_legend(self, games):
        names = [f"speaker {n}" for n in range(9)]
        frame = games.tables["games"]
        partners = [names[n % 9] for n in range(len(frame))]
        fits = [fitted("outcomes", games.having(games=frame.assign(partner=partners)), name)
                for name in names]  # fmt: skip
        for several, panels, curves_of in ((fits, 9, 2), (fits[:3], 2, 3)):
            drawn = curves.survival_curve(several).plot
            assert drawn.data[drawn.facet.vars[0]].nunique() == panels
            assert drawn.data[drawn.mapping["color"]].nunique() == curves_of
        weights = [fitted("kind-words", replies(), name) for name in names[:8]]
        assert triangle(weights).data["panel"].nunique() == 8
        assert triangle(weights[:2]).data["group"].nunique() == 2

    def test_a_falling_aspiration_has_its_section(self):
        games = simulate_games(openings(sample=6), {"concession": {"opening": 0.9}})
        [section, _] = PAGES.fit_sections(fitted("aspiration", games))
        assert section.id == "schedule"
        assert set(section.figures[0].data["parameter"]) == {"opening", "bottom", "exponent"}

    def test_weights_are_three_corners_and_kindness_is_the_headline(self):
        wants = {"values": {"own": 0.5, "fair": 0.3, "deal": 0.2}}
        games = simulate_games(openings("values", sample=8), wants)
        values = fitted("values", games)
        [section] = PAGES.fit_sections(values)[:1]
        assert "of the pie to close a deal" in section.paragraphs[0]
        assert PAGES.headline(values) is None
        words = fitted("kind-words", replies())
        figure = PAGES.plots()["words"].draw([words], "one")
        assert {"own", "deal", "kind"} <= set(figure.data)
        found = PAGES.headline(words)
        assert found.mean == pytest.approx(float(words.values("posterior", "w")[..., 2].mean()))
        assert found.low < found.mean < found.high

    def test_plots_state_what_a_fit_lacks(self, moves):
        for name, plot in PAGES.plots().items():
            lacks = plot.lacking([moves])
            of_others = {"improvement", "time", "tournament", "weights", "words"}
            assert bool(lacks) == (name in of_others)


class TestCurves:
    def test_cut_games_count_as_long_as_they_were_seen(self):
        last, ended = np.array([1, 2, 2, 3]), np.array([True, False, True, True])
        agreed = np.array([True, False, False, True])
        found = curves.survival(last, ended, agreed)
        # Of four one ends in round 1; of three one in round 2; of one the last in round 3.
        np.testing.assert_allclose(found["open"], [1, 3 / 4, 3 / 4 * 2 / 3, 0])
        assert found["cut"].tolist() == [0, 0, 1, 0]
        # The game that ends without a deal in round 2 never agrees.
        np.testing.assert_allclose(found["agreed"], [0, 1 / 4, 1 / 4, 3 / 4])

    def test_acceptance_is_that_of_the_messages(self, moves):
        fit = moves
        found = curves.acceptance(fit)
        offered = fit.values("observed_data", "offered_share").to_numpy()
        taken = fit.values("observed_data", "accepted").to_numpy()
        row = found[np.isclose(found["share"], 0.55)].iloc[0]
        here = (offered > 0.5 - 1e-9) & (offered < 0.6 - 1e-9)
        assert row["n"] == here.sum()
        assert row["rate"] == pytest.approx(taken[here].mean())
        assert row["low"] < row["rate"] < row["high"]

    def test_prices_are_the_sellers_shares_on_both_sides(self, moves):
        found = curves.prices_by_round(moves)
        assert set(found["side"]) == {"seller", "buyer"}
        middle = found.groupby("side")["median"].first()
        assert middle["buyer"] < middle["seller"]

    def test_rounds_have_whole_ticks(self):
        assert curves.whole_numbers((0.9, 3.1)) == [1, 2, 3]
        assert curves.whole_numbers((-0.5, 12.5)) == [0, 2, 4, 6, 8, 10, 12]


def test_groups_next_to_no_role_prompt_are_named(moves):
    rows = pd.DataFrame({"parameter": "share", "condition": ["Kind", ""], "mean": 0.5,
                         "hdi_low": 0.4, "hdi_high": 0.6})  # fmt: skip
    assert table_of(rows)["of"].tolist() == ["Kind", "no role prompt"]
    assert table_of(rows[1:])["of"].tolist() == [""]
    assert row_name(moves, "", 1, several=True) == "no role prompt"
    assert row_name(moves, "", 1) == moves.label


def test_the_worth_of_a_deal_is_stated_in_words():
    draws = np.full((2, 100), 0.25)
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset({"pays_to_close": (("chain", "draw"), draws)})}
    )
    asked = {"speaker": "x/y", "model": "values", "labels": {"model": "x/y"}}
    fit = Fitted(Path(), asked, {}, pd.DataFrame())
    fit.__dict__["draws"] = tree
    assert pays(fit) == (
        "y gives up 25% of the pie to close a deal rather than leave "
        "(w_deal / w_own; 95 % interval 25% to 25%)."
    )


def test_kindness_in_replies_is_set_against_kindness_in_scenes(tmp_path):
    scenes = read_fitted(write_fit_folder(tmp_path / "scenes", speaker="lab/a"))
    words = fitted("kind-words", replies(), "a")
    (section,) = across_section(
        {("politeness", ""): [scenes], ("bargaining", "haggle-words"): [words]}
    )
    (point,) = section.figures[0].data.itertuples()
    assert point.x == pytest.approx(scenes.values("posterior", "w_soc").to_numpy().mean())
    kind = words.values("posterior", "w").sel(weight="kind").to_numpy()
    assert point.y == pytest.approx(kind.mean())
    assert "kind words" in point.panel


def test_published_improvement_is_compared_with_all_games_that_began():
    import importlib.util

    file = Path(__file__).parent.parent / "benchmarks" / "bargaining_claims.py"
    spec = importlib.util.spec_from_file_location("bargaining_claims", file)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.changes(script.rounds()).set_index(["engine", "role"])
    # Prices of deals rise from 15.47 to 17.29, of 10 to 20; 194 of 200 and 122 of 146 games close.
    gpt4 = found.loc[("gpt-4", "seller")]
    assert gpt4["change"] == pytest.approx(0.729 * 122 / 146 - 0.547 * 194 / 200, abs=1e-9)
    assert gpt4["verdict"] == "up"
    assert gpt4["low"] < gpt4["change"] < gpt4["high"]
    assert found.loc[("gpt-3.5-turbo", "seller"), "verdict"] == "not told apart"
