"""Studies of checkpoints and of efforts that run for real."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fault_server import KEY, FaultServer
from many_wolves.study import StateFile, StudyPaths, plan, read_study
from many_wolves.study.runner import Runner
from study_files import checkpoint, table, told, written

MODELS = """
study: checkpoints
question: Does anything move?
trials: {goals: [informative], items: [cake, poem], limit: 32}
collect: {mode: score, prompt_format: completion, threads: 1}
fit: {chains: 2, warmup: 100, draws: 100, utilities: [inf, soc]}
speakers:
  - {name: tiny, provider: hf, path: run, revisions: ["checkpoint-*"]}
"""

EFFORTS = """
study: efforts
trials: {goals: [informative], items: [cake, poem], limit: 32}
collect: {replicates: 2, connections: 8}
fit: {chains: 2, warmup: 100, draws: 100, utilities: [inf, soc]}
speakers:
  - name: claude
    provider: anthropic
    model: claude-haiku-4-5
    base_url: ADDRESS
    efforts: [none, low, medium]
"""
EFFORT_NAMES = ("none", "low", "medium")


def tiny_model(folder: Path, seed: int) -> Path:
    """A model folder with random weights that reads and writes bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<|end|>", *letters])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|end|>")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        eos_token_id=0,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def ran(path: Path, places: StudyPaths):
    """Run a study but for its figures, which take as long as the rest; the report has them too."""
    stages = [stage for stage in plan(read_study(path), places) if stage.name != "figures"]
    after = tuple(name for name in stages[-1].after_all if name != "figures")
    stages[-1] = replace(stages[-1], after_all=after)
    return Runner(StateFile(places.state), places.logs).run(stages)


def rows_of(report: Path) -> dict[str, list[str]]:
    """The table of the section `Who was asked` by the speaker's name."""
    page = report.read_text()
    section = page[page.index('id="speakers"') :]
    body = section[: section.index("</table>")]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr")[1:]]
    return {row[0]: row[1:] for row in rows if row}


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.model
def test_a_study_of_checkpoints_runs_and_a_broken_one_does_not_stop_it(
    tmp_path, monkeypatch, capsys
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    for step in (2, 10):
        tiny_model(tmp_path / "run" / f"checkpoint-{step}", seed=step)
    checkpoint(tmp_path / "run" / "checkpoint-30")
    path = written(tmp_path, MODELS)
    places = StudyPaths("checkpoints")
    outcome = ran(path, places)
    assert outcome.failed == ("collect tiny@checkpoint-30",)
    assert set(outcome.skipped) == {"choices tiny@checkpoint-30", "fit tiny@checkpoint-30"}
    means = []
    for step in (2, 10):
        with (places.fit(f"tiny@checkpoint-{step}") / "summary.csv").open() as handle:
            means.append([row["mean"] for row in csv.DictReader(handle)])
    assert means[0] != means[1]
    rows = rows_of(places.report)
    assert rows["tiny@checkpoint-2"][1:3] == ["checkpoint-2", "2"]
    assert rows["tiny@checkpoint-10"][1:3] == ["checkpoint-10", "10"]
    assert "Skipped, because they have no fit" in places.report.read_text()

    status = told(capsys, "status", path)
    assert re.search(r"fit tiny@checkpoint-10 +up to date", status)
    assert re.search(r"collect tiny@checkpoint-30 +to do: not run yet \(0 of", status)


def option_for(body: dict) -> str:
    """An option of the prompt: the one that its thought budget and its words lead to."""
    prompt = body["messages"][-1]["content"]
    prompt = prompt if isinstance(prompt, str) else prompt[0]["text"]
    options = re.findall(r"^[A-Z]\) (.*)$", prompt, re.M)
    thought = (body.get("thinking") or {}).get("budget_tokens", 0)
    return sorted(options)[(len(prompt) + thought) % len(options)]


@pytest.mark.slow
@pytest.mark.stan
def test_a_study_of_efforts_runs_over_http(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    with FaultServer() as server:
        server.answer = option_for
        path = written(tmp_path, EFFORTS.replace("ADDRESS", server.url))
        planned = told(capsys, "plan", path)
        places = StudyPaths("efforts")
        outcome = ran(path, places)
    assert not outcome.failed
    asked = [len(server.calls) // 3] * 3
    found = table(planned)
    assert [int(found[f"claude+{e}"][1].replace(",", "")) for e in EFFORT_NAMES] == asked
    budgets = [(c["body"].get("thinking") or {}).get("budget_tokens") for c in server.calls]
    assert {budget: budgets.count(budget) for budget in set(budgets)} == dict(
        zip((None, 4096, 10000), asked, strict=True)
    )
    rows = rows_of(tmp_path / "rsa-output/efforts/report.html")
    assert [rows[f"claude+{e}"][1:3] for e in EFFORT_NAMES] == [
        ["none", "none"],
        ["low", "4096 tokens"],
        ["medium", "10000 tokens"],
    ]
    after = table(told(capsys, "plan", path))
    assert [after[f"claude+{e}"][:2] for e in EFFORT_NAMES] == [[str(n), "0"] for n in asked]
    state = json.loads((tmp_path / "rsa-output/efforts/study.json").read_text())["stages"]
    assert {f"fit claude+{e}" for e in EFFORT_NAMES} < set(state)
    for file in (tmp_path / "rsa-output").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
