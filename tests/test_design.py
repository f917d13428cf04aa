"""The choice of the next politeness questions, and `wolves design`."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from many_wolves.cli import run, wolves
from many_wolves.collection import read_trials
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker, designer
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.inference.evaluation.knowledge import companions_of, targets_of
from many_wolves.observations import Observations
from many_wolves.workflows.compile import request, write_trials
from many_wolves.workflows.design import (
    DesignRequest,
    Sofar,
    design,
    designing_model,
)
from quick_knowledge import few_draws

FIXED = {"literal": "fixed"}
GOALS = ("informative", "social")
KNOWN = {
    "alpha": 4.5,
    "cost": 2.6,
    "lapse": 0.03,
    "icc": 0.2,
    "weights": {
        "informative": {"w_inf": 0.5, "w_soc": 0.2, "w_pres": 0.3, "phi": 0.6},
        "social": {"w_inf": 0.2, "w_soc": 0.5, "w_pres": 0.3, "phi": 0.3},
    },
}


@pytest.fixture(scope="module", autouse=True)
def quick():
    with few_draws():
        yield


@pytest.fixture(scope="module")
def small():
    """All trials of two goals and six items, judgments included."""
    items = ("poem", "song", "painting", "cake", "film", "recital")
    return trials_of(PolitenessDesign(goals=GOALS, framings=("third",), items=items))


@pytest.fixture(scope="module")
def choices(small):
    return [trial for trial in small if trial.task == "choice"]


def _answers(asked):
    """The same answer to each of these questions."""
    columns = ["speaker", *designer.FACTORS, "utterance", "count"]
    rows = [
        ("one", *(t.cell[f] for f in designer.FACTORS), o.id, int(n == 0))
        for t in asked
        for n, o in enumerate(t.options)
    ]
    frame = pd.DataFrame(rows, columns=columns).groupby(columns[:-1])["count"].sum()
    return Observations.from_rows("politeness", frame.reset_index())


def _answered(choices, times):
    """Choices of a simulated speaker, with this number of answers per trial."""
    model = PoliteSpeaker()
    listed = [
        ("one", *(t.cell[f] for f in designer.FACTORS), option.id, times if n == 0 else 0)
        for t in choices
        for n, option in enumerate(t.options)
    ]
    columns = ["speaker", *designer.FACTORS, "utterance", "count"]
    asked = Observations.from_rows("politeness", pd.DataFrame(listed, columns=columns))
    return model.simulate(asked, np.random.default_rng(3), KNOWN, **FIXED)[1]


def test_the_start_sees_each_cell_once_and_one_of_them_with_two_items(small):
    first = designer.start(small, literal="joint")
    asked: Counter[tuple] = Counter()
    for trial, number in zip(small, first, strict=True):
        cell = {name: value for name, value in trial.cell.items() if name != "item"}
        asked[trial.task, tuple(cell.values())] += number
    by_task = {task: sorted(n for (own, _), n in asked.items() if own == task) for task, _ in asked}
    assert by_task == {"choice": [1] * 7 + [3], "literal": [1] * 32}
    assert sum(designer.start(small, **FIXED)) == 8 + 2


def test_the_correlation_shows_in_the_answers_to_the_start(choices):
    # The first cell has a single item.
    alone = [t for t in choices if t.cell["state"] != 2 or t.cell["item"] == "poem"]
    first = designer.start(alone, **FIXED)
    asked = [t for t, n in zip(alone, first, strict=True) for _ in range(n)]
    problem = PoliteSpeaker().problem(_answers(asked), **FIXED)
    assert problem.data["J"] > 0


def test_before_any_answer_the_problem_has_no_choices_and_all_items(choices, small):
    problem = designer.before(choices, **FIXED)
    assert problem.data["J"] == 6 and problem.data["N"] == 0
    assert np.sum(problem.data["counts"]) == 0 and np.sum(problem.data["literal_yes"]) > 0
    assert np.sum(designer.before(small, literal="joint").data["literal_yes"]) == 0
    with pytest.raises(WolvesError, match="cut"):
        designer.before(choices, literal="cut")


def test_questions_of_other_conditions_inform_nothing(choices):
    problem = designer.before([t for t in choices if t.cell["goal"] == "social"], **FIXED)
    named = designer.kinds_of(problem, choices)
    assert {
        bool(name) == (t.cell["goal"] == "social") for name, t in zip(named, choices, strict=True)
    } == {True}
    second = trials_of(PolitenessDesign(tasks=("choice",), goals=GOALS))
    with pytest.raises(WolvesError, match="framing"):
        designer.kinds_of(problem, second)


def test_answers_so_far_are_counted_by_item(choices):
    assert designer.answered(_answered(choices[:16], 2), choices) == [2] * 16 + [0] * (
        len(choices) - 16
    )


def test_from_the_prior_a_design_begins_with_the_start_and_shrinks_what_it_is_about(choices):
    asked = DesignRequest(about=("w_inf:social",), calls=40, options=FIXED)
    found = design(choices, asked)
    assert found.calls == 40
    first = designer.start(choices, **FIXED)
    planned = {t.id: n for t, n in zip(found.trials, found.replicates, strict=True)}
    assert all(planned.get(t.id, 0) >= n for t, n in zip(choices, first, strict=True))
    (row,) = found.weights.to_dict("records")
    assert (row["parameter"], row["condition"]) == ("w_inf", "social")
    assert row["expected_width"] < 0.8 * row["width"]
    chosen = Counter(t.cell["goal"] for t in found.trials)
    assert chosen["social"] > chosen["informative"]
    again = design(choices, asked)
    assert (again.trials, again.replicates) == (found.trials, found.replicates)
    with pytest.raises(WolvesError, match="fewer than 10"):
        design(choices, DesignRequest(calls=9, options=FIXED))


def test_questions_about_one_weight_are_chosen_for_all_weights_of_its_goal(choices):
    prior = designer.before(choices, **FIXED)
    targets = targets_of(prior, ["w_inf:social", "w_soc:informative", "phi:informative"])
    assert companions_of(prior, targets, PoliteSpeaker.together) == {
        ("w_soc", "social"): 0,
        ("w_pres", "social"): 0,
        ("w_inf", "informative"): 1,
        ("w_pres", "informative"): 1,
    }
    reduced = designer.before(choices, utilities=("inf", "soc"), **FIXED)
    one = targets_of(reduced, ["w_inf:social"])
    assert companions_of(reduced, one, PoliteSpeaker.together) == {("w_soc", "social"): 0}


def test_new_items_come_before_replicates(choices):
    sofar = Sofar(_answered(choices[:24], 3))
    found = design(choices, DesignRequest(about=("w_soc",), calls=3, options=FIXED), sofar)
    new = {t.id for t in choices[24:]}
    assert {t.id for t in found.trials} <= new
    assert set(found.replicates) == {1}


def test_only_families_with_a_model_for_it_have_designs():
    with pytest.raises(WolvesError, match="'dilemmas' cannot say how much an answer would inform"):
        designing_model("dilemmas")
    with pytest.raises(WolvesError, match="'polite-hierarchy' cannot say"):
        designing_model("politeness", "polite-hierarchy")


def test_the_command_writes_trials_for_each_number_of_answers(tmp_path, capfd):
    trials = tmp_path / "choice.jsonl"
    given = {"goals": GOALS, "framings": ("third",), "items": ("poem", "song", "cake")}
    write_trials(request(("choice",), given), trials)
    words = ["design", "--trials", str(trials), "--about", "w_inf", "--literal", "fixed"]
    out = tmp_path / "next"
    assert run(wolves, [*words, "--calls", "26", "--out", str(out), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["calls"] == 26
    numbers = {int(file.rpartition("-")[2].removesuffix(".jsonl")) for file in found["trials"]}
    listed = [len(read_trials(out / f"trials-{n}.jsonl")) * n for n in numbers]
    assert sum(listed) == 26
    assert {row["parameter"] for row in found["weights"]} == {"w_inf"}
    assert run(wolves, [*words, "--about", "w_infl"]) == 2
    assert "w_inf" in capfd.readouterr().err
    (tmp_path / "other" / "x").mkdir(parents=True)
    assert run(wolves, [*words, "--out", str(tmp_path / "other")]) == 2
    assert "not part of a design" in capfd.readouterr().err
