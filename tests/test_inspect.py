"""Politeness as Inspect tasks: run them, and read their logs as journals are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from fault_server import KEY, Fault, FaultServer
from many_wolves.cli import run
from many_wolves.commands.choices import command as choices
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.reading.reader import read
from many_wolves.families.politeness.task.compiler import compile_trials
from many_wolves.records import Trial, blank_response, response_key
from many_wolves.store.journal_lines import journal_files, log_format

ARGUMENTS = {"goals": ["informative", "social"], "framings": "third", "items": "poem"}
SELECTION = PolitenessDesign(goals=("informative", "social"), framings=("third",), items=("poem",))
REPLICATES = 2


def spoken(trial: Trial) -> tuple[str, str]:
    """What the mock model says to a trial, and why it stopped: every status occurs."""
    place = int(trial.id, 16) % 8
    if place == 0:
        return "error", ""
    if place == 1:
        return "I will not judge a friend.", "content_filter"
    if place == 2:
        return "", "stop"
    if place == 3:
        return "Hard to say, really.", "stop"
    return f"{trial.options[place % len(trial.options)].text}", "stop"


def ask(task: str, folder: Path, **settings) -> Path:
    """Run one task with inspect's mock model; the log."""
    from inspect_ai import eval as evaluate
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    trials = {t.messages[-1].content: t for t in compile_trials(SELECTION).trials}

    def answer(messages, tools, tool_choice, config):
        text, stop = spoken(trials[messages[-1].text])
        if text == "error":
            raise RuntimeError(f"no answer with the key {KEY}")
        output = ModelOutput.from_content("mockllm/model", text, stop_reason=stop)
        output.usage = ModelUsage(input_tokens=100, output_tokens=7, total_tokens=107)
        return output

    arguments = {k: v for k, v in ARGUMENTS.items() if "literal" not in task or k == "items"}
    logs = evaluate(
        f"many_wolves/{task}",
        model=get_model("mockllm/model", custom_outputs=answer, memoize=False),
        task_args=arguments | {"replicates": REPLICATES},
        log_dir=str(folder),
        display="none",
        **settings,
    )
    return Path(logs[0].location.removeprefix("file://"))


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    """A folder with a log of each task."""
    folder = tmp_path_factory.mktemp("logs")
    for task in ("politeness", "politeness_literal"):
        ask(task, folder, reasoning_effort="low", temperature=0.5)
    return folder


@pytest.fixture(scope="module")
def readings(logs):
    from many_wolves.evals.logs import read_log

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_API_KEY", KEY)
        return [read_log(file) for file in sorted(logs.glob("*.eval"))]


def written(readings, path: Path) -> Path:
    """A journal with the same answers, as a collection would have written them."""
    spec = readings[0].responses[0].speaker
    lines = []
    for trial in compile_trials(SELECTION).trials:
        for replicate in range(REPLICATES):
            text, stop = spoken(trial)
            blank = blank_response(trial, spec, replicate)
            if text == "error":
                known = {
                    "status": "failed",
                    "error": "RuntimeError('no answer with the key [key]')",
                }
            elif stop == "content_filter":
                known = {"status": "refused", "text": text}
            elif not text:
                known = {"status": "empty"}
            else:
                value, status = read(trial.options, text)
                known = {"status": status, "text": text, "value": value}
            lines.append(json.dumps(replace(blank, **known).to_json()) + "\n")
    path.write_text("".join(lines))
    return path


def tabulated(folder: Path, *sources: Path) -> tuple[str, dict]:
    """Standard error of `wolves choices`, and the tables that it wrote."""
    errors = StringIO()
    with redirect_stderr(errors), redirect_stdout(StringIO()):
        assert run(choices, [*map(str, sources), "--out", str(folder)]) == 0, errors.getvalue()
    names = ("counts.csv", "literal.csv", "excluded.csv", "checks.json")
    return errors.getvalue(), {name: (folder / name).read_text() for name in names}


def test_logs_and_a_journal_with_the_same_answers_give_the_same_tables(
    logs, readings, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    _, from_logs = tabulated(tmp_path / "logs", logs)
    _, from_journal = tabulated(tmp_path / "journal", written(readings, tmp_path / "a.jsonl"))

    def lines(tables):
        return {
            name: sorted(text.splitlines()) if name != "checks.json" else json.loads(text)
            for name, text in tables.items()
        }

    # A log keeps its samples in another order than they were asked in; the
    # permutation tests of the checks depend on it.
    ours, theirs = lines(from_logs), lines(from_journal)
    for name in ("counts.csv", "literal.csv", "excluded.csv"):
        assert ours[name] == theirs[name]
        assert len(ours[name]) > 8
    verdicts = [{(c["name"], c["ok"]) for c in table["checks.json"]} for table in (ours, theirs)]
    assert verdicts[0] == verdicts[1]


def test_every_answer_keeps_its_key_text_and_true_status(readings, tmp_path) -> None:
    from many_wolves.store.journal_lines import read_journal

    journal = read_journal(written(readings, tmp_path / "a.jsonl"))
    ours = {r.key: r for reading in readings for r in reading.responses}
    assert ours.keys() == {r.key for r in journal.responses}
    assert len(ours) == len(journal.responses)
    for wanted in journal.responses:
        found = ours[wanted.key]
        for field in ("trial_id", "task", "cell", "answer", "replicate", "status", "value"):
            assert getattr(found, field) == getattr(wanted, field)
        assert found.text == wanted.text
        assert found.error == wanted.error
    found = Counter(r.status for r in ours.values())
    assert found.keys() == {"answered", "unparsed", "refused", "empty", "failed"}


def test_settings_of_the_run_are_the_speaker(readings) -> None:
    specs = {r.speaker.slug: r.speaker for reading in readings for r in reading.responses}
    (spec,) = specs.values()
    assert (spec.provider, spec.model) == ("mockllm", "model")
    assert (spec.effort, spec.temperature, spec.mode) == ("low", 0.5, "sample")
    assert spec.name == "mockllm/model+low"


def test_no_key_reaches_a_response(readings) -> None:
    text = json.dumps([r.to_json() for reading in readings for r in reading.responses])
    assert KEY not in text
    assert "[key]" in text


def test_the_log_holds_parameters_transcripts_and_shares(logs, readings) -> None:
    from inspect_ai.log import read_eval_log

    log = read_eval_log(next(f for f in logs.glob("*.eval") if "literal" not in f.name))
    assert log.eval.task_args["goals"] == ["informative", "social"]
    assert log.eval.task_args["scale"] == "hearts"
    assert log.eval.task_args["seed"] == 1
    assert log.eval.config.epochs == REPLICATES
    assert len(log.eval.metadata["fingerprint"]) == 16
    for sample in log.samples:
        assert any(event.event == "model" for event in sample.events)
        assert sample.metadata["goal"] in ARGUMENTS["goals"]
        if not sample.error:
            assert sample.messages[-1].role == "assistant"
    responses = [r for reading in readings for r in reading.responses if r.task == "choice"]
    called = [r for r in responses if r.status != "failed"]
    chosen = [r for r in called if r.value is not None]
    negated = [r for r in chosen if r.value.startswith("not ")]
    metrics = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    assert metrics["share_read"] == pytest.approx(len(chosen) / len(called))
    assert metrics["negated"] == pytest.approx(len(negated) / len(chosen))
    social = [r for r in chosen if r.cell["goal"] == "social"]
    assert metrics["negated_social"] == pytest.approx(
        sum(r.value.startswith("not ") for r in social) / len(social)
    )
    assert {s.scores["said"].value for s in log.samples if s.scores} >= {"refused", "empty"}


def test_a_run_under_other_settings_is_another_speaker(logs, readings, tmp_path) -> None:
    from many_wolves.evals.logs import read_log

    other = read_log(ask("politeness", tmp_path, reasoning_effort="low", top_k=5))
    specs = {r.speaker.slug for r in (*readings[0].responses, *other.responses)}
    assert len(specs) == 2
    assert other.responses[0].speaker.parameters == {"config": {"top_k": 5}}


def test_an_unfinished_run_is_read_and_reported_as_such(logs, tmp_path) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    log = read_eval_log(next(iter(logs.glob("*.eval"))))
    n, kept = len(log.samples), len(log.samples) // 2
    log.status, log.samples = "cancelled", log.samples[:kept]
    write_eval_log(log, str(tmp_path / "part.eval"))
    said, _ = tabulated(tmp_path / "table", tmp_path / "part.eval")
    assert f"'cancelled': {kept} of {n} samples" in said
    assert "inspect eval-retry" in said


def test_a_duplicate_run_counts_once_and_is_reported(logs, readings, tmp_path) -> None:
    copy = tmp_path / "copy.eval"
    first = sorted(logs.glob("*.eval"))[0]
    copy.write_bytes(first.read_bytes())
    once, tables = tabulated(tmp_path / "once", logs)
    twice, again = tabulated(tmp_path / "twice", logs, copy)
    assert again["counts.csv"] == tables["counts.csv"]
    assert "replaced by later answers" not in once
    assert f"{len(readings[0].responses)} answers left out: replaced by later answers" in twice


def test_a_log_of_another_task_is_named_and_left_out(logs, tmp_path) -> None:
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    output = ModelOutput.from_content("mockllm/model", "4")
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    model = get_model("mockllm/model", custom_outputs=[output], memoize=False)
    sums = Task([Sample("2 + 2?", target="4")], name="sums")
    evaluate(sums, model=model, log_dir=str(tmp_path / "logs"), display="none")
    said, _ = tabulated(tmp_path / "table", tmp_path / "logs", logs)
    assert "not a sample of many-wolves" in said


def test_a_log_in_json_or_under_another_name_is_read_as_well(logs, readings, tmp_path) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    from many_wolves.evals.logs import read_log

    first = sorted(logs.glob("*.eval"))[0]
    write_eval_log(read_eval_log(str(first)), str(tmp_path / "a.json"))
    (tmp_path / "b.json").write_bytes(first.read_bytes())
    (tmp_path / "speaker.json").write_text("{}")
    assert journal_files([tmp_path]) == [tmp_path / "a.json", tmp_path / "b.json"]
    for name in ("a.json", "b.json"):
        assert log_format(tmp_path / name) is not None
        read = read_log(tmp_path / name)
        assert [one.key for one in read.responses] == [one.key for one in readings[0].responses]


def test_a_damaged_log_is_an_error_with_its_fix(tmp_path) -> None:
    from many_wolves.evals.logs import read_log

    (tmp_path / "bad.eval").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(WolvesError, match="expected an Inspect log") as caught:
        read_log(tmp_path / "bad.eval")
    assert "inspect log recover" in caught.value.fix


def _break(sample: dict, how: str) -> object:
    if how == "null":
        return None
    if how == "choices":
        sample["output"]["choices"] = None
    else:
        sample["model_usage"] = {"m": None}
    return sample


@pytest.mark.parametrize("suffix", ["json", "eval"])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("null", "sample 2: left out, expected a sample, found null"),
        ("choices", "left out, expected a valid list in 'output.choices', found null"),
        ("usage", "or instance of ModelUsage in 'model_usage.m', found null"),
    ],
)
def test_an_invalid_sample_of_a_log_is_left_out_and_named(
    logs, readings, tmp_path, suffix: str, how: str, said: str
) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    first = sorted(logs.glob("*.eval"))[0]
    file = tmp_path / f"log.{suffix}"
    if suffix == "json":
        write_eval_log(read_eval_log(str(first)), str(file))
        log = json.loads(file.read_text())
        log["samples"][1] = _break(log["samples"][1], how)
        file.write_text(json.dumps(log))
    else:
        with ZipFile(first) as old, ZipFile(file, "w") as new:
            name = [one for one in old.namelist() if one.startswith("samples/")][1]
            for member in old.namelist():
                content = old.read(member)
                if member == name:
                    content = json.dumps(_break(json.loads(content), how)).encode()
                new.writestr(member, content)
    told, _ = tabulated(tmp_path / "table", file)
    assert said in told
    assert "pydantic" not in told
    assert told.count("left out") == 1
    assert "inspect eval-retry" not in told
    sources = json.loads((tmp_path / "table/meta.json").read_text())["sources"]
    assert sources[0]["responses"] == len(readings[0].responses) - 1
    assert [one["sample"] for one in sources[0]["left_out"]] == [2]


def test_an_invalid_header_of_a_log_is_one_sentence_with_its_field(logs, tmp_path) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    from many_wolves.evals.logs import read_log

    file = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(sorted(logs.glob("*.eval"))[0])), str(file))
    log = json.loads(file.read_text())
    log["stats"]["model_usage"] = {"m": None}
    file.write_text(json.dumps(log))
    with pytest.raises(WolvesError, match=r"in 'stats.model_usage.m', found null\)") as caught:
        read_log(file)
    assert "pydantic" not in caught.value.problem
    assert "recover" not in caught.value.fix


def test_an_address_or_argument_with_credentials_is_not_kept() -> None:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec

    from many_wolves.evals.speaker import speaker_of
    from many_wolves.secrets import redactor

    log = EvalLog(
        eval=EvalSpec(
            created="2026-01-01T00:00:00+00:00",
            task="politeness",
            dataset=EvalDataset(),
            model="openai-api/local/org/tester",
            model_base_url=f"https://user:{KEY}@host:8000/v1?key={KEY}",
            model_args={
                "api_key": KEY,
                "authorization": f"Bearer {KEY}",
                "credentials": KEY,
                "device": "cpu",
                "revision": "step10",
            },
            config=EvalConfig(),
        )
    )
    spec = speaker_of(log, redactor([]))
    assert spec.base_url == "https://host:8000/v1"
    assert (spec.provider, spec.model) == ("openai-compatible", "org/tester")
    assert (spec.revision, spec.parameters) == ("step10", {"model_args": {"device": "cpu"}})
    log.eval.model_base_url = f"https://host/{KEY}/v1"
    log.eval.model_args = {"device": f"cuda with {KEY}"}
    spec = speaker_of(log, redactor([KEY]))
    assert spec.base_url == "https://host/[key]/v1"
    assert spec.parameters == {"model_args": {"device": "cuda with [key]"}}


def test_an_unknown_goal_is_named_without_a_traceback(tmp_path) -> None:
    from inspect_ai._util.error import PrerequisiteError

    from many_wolves.families.politeness.task.inspect_tasks import politeness

    with pytest.raises(PrerequisiteError, match="did you mean 'social'"):
        politeness(goals="socail")


@pytest.mark.slow
def test_the_command_inspect_eval_finds_the_task_and_asks_over_http(tmp_path) -> None:
    def plan(number, prompt):
        kinds = {3: Fault("refusal"), 5: Fault("status", status=400), 6: Fault("empty")}
        return kinds.get(number)

    inspect = str(Path(sys.executable).with_name("inspect"))
    asked = ["-T", "goals=informative,social", "-T", "items=poem", "-T", "framings=third"]
    settings = ["--epochs", "2", "--reasoning-effort", "low", "--log-dir", str(tmp_path / "logs")]
    settings += ["--model", "openai-api/local/tester", "--display", "plain"]
    with FaultServer(plan) as server:
        ran = subprocess.run(
            [inspect, "eval", "many_wolves/politeness", *asked, *settings],
            env=os.environ | {"LOCAL_API_KEY": KEY, "LOCAL_BASE_URL": f"{server.url}/v1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert len(server.calls) == 16
    assert {call["body"]["reasoning_effort"] for call in server.calls} == {"low"}
    table = subprocess.run(
        [sys.executable, "-m", "many_wolves", "choices", "logs", "--out", "table"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert table.returncode == 0, table.stderr
    meta = json.loads((tmp_path / "table" / "meta.json").read_text())
    status = {"answered": 13, "refused": 1, "failed": 1, "empty": 1}
    assert meta["status"] == {"openai-compatible/tester+low": status}

    from many_wolves.evals.logs import read_log

    responses = read_log(next((tmp_path / "logs").glob("*.eval"))).responses
    assert {r.effort_used for r in responses} == {"low"}
    assert {r.replicate for r in responses} == {0, 1}
    assert {r.key for r in responses} == {
        response_key(r.trial_id, r.speaker, r.replicate) for r in responses
    }
    assert (
        next(r for r in responses if r.status == "failed").error == "Error code: 400 - status 400"
    )
