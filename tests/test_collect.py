"""The command ``wolves collect``: what it asks, what it says, and how it fails."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local_models import smollm2
from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.speakers.checkpoints import Position, expand, position, training_stage
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.store.journal_lines import read_journal
from small_trials import a_trial, keys, trials, write_trials

WEIGHTS = {"w_inf": 0.4, "w_soc": 0.1, "w_pres": 0.5, "phi": 0.5}
PARAMETERS = {
    "alpha": 4.5,
    "cost": 2.6,
    "weights": dict.fromkeys(("informative", "social", "both", "none"), WEIGHTS),
}


@pytest.fixture
def simulated(tmp_path):
    """Words that ask a simulated speaker 40 real trials, and where its journal is."""
    listed = list(trials_of(PolitenessDesign(tasks=("choice",), limit=40)))
    (tmp_path / "p.json").write_text(json.dumps(PARAMETERS))
    words = [str(write_trials(tmp_path / "t.jsonl", listed)), "--model_type", "simulated"]
    return [*words, "--parameters", str(tmp_path / "p.json"), "--out", str(tmp_path / "out")]


def test_a_second_run_asks_only_what_is_new(simulated, capfd):
    assert run(command, simulated) == 0
    journal = capfd.readouterr().out.strip()
    assert len(keys_of(journal)) == 40
    assert run(command, simulated) == 0
    assert "nothing to ask, all 40 answers exist" in capfd.readouterr().err
    assert run(command, [*simulated, "--replicates", "2"]) == 0
    found = read_journal_of(journal)
    assert len(found) == 80
    assert {r.replicate for r in found} == {0, 1}
    assert {r.status for r in found} == {"answered"}
    assert all(r.value in {o.id for o in r.options} for r in found)


def test_explain_and_dry_run_ask_nothing(simulated, tmp_path, capfd):
    assert run(command, [*simulated, "--dry-run"]) == 0
    assert "40 calls to make" in capfd.readouterr().out
    assert not (tmp_path / "out").exists()
    assert run(command, simulated) == 0
    capfd.readouterr()
    assert run(command, [*simulated, "--replicates", "2", "--explain"]) == 0
    out = capfd.readouterr().out
    assert out.count("will not be asked: the journal has its answer, status answered") == 40
    assert out.count("will be asked: the journal has no answer under these settings") == 40
    assert run(command, [*simulated, "--seed", "1", "--explain"]) == 0
    assert "differs from this one in seed 0 not 1" in capfd.readouterr().out


def test_a_dry_run_counts_the_money(tmp_path, capfd):
    listed = write_trials(tmp_path / "t.jsonl", trials(1000))
    (tmp_path / "prices.yaml").write_text("models:\n  openai/x*: {input: 100, output: 1000}\n")
    words = [str(listed), "--model_type", "api", "--dry-run", "--prices"]
    words += [str(tmp_path / "prices.yaml"), "--model_name"]
    assert run(command, [*words, "openai/xl"]) == 0
    full = dollars(capfd.readouterr().out)
    # 1,000 calls of about 13 tokens in and 8 out.
    assert 5 < full < 15
    assert run(command, [*words, "openai/xl", "--batch"]) == 0
    assert dollars(capfd.readouterr().out) == pytest.approx(full / 2, abs=0.01)
    assert run(command, [*words, "openai/xl", "--effort", "low"]) == 0
    assert dollars(capfd.readouterr().out) > 4000
    assert run(command, [*words, "openai/y"]) == 0
    assert "this model is missing" in capfd.readouterr().out


def dollars(out: str) -> float:
    (line,) = [line for line in out.splitlines() if "US dollars" in line]
    return float(line.split()[0])


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", None, "no trial"),
        ("{not json\n", 1, "expected a trial"),
        (json.dumps(a_trial(1).to_json() | {"task": "other"}) + "\n", 1, "expected id"),
        ((json.dumps(a_trial(1).to_json()) + "\n") * 2, 2, "duplicate trial"),
    ],
)
def test_a_file_that_holds_no_trials_names_line_and_fix(tmp_path, capfd, content, line, words):
    (tmp_path / "t.jsonl").write_text(content)
    assert run(command, [str(tmp_path / "t.jsonl"), "--model_type", "simulated"]) == 2
    err = capfd.readouterr().err
    assert words in err
    assert "wolves compile" in err
    assert line is None or f"line {line}:" in err


def test_missing_trials_are_to_be_compiled(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(command, ["--model_type", "simulated", "--task", "politeness"]) == 2
    err = capfd.readouterr().err
    assert "task-data/compiled/politeness.jsonl" in err
    assert "wolves compile" in err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--mode", "score", "--replicates", "2"], "one replicate in score mode"),
        (["--parameters", "nowhere.json"], "cannot be read"),
    ],
)
def test_trials_that_cannot_be_asked_are_refused(simulated, capfd, more, words):
    assert run(command, [*simulated, *more]) == 2
    assert words in capfd.readouterr().err


def test_one_journal_holds_one_speaker(simulated, tmp_path, capfd):
    journal = ["--out", str(tmp_path / "one.jsonl")]
    assert run(command, [*simulated, *journal]) == 0
    assert run(command, [*simulated, *journal, "--seed", "3"]) == 2
    assert "seed 0 not 3" in capfd.readouterr().err
    assert len(keys(tmp_path / "one.jsonl")) == 40


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step1000", Position(1000, None)),
        ("checkpoint-500", Position(500, None)),
        ("stage1-step3000-tokens13B", Position(3000, 13_000_000_000)),
        ("step10k-tokens2.5B", Position(10_000, 2_500_000_000)),
        ("ckpt_20", Position(20, None)),
        ("300Btokens", Position(None, 300_000_000_000)),
        ("main", Position(None, None)),
    ],
)
def test_step_and_tokens_are_read_from_a_name(name, expected):
    assert position(name) == expected


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("stage1-step928646-tokens3896B", ""),
        ("stage2-ingredient1-step11931-tokens50B", "stage2-ingredient1"),
        ("Phase_10-step5", "phase_10"),
        ("seed3-step5", "seed3"),
        ("backstage2-step5", ""),
        ("step5", ""),
    ],
)
def test_a_later_stage_is_read_from_a_name(name, stage):
    assert training_stage(name) == stage


def test_later_stages_come_after_earlier_ones(tmp_path):
    names = ["stage1-step9", "stage1-step10", "stage2-step1", "stage10-step0"]
    for name in reversed(names):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    found = expand(SpeakerRequest("hf", "m", tmp_path), "stage*")
    assert [w.revision for w in found] == names


def test_patterns_find_the_checkpoints_of_a_folder_in_order(tmp_path):
    for name in ("checkpoint-100", "checkpoint-20", "checkpoint-3", "runs", "final"):
        (tmp_path / name).mkdir()
        if name != "runs":
            (tmp_path / name / "config.json").write_text("{}")
    found = expand(SpeakerRequest("hf", "m", tmp_path), "checkpoint-*,final")
    assert [w.revision for w in found] == [
        "checkpoint-3",
        "checkpoint-20",
        "checkpoint-100",
        "final",
    ]
    assert found[0].path == tmp_path / "checkpoint-3"
    with pytest.raises(WolvesError, match="no checkpoint matches") as caught:
        expand(SpeakerRequest("hf", "m", tmp_path), "step*")
    assert "checkpoint-20" in caught.value.fix


@contextmanager
def a_hub(branches, tags=()):
    """A hub on loopback that knows the branches of one model, ``org/m``."""

    def refs(names, kind):
        return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": "0" * 40} for n in names]

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path.split("?")[0] == "/api/models/org/m/refs"
            found = {"branches": refs(branches, "heads"), "tags": refs(tags, "tags")}
            body = json.dumps({**found, "converts": []} if known else {"error": "no such"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_patterns_find_the_branches_of_a_hub_in_order(monkeypatch):
    pytest.importorskip("huggingface_hub")
    branches = ["main", "step1000", "step512", "step143000", "step2000-tokens4B"]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with a_hub(branches, ["step0"]) as address:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        found = expand(SpeakerRequest("hf", "org/m"), "main,step*000,step?")
        assert [(w.model, w.revision, w.path) for w in found] == [
            ("org/m", revision, None) for revision in ("main", "step1000", "step143000", "step0")
        ]
        every = [w.revision for w in expand(SpeakerRequest("vllm", "org/m"), "step*")]
        assert every == ["step0", "step512", "step1000", "step2000-tokens4B", "step143000"]
        with pytest.raises(WolvesError, match="no checkpoint matches") as caught:
            expand(SpeakerRequest("hf", "org/m"), "epoch*")
        assert "step512" in caught.value.fix
        with pytest.raises(WolvesError, match="org/other cannot be listed") as caught:
            expand(SpeakerRequest("hf", "org/other"), "step*")
        assert "one by one" in caught.value.fix


@pytest.mark.model
def test_a_checkpoint_that_cannot_be_loaded_is_recorded_and_the_rest_go_on(tmp_path, capfd):
    model = smollm2()
    capfd.readouterr()
    for name in ("checkpoint-10", "checkpoint-20", "checkpoint-30"):
        (tmp_path / "m" / name).mkdir(parents=True)
        for file in model.iterdir():
            (tmp_path / "m" / name / file.name).symlink_to(file)
    broken = tmp_path / "m" / "checkpoint-20" / "model.safetensors"
    broken.unlink()
    broken.write_bytes(b"not weights")
    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--model_type", "hf", "--model_path", str(tmp_path / "m"), "--mode"]
    words += ["score", "--revisions", "checkpoint-*,checkpoint-99", "--threads", "1"]
    assert run(command, [*words, "--out", str(tmp_path / "out")]) == 1
    out, err = capfd.readouterr()
    journals = out.split()
    assert [len(keys_of(journal)) for journal in journals] == [2, 2]
    names = [read_journal_of(journal)[0].speaker.name for journal in journals]
    assert names == ["hf/m@checkpoint-10", "hf/m@checkpoint-30"]
    faults = sorted((tmp_path / "out").rglob("*.load-error.json"))
    records = [json.loads(fault.read_text()) for fault in faults]
    assert [r["step"] for r in records] == [20, 99]
    assert "cannot be loaded" in records[0]["error"]
    assert err.count("the others continue") == 2


def keys_of(journal: str) -> list[str]:
    return keys(Path(journal))


def read_journal_of(journal: str):
    return read_journal(Path(journal)).responses
