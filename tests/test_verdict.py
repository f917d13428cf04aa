"""The verdict in three parts: the task, the chains, the model; and the edges of priors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from fit_folders import write_fit_folder
from many_wolves.commands.fit import status_of
from many_wolves.contracts import Array, Outcome, Range
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.problem import build, is_language_model
from many_wolves.families.politeness.reading.clustering import design_effect
from many_wolves.families.politeness.reading.human import human_table, literal_counts
from many_wolves.families.politeness.reading.table_checks import check_tables
from many_wolves.families.politeness.reporting import text
from many_wolves.figures import read_fitted
from many_wolves.inference.evaluation.edges import edges
from many_wolves.inference.evaluation.predictive import compared, describes
from many_wolves.report import summary
from many_wolves.report.study import overall
from many_wolves.report.verdict import edge_words, judge
from many_wolves.workflows.data import from_frame, of_one, reference
from many_wolves.workflows.fits import facts_of

PEOPLE = human_table().rows
TRUTH = {(u, s): y / n for u, s, y, n in literal_counts().itertuples(index=False)}
LABELS = (("social", "none"), ("0", "1", "2"), ("bad", "good", "not bad"))
DIMS = ("goal", "state", "utterance")
SHAPE = tuple(map(len, LABELS))


def replications(n: int = 300, draws: int = 200) -> tuple[Array, Array, Array]:
    """Probabilities, their draws, and counts drawn from them."""
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(3), SHAPE[:2])
    predicted = np.repeat(p[None], draws, axis=0)
    return p, predicted, rng.multinomial(n, predicted).astype(float)


def found_for(observed: Array, predicted: Array, replicated: Array) -> dict[str, Any]:
    return compared(observed, predicted, replicated, DIMS, LABELS)


class TestPredictions:
    def test_a_model_that_is_right(self) -> None:
        p, predicted, replicated = replications()
        rng = np.random.default_rng(4)
        found = [found_for(rng.multinomial(300, p) * 1.0, predicted, replicated) for _ in range(60)]
        assert 0.3 < np.mean([one["p"] for one in found]) < 0.7
        assert np.mean([one["p"] < 0.1 for one in found]) < 0.25
        assert sum(one["cells_missed"] for one in found) <= 6
        assert np.median([one["r2"] / one["ceiling"] for one in found]) == pytest.approx(
            1, abs=0.01
        )
        assert np.median([one["misplaced"] / one["misplaced_by_chance"] for one in found]) < 1.2

    def test_a_cell_that_is_missed_is_named(self) -> None:
        p, predicted, replicated = replications()
        observed = 300.0 * p
        observed[1, 2] = (300, 0, 0)
        found = found_for(observed, predicted, replicated)
        assert found["p"] < 0.01 and found["cells_missed"] == 1
        first = found["worst"][0]
        assert first["labels"] == {"goal": "none", "state": "2", "utterance": "bad"}
        assert first["observed"] == 1 and first["n"] == 300
        assert first["predicted"] == pytest.approx(p[1, 2, 0])
        assert {one["labels"]["state"] for one in found["worst"]} == {"2"}

    def test_cells_without_answers_do_not_count(self) -> None:
        p, predicted, replicated = replications()
        observed = np.random.default_rng(5).multinomial(300, p) * 1.0
        observed[0, 0], replicated[:, 0, 0] = 0, 0
        found = found_for(observed, predicted, replicated)
        assert found["cells"] == 5 and found["p"] > 0.01

    def test_the_dimensions_may_be_in_any_order(self) -> None:
        p, predicted, replicated = replications()
        observed = np.random.default_rng(6).multinomial(300, p) * 1.0
        tree = xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset(
                    {"predicted": (("chain", "draw", *DIMS), predicted.reshape(4, 50, *SHAPE))}
                ),
                "posterior_predictive": xr.Dataset(
                    {"counts": (("chain", "draw", *DIMS), replicated.reshape(4, 50, *SHAPE))}
                ),
            }
        )
        dims = ("utterance", "goal", "state")
        problem = SimpleNamespace(
            outcome=Outcome("counts", ("predicted",), event="utterance"),
            observed={"counts": (dims, np.moveaxis(observed, -1, 0))},
            coords=dict(zip(DIMS, LABELS, strict=True)),
        )
        found = describes(SimpleNamespace(problem=problem, tree=tree))  # type: ignore[arg-type]
        assert found == found_for(observed, predicted, replicated)
        problem.outcome = Outcome("counts", ("predicted",), kind="real")
        assert describes(SimpleNamespace(problem=problem, tree=tree)) is None  # type: ignore[arg-type]


class TestTask:
    def test_people_did_it(self) -> None:
        checks = {check.name: check for check in reference("yoon2020").checks}
        assert set(checks) == {"state", "truth"} and all(check.ok for check in checks.values())
        assert checks["truth"].statistic == pytest.approx(0.43, abs=0.005)

    def test_the_nine_models(self) -> None:
        checks = reference("zhao2025").checks
        failed = {check.speaker for check in checks if not check.ok}
        assert failed == {
            "Llama-3.1-8B",
            "Llama-3.1-8B-Instruct",
            "Mixtral-8x7B-v0.1",
            "Mixtral-8x7B-Instruct-v0.1",
        }

    def test_choices_that_do_not_know_the_state_fail(self) -> None:
        """The level of the test holds: of tables without an effect hardly any passes."""
        rng = np.random.default_rng(1)
        passed = 0
        for _ in range(40):
            rows = PEOPLE.assign(count=rng.multinomial(2436, np.full(len(PEOPLE), 1 / len(PEOPLE))))
            checks = check_tables(rows, TRUTH, (), 1)
            passed += any(check.ok for check in checks)
        assert passed <= 2

    def test_answers_to_one_item_count_once(self) -> None:
        """Items that differ by chance alone look like an effect of the state to counts."""
        rng = np.random.default_rng(2)
        cells = PEOPLE[["goal", "state"]].drop_duplicates()
        utterances = list(dict.fromkeys(PEOPLE["utterance"]))
        rows = pd.DataFrame(
            {"speaker": "me", "item": item, "goal": g, "state": s, "utterance": u, "count": 30 * p}
            for item in range(6)
            for g, s in cells.itertuples(index=False)
            for u, p in zip(utterances, rng.dirichlet(np.full(8, 0.1)), strict=True)
        )
        by_answer = check_tables(rows, {}, (), 1)[0]
        by_item = check_tables(rows, {}, ("item",), 1)[0]
        assert by_answer.p_value <= 0.01 < by_item.p_value

    def test_true_answers_to_the_wrong_states(self) -> None:
        rows = PEOPLE.assign(state=3 - PEOPLE["state"])
        checks = {check.name: check for check in check_tables(rows, TRUTH, (), 1)}
        assert checks["state"].ok and not checks["truth"].ok
        assert "did not do the task" in checks["truth"].statement

    def test_checks_that_cannot_be_made_are_left_out(self) -> None:
        one = check_tables(PEOPLE[PEOPLE["state"] == 1], TRUTH, (), 1)
        assert [check.name for check in one] == ["state"] and one[0].ok
        named = check_tables(PEOPLE, {}, (), 1)
        assert [check.name for check in named] == ["state"]

    def test_one_utterance_for_both_states_is_no_effect(self) -> None:
        """Warnings are errors in the tests: no share is computed from zero choices."""
        same = {"speaker": "me", "goal": "social", "state": [0, 2], "utterance": "good"}
        (check,) = check_tables(pd.DataFrame(same | {"count": 3}), TRUTH, (), 1)
        assert check.p_value == 1

    @pytest.mark.parametrize("name", ["yoon2020", "morton2025"])
    def test_a_fit_can_keep_them(self, name: str) -> None:
        facts = facts_of(reference(name))
        assert [one["ok"] for one in json.loads(json.dumps(facts["checks"]))] == [True, True]

    def test_a_data_frame_is_checked_too(self) -> None:
        found = from_frame(PEOPLE.assign(state=1 + PEOPLE["state"] % 2, goal="x"), "politeness")
        assert [check.name for check in found.checks] == ["state"]


class TestClusters:
    @pytest.mark.parametrize("concentration", [0.5, 3.0])
    def test_the_design_effect_is_that_of_the_law(self, concentration: float) -> None:
        """Dirichlet-multinomial answers: 1 + (n - 1) / (1 + concentration)."""
        rng = np.random.default_rng(1)
        n, items = 20, 400
        shares = rng.dirichlet(concentration * np.array([0.5, 0.3, 0.2]), items)
        counts = rng.multinomial(n, shares)
        rows = [
            ("me", item, "x", 0, utterance, count)
            for item, row in enumerate(counts)
            for utterance, count in zip(("bad", "good", "not bad"), row, strict=True)
        ]
        columns = ["speaker", "item", "goal", "state", "utterance", "count"]
        found = design_effect(pd.DataFrame(rows, columns=columns), "item")
        assert found == pytest.approx(1 + (n - 1) / (1 + concentration), rel=0.12)

    def test_one_answer_to_each_item_is_independent(self) -> None:
        rng = np.random.default_rng(2)
        said = rng.choice(["bad", "good", "not bad"], 500)
        rows = pd.DataFrame({"item": range(500), "utterance": said, "count": 1})
        assert design_effect(rows.assign(goal="x", state=0), "item") == pytest.approx(1, abs=0.01)

    def test_the_nine_models(self) -> None:
        effects = reference("zhao2025").meta["design_effects"]["item"]
        assert effects["gpt-4o-2024-11-20"] == pytest.approx(6.1, abs=0.05)
        assert effects["Llama-3.1-8B"] == pytest.approx(1, abs=0.05)
        assert reference("yoon2020").meta["clusters"] == []

    def test_nothing_to_tell_from(self) -> None:
        rows = PEOPLE.assign(item="only")
        assert design_effect(rows, "item") is None


def folder(tmp_path: Path, *, ok: bool = True, **info: Any) -> Path:
    place = write_fit_folder(tmp_path / f"fit{len(list(tmp_path.iterdir()))}", ok=ok)
    path = place / "fit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | info))
    return place


def described(**changes: Any) -> dict[str, Any]:
    worst = {"labels": {"goal": "social", "state": "0", "utterance": "bad"}}
    worst |= {"observed": 0.5, "predicted": 0.1, "n": 400.0}
    found = {"p": 0.0, "r2": 0.95, "ceiling": 0.97, "misplaced": 0.1, "misplaced_by_chance": 0.02}
    return found | {"cells": 12, "cells_missed": 3, "worst": [worst]} | changes


PASSED = {"name": "state", "ok": True, "statement": "Speaker x: it heeds the state."}
FAILED = {"name": "truth", "ok": False, "statement": "Speaker x: it is not true."}


class TestVerdict:
    @pytest.mark.parametrize(
        ("r2", "p", "grade", "mark", "words"),
        [
            (0.95, 0.4, "good", "yes", "and the model describes it."),
            (0.95, 0.0, "good", "roughly", "roughly"),
            (0.66, 0.0, "good", "only in part", "only in part (r² 0.66 of at most 0.97)"),
            (0.15, 0.0, "doubtful", "NO", "The model does not describe the speaker"),
            (0.15, 0.4, "good", "yes", "and the model describes it."),
        ],
    )
    def test_how_well_the_model_describes(
        self, tmp_path: Path, r2: float, p: float, grade: str, mark: str, words: str
    ) -> None:
        fit = read_fitted(folder(tmp_path, checks=[PASSED], describes=described(r2=r2, p=p)))
        verdict = judge(fit)
        assert verdict.grade == grade and words in verdict.headline
        assert [part.name for part in verdict.parts] == ["task", "chains", "model"]
        model = verdict.parts[2]
        assert model.ok is (grade == "good") and model.mark == mark
        assert verdict.tone == ("good" if mark == "roughly" or p == 0.4 else "doubtful")
        assert overall([(fit, verdict)]).grade == verdict.tone
        words = "goal social, state 0, 'bad': predicted 10 %, observed 50 % of 400"
        assert words in model.line

    def test_the_task_comes_first(self, tmp_path: Path) -> None:
        verdict = judge(read_fitted(folder(tmp_path, checks=[FAILED], describes=described(r2=0.1))))
        assert verdict.grade == "doubtful" and verdict.idle
        assert verdict.headline.startswith("The speaker did not do the task")
        assert verdict.parts[0].mark == "NO"

    def test_chains_come_before_all(self, tmp_path: Path) -> None:
        fit = read_fitted(folder(tmp_path, ok=False, checks=[FAILED], describes=described()))
        assert judge(fit).grade == "bad"

    def test_what_was_not_examined_is_named(self, tmp_path: Path) -> None:
        verdict = judge(read_fitted(folder(tmp_path, checks=[], describes=None)))
        assert [part.ok for part in verdict.parts] == [None, True, None]
        assert verdict.headline == "The chains converged."
        assert any("No check of the task" in reason for reason in verdict.reasons)

    def test_a_check_that_was_not_made_passes_for_nothing(self, tmp_path: Path) -> None:
        unmade = {"name": "state", "ok": True, "statistic": None, "statement": "One state only."}
        checks = [unmade, PASSED | {"name": "readable"}]
        verdict = judge(read_fitted(folder(tmp_path, checks=checks, describes=described())))
        assert verdict.parts[0].ok is None and "One state only." in verdict.parts[0].line

    def test_clusters_are_named(self, tmp_path: Path) -> None:
        for effect, words in (
            (None, "may be similar"),
            (1.1, "hardly more similar"),
            (6.25, "2,000 are worth about 320 independent ones"),
        ):
            source: dict[str, Any] = {"clusters": ["item"]}
            if effect is not None:
                source["design_effects"] = {"item": {"me": effect}}
            place = folder(
                tmp_path, describes=described(), source=source, speaker="me", choices=2000
            )
            assert words in judge(read_fitted(place)).parts[2].line
        fit = read_fitted(folder(tmp_path, describes=described(), source={"clusters": []}))
        assert "does not record which answers share an item" in judge(fit).parts[2].line

    def test_a_misfit_is_reported_with_the_variant_that_predicts_best(self, tmp_path: Path) -> None:
        made_by = "wolves fit --data yoon2020 --literal fixed --variant inf+soc --out here"
        known = {"model": "polite-speaker", "family": "politeness", "command": made_by}
        place = folder(tmp_path, describes=described(r2=0.3), **known)
        line = judge(read_fitted(place)).parts[2].line
        assert f"wolves compare --data yoon2020 --literal fixed --out {place}" in line
        rows = {"model": ["inf+soc+pres", "s1", "inf"], "elpd_diff": [0.0, 40.2, 90.0]}
        rows |= {"elpd_diff_se": [0.0, 9.0, 9.0], "r2": [0.3, 0.5, 0.6], "ok": [True, True, False]}
        pd.DataFrame(rows).to_csv(place / "comparison.csv", index=False)
        line = judge(read_fitted(place)).parts[2].line
        assert "Of 2 variants, s1 predicts best, by 40 nats (standard error 9)" in line
        pd.DataFrame(rows).iloc[[0, 2]].to_csv(place / "comparison.csv", index=False)
        line = judge(read_fitted(place)).parts[2].line
        assert "No other variant predicts better than inf+soc+pres." in line
        good = folder(tmp_path, describes=described(), **known)
        assert "variant" not in judge(read_fitted(good)).parts[2].line

    def test_exit_statuses(self, tmp_path: Path) -> None:
        good = judge(read_fitted(folder(tmp_path, checks=[PASSED], describes=described())))
        idle = judge(read_fitted(folder(tmp_path, checks=[FAILED], describes=described())))
        bad = judge(read_fitted(folder(tmp_path, ok=False)))
        assert status_of([good], allowed=False) == 0
        assert status_of([good, idle], allowed=False) == 4
        assert status_of([idle, bad], allowed=False) == 1
        assert status_of([idle, bad], allowed=True) == 0


def test_the_table_of_speakers_has_the_r2_of_the_verdict(tmp_path: Path) -> None:
    usual, other = folder(tmp_path, describes=described(r2=0.774)), folder(tmp_path, r2=0.776)
    assert summary._fraction(read_fitted(usual)) == "0.77"
    assert "is 0.77;" in " ".join(
        one for part in judge(read_fitted(usual)).parts for one in part.answer
    )
    without = json.loads((other / "fit.json").read_text()) | {"describes": None}
    (other / "fit.json").write_text(json.dumps(without))
    assert summary._fraction(read_fitted(other)) == "0.78"


class TestEdges:
    def fit(self, draws: Array, ends: Range) -> Any:
        tree = xr.DataTree.from_dict(
            {"posterior": xr.Dataset({"cost": (("chain", "draw"), draws.reshape(4, -1))})}
        )
        return SimpleNamespace(tree=tree, problem=SimpleNamespace(ranges={"cost": ends}))

    def test_a_posterior_at_an_end_is_named_with_the_option(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(1)
        (found,) = edges(self.fit(1 + rng.exponential(0.01, 400), Range(1, 10, "--cost-lower -5")))
        assert (found["which"], found["end"]) == ("lower", 1.0) and found["mass"] > 0.9
        (found,) = edges(self.fit(10 - rng.exponential(0.6, 400), Range(1, 10, "--cost-upper 20")))
        assert found["which"] == "upper"
        fit = read_fitted(folder(tmp_path, edges=[found]))
        (sentence,) = edge_words(fit)
        assert "--cost-upper 20" in sentence and sentence in judge(fit).reasons

    def test_a_flat_posterior_and_one_inside_are_none(self) -> None:
        flat = np.linspace(1, 10, 400)
        assert not edges(self.fit(flat, Range(1, 10, "")))
        assert not edges(self.fit(np.full(400, 2.0), Range(1, 10, "")))

    def test_an_end_where_the_meaning_ends_is_none(self) -> None:
        assert not edges(self.fit(np.full(400, 0.1), Range(0, 20, "", ("upper",))))

    def test_options_widen_the_ranges(self) -> None:
        table = human_table()
        plain = build(table, literal="fixed")
        wide = build(table, literal="fixed", cost_lower=-8, cost_upper=12, alpha_upper=100)
        changed = {k for k in plain.data if not np.array_equal(plain.data[k], wide.data[k])}
        assert changed == {"cost_lower", "cost_upper", "alpha_upper", "Q", "node", "node_weight"}
        assert (plain.ranges["cost"].low, plain.ranges["cost"].high) == (1, 10)
        assert (wide.ranges["cost"].low, wide.ranges["alpha"].high) == (-8, 100)
        with pytest.raises(WolvesError, match="cost_lower below cost_upper"):
            build(table, cost_lower=11)

    def test_named_ranges_are_the_published_ones_and_wider_ones(self) -> None:
        table = human_table()
        plain, named = build(table), build(table, ranges="yoon2020")
        assert all(np.array_equal(plain.data[k], named.data[k]) for k in plain.data)
        wide = build(table, ranges="wide", cost_upper=12)
        assert [wide.data[k] for k in ("alpha_upper", "cost_lower", "cost_upper")] == [60, -13, 12]
        assert plain.ranges["cost"].option == "--ranges wide"
        assert wide.ranges["cost"].option == "--cost-lower -23 --cost-upper 22"
        assert wide.options["cost_lower"] == -13 and "ranges" not in wide.options
        assert wide.data["alpha_prior"] == [1, 6] and wide.data["cost_prior"] == [4, 4]
        own = build(table, ranges="wide", priors={"cost": (2, 2)}).data
        assert own["alpha_prior"] == [1, 6] and own["cost_prior"] == [2, 2]
        assert plain.data["alpha_prior"] == plain.data["cost_prior"] == [1, 1]

    def test_recorded_options_give_the_same_problem(self) -> None:
        for table in (human_table(), of_one(reference("zhao2025"), "Qwen2.5-72B")):
            one = build(table, literal="fixed")
            again = build(table, **one.options)
            assert all(np.array_equal(one.data[k], again.data[k]) for k in one.data)

    def test_the_report_names_the_ranges_and_shapes_in_effect(self) -> None:
        table = of_one(reference("zhao2025"), "Qwen2.5-72B")
        wide = build(table, literal="fixed", ranges="wide").options
        said = text._priors(wide | {"priors": wide["priors"] | {"cost": (2.0, 2.0)}})
        assert "alpha Beta(1, 6) on 0 to 60, cost Beta(2, 2) on -13 to 15" in said
        assert said.endswith("; lapse Beta(1, 9)")
        assert "alpha uniform on 0 to 20, cost uniform on 1 to 10" in text._priors({})

    def test_costs_of_language_models_may_be_negative_by_default(self) -> None:
        model = of_one(reference("zhao2025"), "Qwen2.5-72B")
        usual = build(model, literal="fixed")
        assert (usual.data["cost_lower"], usual.data["alpha_upper"]) == (-13, 20)
        assert usual.data["alpha_prior"] == [1, 1] and usual.data["cost_prior"] == [4, 4]
        assert usual.ranges["alpha"].option == "--ranges wide"
        assert usual.ranges["cost"].option == "--cost-lower -23 --cost-upper 25"
        assert build(model, literal="fixed", ranges="yoon2020").data["cost_lower"] == 1
        assert is_language_model(reference("morton2025"))
        assert not is_language_model(reference("yoon2017"))
        asked = replace(human_table(), meta={"speakers": {"people": {"provider": "hf"}}})
        assert is_language_model(asked)
        asked.meta["speakers"]["people"]["provider"] = "simulated"
        assert not is_language_model(asked)
