"""Games beside a study's own trials: the same speakers, a section each, and words against deeds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fit_folders import draw_nothing, write_fit_folder
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.report import write_study_report
from many_wolves.report.other_families import across_section, by_task
from many_wolves.study import StudyPaths, in_order, plan, read_study
from study_files import written

SPEAKERS = """
speakers:
  - name: kind
    provider: simulated
    model: kind
    parameters:
      alpha: 4
      cost: 2
      weights:
        informative: {w_inf: 0.2, w_soc: 0.7, w_pres: 0.1, phi: 0.2}
    as_player:
      preferences: {precision: 0.5, envy: 0.4, guilt: 0.7}
      memory_one: {start: 0.9, CC: 0.95, CD: 0.6, DC: 0.8, DD: 0.5}
  - name: blunt
    provider: simulated
    model: blunt
    parameters:
      alpha: 4
      cost: 2
      weights:
        informative: {w_inf: 0.9, w_soc: 0.05, w_pres: 0.05, phi: 0.8}
    as_player:
      preferences: {precision: 0.5, envy: 0.6, guilt: 0.1}
      memory_one: {start: 0.2, CC: 0.3, CD: 0.1, DC: 0.2, DD: 0.1}
"""
STUDY = """
study: duo
question: Does a speaker that is kind in words also give?
trials: {goals: [informative], items: [cake, poem], tasks: [choice]}
collect: {mode: score, temperature: 0.7}
fit: {chains: 2, warmup: 300, draws: 300, literal: fixed}
games:
  - {task: dilemma, groups: [Selfish, Altruistic], sample: 8, replicates: 2}
  - {task: dictator, groups: [Selfish, Altruistic], sample: 20, seed: 3}
"""


def test_every_speaker_plays_every_game_in_its_own_folders(tmp_path: Path) -> None:
    study = read_study(written(tmp_path, STUDY + SPEAKERS))
    stages = {stage.name: stage for stage in in_order(plan(study, StudyPaths("duo")))}
    for speaker in ("kind", "blunt"):
        for kind in ("collect", "choices", "fit"):
            assert {f"{kind} {speaker}", f"{kind} dilemma {speaker}"} <= set(stages)
    written_files = [path for stage in stages.values() for path in stage.writes]
    assert len(set(written_files)) == len(written_files)
    for one in written_files:
        assert not any(one in other.parents for other in written_files)

    played = stages["collect dilemma kind"].command
    assert played[played.index("--replicates") + 1] == "2"
    assert "--mode" not in played and "--temperature" not in played
    asked = stages["collect kind"].command
    assert asked[asked.index("--mode") + 1] == "score"
    (_, own), (_, other) = (stages[f"collect {k}kind"].given[0] for k in ("", "dilemma "))
    assert set(json.loads(own)) == {"alpha", "cost", "weights"}
    assert set(json.loads(other)) == {"preferences", "memory_one"}
    report = stages["report"]
    fits = {"fit kind", "fit dilemma kind", "fit dictator blunt"}
    assert fits <= set(report.after_all)
    given = report.command[: report.command.index("--out")]
    assert sum(word.endswith("/fit") for word in given) == 6


@pytest.mark.parametrize(
    ("games", "problem"),
    [
        ("[{task: politeness}]", "expected every task once, found a duplicate: politeness"),
        ("[{task: dictator}, {task: dictator}]", "found a duplicate: dictator"),
        ("[{task: dictator, sampel: 3}]", "found 'sampel'"),
    ],
)
def test_a_fault_in_the_games_is_named(tmp_path: Path, games: str, problem: str) -> None:
    text = f"study: s\ngames: {games}\n{SPEAKERS}"
    with pytest.raises(WolvesError, match=problem) as caught:
        read_study(written(tmp_path, text))
    assert caught.value.fix


def test_games_without_speakers_are_refused(tmp_path: Path) -> None:
    text = "study: s\nhuman: [yoon2020]\ngames: [{task: dictator}]\n"
    with pytest.raises(WolvesError, match="expected `speakers` for the tasks"):
        read_study(written(tmp_path, text))


def test_a_simulated_speaker_without_a_players_parameters_is_named(tmp_path: Path) -> None:
    lines = [line for line in SPEAKERS.splitlines() if "_one" not in line and "pref" not in line]
    text = "\n".join(lines).replace("    as_player:", "")
    with pytest.raises(WolvesError, match="expected `as_player` of kind"):
        read_study(written(tmp_path, STUDY + text))


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Fits of three speakers in one task, and of two of them in another."""
    place = tmp_path_factory.mktemp("fits")
    found = []
    for number, (name, task) in enumerate(
        [("lab/a", ""), ("lab/b", ""), ("lab/c", ""), ("lab/a", "other"), ("lab/b", "other")]
    ):
        folder = write_fit_folder(place / f"fit{number}", speaker=name, seed=number)
        record = json.loads((folder / "fit.json").read_text())
        source = record.get("source", {}) | ({"task": task} if task else {})
        (folder / "fit.json").write_text(json.dumps(record | {"source": source}))
        found.append(folder)
    return found


def test_another_task_has_its_own_sections(
    two_tasks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_nothing(monkeypatch)
    page = write_study_report("Both", two_tasks, tmp_path / "page.html").read_text()
    ids = re.findall(r'<(?:section|details class="part") id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    # The first task has its details at the end, folded.
    assert ids.index("politeness-other") < ids.index("across") < ids.index("weights")
    assert "politeness-other-weights" in ids
    assert "<h3>a</h3>" in page and "<h3>a (politeness, other)</h3>" in page


def test_only_speakers_with_both_tasks_are_compared(two_tasks: list[Path]) -> None:
    tasks = by_task([str(folder) for folder in two_tasks])
    (section,) = across_section(tasks)
    (figure,) = section.figures
    assert list(figure.data["speaker"]) == ["a", "b"]
    for fits, end in zip(tasks.values(), "xy", strict=True):
        mean = fits[0].values("posterior", "w_soc").to_numpy().mean()
        assert figure.data[end].iloc[0] == pytest.approx(mean)
        assert (figure.data[f"{end}_low"] < figure.data[end]).all()
        assert (figure.data[end] < figure.data[f"{end}_high"]).all()
    assert "n = 2 speakers" in figure.caption and figure.alt
    assert not any("Do not interpret" in words for words in section.paragraphs)
    (first, fits), *rest = tasks.items()
    stuck = replace(fits[0], diagnostics={**fits[0].diagnostics, "ok": False})
    (warned,) = across_section({first: [stuck, *fits[1:]], **dict(rest)})
    assert any("Do not interpret" in w and w.endswith(": a.") for w in warned.paragraphs)
    alone = dict(list(tasks.items())[:1])
    assert across_section(alone) == []


@pytest.mark.stan
@pytest.mark.slow
def test_words_and_deeds_of_speakers_that_are_known(tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    study = written(tmp_path, STUDY + SPEAKERS)
    assert run(wolves, ["study", "run", str(study)]) == 0, capfd.readouterr().err
    page = Path("rsa-output/duo/report.html").read_text()
    for said in ("In dilemmas, dilemma", "In dilemmas, dictator", "Across tasks"):
        assert said in page
    means = {}
    for name in ("kind", "blunt"):
        for task, parameter in (("dilemma", "cooperation"), ("dictator", "given_share")):
            summary = pd.read_csv(f"rsa-output/duo/{name}/{task}/fit/summary.csv")
            own = summary[summary["parameter"] == parameter]
            means[name, task] = float(np.mean(own["mean"]))
    assert means["kind", "dilemma"] > means["blunt", "dilemma"] + 0.2
    assert means["kind", "dictator"] > means["blunt", "dictator"]
    assert list(Path("plots/duo-dilemma").rglob("*.pdf"))
    capfd.readouterr()
    assert run(wolves, ["study", "run", str(study)]) == 0
    assert "  > " not in capfd.readouterr().err
