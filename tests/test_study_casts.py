"""Studies of experiments: who sits on the seats, from the study file to tables of sessions."""

import json
from pathlib import Path

import pandas as pd
import pytest

from many_wolves.cli import run, wolves
from many_wolves.commands.study import command as study
from many_wolves.errors import WolvesError
from many_wolves.study import StudyPaths, in_order, plan, read_study
from study_files import table, told, written

TEXT = """
study: town
tasks:
  - task: planning
    mechanism: harberger
    paid_rounds: 1
    practice: false
    ticks: 0
    cast:
      speculator: self
      owner: [{strategy: low_baller, factor: 0.5}, honest]
      developer: honest
speakers:
  - name: buyer
    provider: simulated
    model: buyer
    parameters: {strategy: exploiter, markup: -0.1}
players:
  - name: honest
    provider: simulated
    model: honest
    parameters: {strategy: truthful}
"""
KINDS = ("compile", "collect", "choices")


def changed(old, new):
    assert old in TEXT
    return TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (changed("developer: honest", "developer: onest"), 12, "called 'onest'"),
        (changed("developer: honest", "developr: honest"), 10, "has a seat 'developr'"),
        (changed("      developer: honest\n", ""), 10, "seats developer, found none"),
        (changed("speculator: self", "speculator: honest"), 10, "no seat is left"),
        (changed("factor: 0.5", "factr: 0.5"), 10, "factr"),
        (changed("strategy: low_baller", "stratgy: low_baller"), 11, "expected a strategy"),
        (changed("model: honest", "model: buyer"), 10, "both called simulated/buyer"),
        (changed("ticks: 0", "engine: otree\n    server: not-an-address"), 9, "server"),
    ],
)
def test_a_fault_in_the_cast_is_found_before_anyone_is_asked(tmp_path, capsys, text, line, problem):
    path = written(tmp_path, text)
    assert run(study, ["plan", str(path)]) == 2
    error = capsys.readouterr().err
    assert f"{path}, line {line}: " in error and problem in error and "Fix: " in error


def test_a_task_without_seats_takes_no_cast(tmp_path):
    text = "study: s\ntasks: [{task: politeness, cast: {owner: self}}]\n"
    text += "speakers: [{name: a, provider: openai, model: m}]\n"
    with pytest.raises(WolvesError, match="'politeness' has no seats"):
        read_study(written(tmp_path, text))


def test_seats_take_efforts_checkpoints_and_adapters(tmp_path):
    """By the names of the speakers of the study, those of one effort or checkpoint too."""
    text = changed("developer: honest", "developer: [tuned@step2+low, clever+high, solo]")
    text += """
  - {name: tuned, provider: vllm, path: run, adapter: kind, revisions: [step1, step2],
     efforts: [none, low]}
  - {name: clever, provider: api, model: openai/gpt-5, efforts: [low, high]}
  - {name: solo, provider: anthropic, model: m, efforts: [low], temperature: 0.5, connections: 3}
"""
    stages = {s.name: s for s in plan(read_study(written(tmp_path, text)), StudyPaths("town"))}
    asked = stages["collect buyer"]
    files = {path.name: json.loads(content) for path, content in asked.given}
    assert files["tuned@step2+low.json"] == {
        "provider": "vllm", "path": "run/step2", "revision": "step2", "adapter": "kind",
        "effort": "low",
    }  # fmt: skip
    assert files["clever+high.json"]["effort"] == "high"
    assert files["solo+low.json"]["connections"] == 3
    assert {Path("run/step2"), Path("kind")} <= set(asked.reads)
    # How many are asked at once changes no answer, and so not the folder of the answers.
    other = text.replace("connections: 3", "connections: 4")
    again = {s.name: s for s in plan(read_study(written(tmp_path, other)), StudyPaths("town"))}
    assert again["collect buyer"].writes == asked.writes
    other = text.replace("temperature: 0.5", "temperature: 0.6")
    again = {s.name: s for s in plan(read_study(written(tmp_path, other)), StudyPaths("town"))}
    assert again["collect buyer"].writes != asked.writes
    with pytest.raises(WolvesError, match="expected one speaker 'clever', found 2"):
        plan(read_study(written(tmp_path, text.replace("clever+high", "clever"))), StudyPaths("t"))


def test_a_cast_is_played_read_and_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, TEXT)
    # Two declarations of six landowners, two purchases of six speculators.
    before = told(capsys, "plan", path)
    assert "2 speakers" not in before and "24" in before.splitlines()[-2].split()
    assert "--seat speculator=self" in told(capsys, "run", path, "--commands")
    stages = [
        s
        for s in in_order(plan(read_study(path), StudyPaths("town")))
        if s.name.split()[0] in KINDS
    ]
    for stage in stages:
        for file, content in stage.given:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        assert run(wolves, list(stage.command)) == 0, capsys.readouterr().err
    tables = StudyPaths("town").choices("buyer")
    payoffs = pd.read_csv(tables / "payoffs.csv")
    speakers = payoffs.groupby("role")["speaker"].agg(lambda s: sorted(set(s)))
    assert speakers["speculator"] == ["simulated/buyer"]
    assert speakers["owner"] == ["simulated/honest", "simulated/low_baller"]
    assert speakers["developer"] == ["simulated/honest"]
    after = table(told(capsys, "plan", path))
    assert after["buyer"][:2] == ["12", "0"]
    journals = {file: file.read_bytes() for file in Path("llm-output").rglob("*.jsonl")}
    assert run(wolves, list(stages[1].command)) == 0
    assert journals == {file: file.read_bytes() for file in Path("llm-output").rglob("*.jsonl")}


@pytest.mark.slow
@pytest.mark.stan
def test_a_study_of_an_experiment_runs_to_its_report(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    text = TEXT + "fit: {chains: 2, warmup: 100, draws: 100, model: purchases}\n"
    path = written(tmp_path, text)
    assert run(wolves, ["study", "run", str(path)]) == 0, capfd.readouterr().err
    page = Path("rsa-output/town/report.html").read_text()
    assert "seats of owner: low_baller, honest" in page
    capfd.readouterr()
    assert run(wolves, ["study", "run", str(path)]) == 0
    assert "  > " not in capfd.readouterr().err
