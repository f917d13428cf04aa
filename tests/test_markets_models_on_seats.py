"""A small language model on some of twelve seats, on an oTree server."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from local_models import smollm2
from many_wolves.cli import run, wolves

pytestmark = [pytest.mark.slow, pytest.mark.model]
SMALL = ("--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "1")
MODEL_SEATS = ("owner-1", "speculator-7")


def test_smollm2_plays_on_otree_among_scripted_players(tmp_path, monkeypatch):
    """Every turn of every seat has one receipt; what fits no form gives way to the default."""
    pytest.importorskip("torch")
    model = str(smollm2())
    monkeypatch.chdir(tmp_path)
    scripted = {"provider": "simulated", "model": "t", "parameters": {"strategy": "truthful"}}
    Path("truthful.json").write_text(json.dumps(scripted))
    Path("parameters.json").write_text('{"strategy": "truthful"}')
    small = {"provider": "hf", "path": model, "max_tokens": 40, "threads": 1}
    Path("small.json").write_text(json.dumps(small))
    assert run(wolves, ["compile", "--task", "planning", *SMALL]) == 0
    words = ["collect", "--task", "planning", "--engine", "otree", "--provider", "simulated"]
    words += ["--model_name", "t", "--parameters", "parameters.json"]
    words += [w for role in ("owner", "developer") for w in ("--seat", f"{role}=truthful.json")]
    words += [w for seat in MODEL_SEATS for w in ("--seat", f"{seat}=small.json")]
    assert run(wolves, words) == 0
    assert run(wolves, ["choices", "llm-output/markets", "--out", "tables"]) == 0
    meta = json.loads(Path("tables/meta.json").read_text())
    assert (meta["unfinished"], meta["repeated"]) == ([], 0)
    answers = pd.read_csv("tables/answers.csv")
    asked = answers[answers["seat"].isin(MODEL_SEATS)]
    assert set(asked["speaker"]) == {f"hf/{Path(model).name}"}
    print("SmolLM2:", dict(Counter(zip(asked["stage"], asked["status"], strict=True))))
    assert len(pd.read_csv("tables/payoffs.csv")) == 12
    (journal,) = Path("llm-output/markets/sessions").glob("*-0.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    receipts = Counter(line["turn"] for line in lines if line["event"] == "receipt")
    assert set(receipts.values()) == {1}
    print("receipts:", Counter(li["status"] for li in lines if li["event"] == "receipt"))
