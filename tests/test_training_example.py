"""The example of training dynamics: its feedback, its verdicts, and its road in two steps."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

import pandas as pd
import pytest

HERE = Path(__file__).parent.parent
sys.path.insert(0, str(HERE / "examples" / "training-dynamics"))

import drift  # noqa: E402
import feedback  # noqa: E402
import measure  # noqa: E402
import settings as numbers  # noqa: E402
import training  # noqa: E402

from many_wolves.observations import Observations  # noqa: E402

SETTINGS = numbers.Settings()


def test_pairs_are_equal_for_equal_seeds_only():
    pairs = feedback.preferences(SETTINGS, "truth", 40)
    assert pairs == feedback.preferences(SETTINGS, "truth", 40)
    assert pairs != feedback.preferences(replace(SETTINGS, seed=2), "truth", 40)


def test_a_pair_is_a_measured_prompt_with_two_of_its_options():
    shown = {
        trial.messages[0].content: {option.text for option in trial.options}
        for trial in feedback.scenes(SETTINGS, SETTINGS.train_items)
    }
    for pair in feedback.preferences(SETTINGS, "kindness", 60):
        (message,) = pair["prompt"]
        said = {pair[side][0]["content"] for side in ("chosen", "rejected")}
        assert message["role"] == "user"
        assert len(said) == 2
        assert said <= shown[message["content"]]


def test_no_feedback_is_about_an_item_that_is_measured():
    assert not set(SETTINGS.train_items) & set(SETTINGS.held_out)
    text = json.dumps(
        feedback.supervised(SETTINGS, 200) + feedback.preferences(SETTINGS, "truth", 200)
    )
    for trial in feedback.scenes(SETTINGS, SETTINGS.held_out):
        assert trial.messages[0].content not in text
        assert str(trial.cell["item"]) not in text


def test_raters_judge_the_same_candidates_by_their_own_odds():
    truth = feedback.preferences(SETTINGS, "truth", 200)
    kind = feedback.preferences(SETTINGS, "kindness", 200)
    turned = 0
    for one, other in zip(truth, kind, strict=True):
        assert one["prompt"] == other["prompt"]
        pairs = [{p["chosen"][0]["content"], p["rejected"][0]["content"]} for p in (one, other)]
        assert pairs[0] == pairs[1]
        turned += one["chosen"] != other["chosen"]
    assert 40 < turned < 160


@pytest.mark.parametrize("name", numbers.RUNS)
def test_pairs_follow_the_odds_of_the_rater(name):
    """Of judgments on one pair in one state, the share of wins is that of Bradley and Terry."""
    chances = feedback.rater(SETTINGS, name)[1]
    rng, n = Random(1), 4000
    first, second = chances["bad"], chances["not bad"]
    wins = sum(feedback.prefers(first, second, rng.random) for _ in range(n))
    assert wins / n == pytest.approx(first / (first + second), abs=4 * 0.5 / n**0.5)


def test_truth_tells_states_apart_and_kindness_flatters():
    best = {
        name: [max(shares, key=shares.get) for shares in feedback.rater(SETTINGS, name).values()]
        for name in numbers.RUNS
    }
    assert best == {
        "truth": ["terrible", "bad", "good", "amazing"],
        "kindness": ["amazing", "amazing", "amazing", "amazing"],
    }


def test_supervised_answers_are_shared_out_as_those_of_people():
    said = Counter(
        r["completion"][0]["content"]
        for r in feedback.supervised(SETTINGS, 8000)
        if "3 out of 3 hearts" in r["prompt"][0]["content"]
    )
    share = said["amazing"] / said.total()
    assert share == pytest.approx(feedback.people()[3]["amazing"], abs=0.03)
    assert all(sum(row.values()) == pytest.approx(1) for row in feedback.people().values())


def test_settings_survive_json():
    for settings in (SETTINGS, numbers.QUICK):
        assert numbers.from_json(json.loads(json.dumps(asdict(settings)))) == settings


def test_a_checkpoint_that_was_cut_off_is_removed_and_the_one_before_resumed(tmp_path):
    whole, torn = tmp_path / "checkpoint-6", tmp_path / "checkpoint-12"
    for folder in (whole, torn):
        folder.mkdir()
        (folder / "model.safetensors").touch()
    (tmp_path / "checkpoint-0").mkdir()
    for name in ("trainer_state.json", *training._STATE):
        (whole / name).touch()
    assert training.resumable(tmp_path) == whole
    assert not torn.exists()
    assert (tmp_path / "checkpoint-0").exists()
    training.forget(tmp_path, keep=None)
    assert (whole / "model.safetensors").exists()
    assert not (whole / "optimizer.pt").exists()


def test_meanings_are_those_of_people_for_every_speaker():
    rows = [(s, "none", "third", 0, "bad", 1.0) for s in ("a", "b")]
    columns = ["speaker", "goal", "framing", "state", "utterance", "count"]
    own = pd.DataFrame(
        [("a", "bad", 0, 0.0, 9.0)], columns=["speaker", "utterance", "state", "yes", "n"]
    )
    table = Observations.from_rows(
        family="politeness", rows=pd.DataFrame(rows, columns=columns), aside={"literal": own}
    )
    literal = measure.with_human_meanings(table).tables["literal"]
    assert Counter(literal["speaker"]) == {"a": 32, "b": 32}
    assert literal["n"].sum() == 2 * 1568


def test_what_raters_say_is_counted_as_often_as_a_checkpoint_is_asked():
    table = measure.raters(SETTINGS)
    assert table.speakers == ["rater/truth", "rater/kindness", "rater/people"]
    asked = 4 * len(SETTINGS.held_out) * SETTINGS.orders
    totals = table.rows.groupby("speaker")["count"].sum()
    assert totals.tolist() == pytest.approx([asked] * 3)


def test_trajectories_share_the_supervised_stage():
    rows = [
        (f"hf/smollm2-{stage}@checkpoint-{step}", "w_inf", "none", 0.5, 0.4, 0.6, True)
        for stage, step in [("sft", 0), ("sft", 80), ("truth", 6), ("kindness", 6)]
    ]
    rows.append(("rater/truth", "w_inf", "none", 0.9, 0.8, 1.0, True))
    columns = ["speaker", "parameter", "condition", "mean", "hdi_low", "hdi_high", "sound"]
    summaries = pd.DataFrame(rows, columns=columns)
    frame = drift.trajectory(
        summaries, replace(SETTINGS, supervised=numbers.Stage(80, 20, 8, 1e-4))
    )
    steps = frame.groupby("run")["step"].agg(list).to_dict()
    assert steps == {"truth": [0, 80, 86], "kindness": [0, 80, 86]}
    assert drift.targets(summaries)["rater"].tolist() == ["truth"]


def _moving(run: str, step: int, parameter: str, mean: float) -> dict[str, object]:
    known = {"run": run, "algorithm": "dpo", "step": step, "parameter": parameter}
    bounds = {"hdi_low": mean - 0.05, "hdi_high": mean + 0.05}
    return {**known, "condition": "none", "mean": mean, **bounds}


def test_verdicts_say_what_moved_as_rewarded_and_what_is_apart():
    begin = SETTINGS.supervised.steps
    frame = pd.DataFrame(
        [
            _moving(run, step, parameter, mean)
            for run, parameter, means in [
                *(
                    ("truth", p, (0.3, m))
                    for p, m in zip(drift.PARAMETERS, (0.8, 0.38, 0.28, 0.5), strict=True)
                ),
                *(("kindness", p, (0.3, 0.3)) for p in drift.PARAMETERS),
            ]
            for step, mean in zip((begin, begin + 10), means, strict=True)
        ]
    )
    aims = [(r, p, 0.9 if p == "w_inf" else 0.1) for r in numbers.RUNS for p in drift.PARAMETERS]
    targets = pd.DataFrame(aims, columns=["rater", "parameter", "mean"])
    found = drift.verdicts(frame, targets, SETTINGS).set_index(["run", "parameter"])
    assert found.loc[("truth", "w_inf"), ["as_rewarded", "apart"]].tolist() == [True, True]
    assert found.loc[("truth", "w_soc"), ["as_rewarded", "apart"]].tolist() == [False, False]
    assert found.loc[("truth", "w_pres"), ["as_rewarded", "apart"]].tolist() == [True, False]
    assert not found.loc[("kindness", "w_soc"), "apart"]


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.stan
def test_two_steps_of_the_road(tmp_path):
    """Trains, asks, fits and draws; a second run repeats nothing."""
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": ".venv-training"}
    line = [".ci/uv", "run", "--quiet", "--extra", "hf", "--group", "training", "--group", "models"]
    line += ["python", "examples/training-dynamics/run.py", "--quick", "--workers", "1"]
    line += ["--build", str(tmp_path)]
    done = subprocess.run(
        line, cwd=HERE, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = tmp_path / "results"
    frame = pd.read_csv(results / "trajectory.csv")
    assert set(zip(frame["run"], frame["step"], strict=True)) == {
        (run, step) for run in numbers.RUNS for step in (0, 2, 3, 4)
    }
    assert (frame["hdi_low"] <= frame["mean"]).all() and (frame["mean"] <= frame["hdi_high"]).all()
    assert {"drift.pdf", "drift.png", "run.json"} <= {file.name for file in results.iterdir()}
    journals = {f: f.read_bytes() for f in tmp_path.glob("journals/politeness/*.jsonl")}
    again = subprocess.run(
        line, cwd=HERE, env=environment, check=False, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr[-3000:]
    assert {f: f.read_bytes() for f in journals} == journals
    assert "up to date" in again
