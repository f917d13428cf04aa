"""The shipped studies, and studies of the same shape that run for real."""

from __future__ import annotations

import csv
import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import fault_server
from fault_server import KEY, FaultServer
from many_wolves.cli import run
from many_wolves.collection import read_trials
from many_wolves.commands.compile import command as compile_trials
from many_wolves.commands.study import command as study
from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.records import SpeakerSpec, blank_response
from many_wolves.sources import read_source
from many_wolves.speakers.checkpoints import position
from many_wolves.study import Places, StateFile, cast, in_order, plan, read_study
from many_wolves.study.running import Runner
from many_wolves.study.stages import Stage

STUDIES = Path(__file__).parents[1] / "studies"
CHOICE = 4 * 4 * 13
LITERAL = 8 * 4 * 13
"""Trials of a full design on hearts: goals x states x items, utterances x states x items."""


def written(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text)
    return path


def told(capsys, *arguments: str | Path) -> str:
    """What `wolves study` prints."""
    status = run(study, [str(argument) for argument in arguments])
    out = capsys.readouterr()
    assert status == 0, out.err
    return out.out


def table(out: str) -> dict[str, list[str]]:
    """Numbers of every speaker by its name."""
    lines = [line.split() for line in out.splitlines()]
    start = next(i for i, line in enumerate(lines) if line[:2] == ["speaker", "answered"])
    return {line[0]: line[1:] for line in lines[start + 1 : -1]}


def checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


class TestShipped:
    def test_reasoning_effort_is_three_families_at_three_efforts(self, capsys, tmp_path) -> None:
        out = told(capsys, "plan", STUDIES / "reasoning-effort.yaml")
        rows = table(out)
        efforts = ("none", "low", "medium")
        names = [f"{who}+{effort}" for who in ("claude", "gpt", "gemini") for effort in efforts]
        assert list(rows)[:-1] == names
        calls = 3 * (CHOICE + LITERAL)
        assert {int(rows[name][1].replace(",", "")) for name in names} == {calls}
        assert f"{9 * calls:,}" in out
        assert "32 stages: 10 fit, 1 compile, 9 collect, 9 choices" in out
        dollars = [float(rows[f"claude+{e}"][4].replace(",", "")) for e in efforts]
        assert 0 < dollars[0] < dollars[1] < dollars[2]
        assert all("price as of 2026-" in " ".join(rows[name]) for name in names)

    def test_every_effort_of_reasoning_effort_is_one_that_its_model_takes(self) -> None:
        from many_wolves.speakers.api_model import open_model

        for speaker in cast(read_study(STUDIES / "reasoning-effort.yaml")):
            spec = SpeakerSpec(
                speaker.entry.provider, speaker.entry.model, effort=speaker.effort, max_tokens=16000
            )
            # The request is rehearsed on loopback; no provider is called.
            assert open_model(spec, KEY, batch=False).effort_used == speaker.effort

    def test_pythia_scaling_is_sizes_and_steps(self, capsys) -> None:
        study_of = read_study(STUDIES / "pythia-scaling.yaml")
        casts = list(cast(study_of))
        assert len(casts) == 10 * 10
        assert {c.entry.model for c in casts} == {
            f"EleutherAI/pythia-{size}"
            for size in ["14m", "31m", "70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b"]
        }
        assert {c.asking.prompt_format for c in casts} == {"completion"}
        steps = [int(c.revision.removeprefix("step")) for c in casts[:10]]
        assert steps == sorted(steps)
        assert (steps[0], steps[-1]) == (0, 143000)
        sizes = [float(s.labels["parameters"]) for s in study_of.speakers]
        assert sizes == sorted(sizes)
        out = told(capsys, "plan", STUDIES / "pythia-scaling.yaml")
        assert f"{100 * 4 * (16 + 32):,}" in out
        assert "305 stages" in out

    @pytest.mark.parametrize(("name", "sizes"), [("olmo", 4), ("qwen", 7)])
    def test_families_of_models_give_their_sizes_and_tokens(self, name, sizes) -> None:
        casts = list(cast(read_study(STUDIES / f"{name}-scaling.yaml")))
        parameters = [float(c.entry.labels["parameters"]) for c in casts]
        assert parameters == sorted(parameters) and len(set(parameters)) == sizes
        assert len({c.entry.labels["family"] for c in casts}) == 1
        for c in casts:
            # A name says the size in billions, rounded: OLMo-2-1124-7B has 7.30e9.
            (said,) = re.findall(r"-([0-9.]+)B", c.entry.model)
            assert float(c.entry.labels["parameters"]) == pytest.approx(1e9 * float(said), rel=0.5)
            told_of = float(c.entry.labels.get("tokens", 0)) or position(c.revision).tokens
            assert told_of and told_of >= 1e9

    def test_post_training_is_two_bases_two_data_sets_two_algorithms(
        self, capsys, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        entries = read_study(STUDIES / "post-training.yaml").speakers
        runs = [entry for entry in entries if entry.revisions]
        labels = {tuple(entry.labels.values()) for entry in runs}
        assert len(runs) == len(labels) == 2 * 2 * 2
        assert {len(set(values)) for values in zip(*labels, strict=True)} == {2}
        for entry in runs:
            for step in (1000, 50, 200):
                checkpoint(Path(str(entry.path)) / f"checkpoint-{step}")
        casts = [c for c in cast(read_study(STUDIES / "post-training.yaml")) if c.revision]
        names = [c.revision for c in casts[:3]]
        assert names == ["checkpoint-50", "checkpoint-200", "checkpoint-1000"]
        out = told(capsys, "plan", STUDIES / "post-training.yaml")
        assert (
            f"26 speakers  {0:8}  {26 * (CHOICE + LITERAL):,}".split()
            == (
                next(line for line in out.splitlines() if line.startswith("26 speakers")).split()[
                    :4
                ]
            )
        )

    def test_without_the_checkpoints_the_message_names_speaker_and_folder(
        self, capsys, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert run(study, ["plan", str(STUDIES / "post-training.yaml")]) == 2
        said = capsys.readouterr().err
        assert "models/post-training/llama-ultrafeedback-dpo" in said
        assert "speaker 'llama-ultrafeedback-dpo'" in said
        assert "`path` in the study file" in said

    def test_a_dry_run_prints_a_command_a_stage_and_the_cost(self, capsys) -> None:
        out = told(capsys, "run", STUDIES / "reasoning-effort.yaml", "--dry-run")
        commands = [line for line in out.splitlines() if not line.startswith("# ")]
        assert len(commands) == 32
        assert all(line.startswith("uv run wolves ") for line in commands)
        asked = [line for line in commands if line.startswith("uv run wolves collect")]
        assert [re.search(r"--effort (\w+)", line)[1] for line in asked] == 3 * [  # type: ignore[index]
            "none",
            "low",
            "medium",
        ]
        assert any("US dollars" in line for line in out.splitlines() if line.startswith("# "))


@pytest.mark.parametrize(
    ("text", "line", "problem", "mend"),
    [
        ("trials:\n  seed: 2\n  goals: [social,\n    socail]", 5, "'socail'", "'social'"),
        ("trials: {framings: [forth]}", 3, "'forth'", "'first'"),
        ("trials: {items: [pome]}", 3, "'pome'", "'poem'"),
        ("trials: {scale: harts}", 3, "'harts'", "'hearts'"),
    ],
)
def test_a_word_that_the_sources_lack_is_found_in_the_study_file(
    tmp_path, capsys, text: str, line: int, problem: str, mend: str
) -> None:
    who = "speakers: [{name: a, provider: openai, model: gpt-5}]"
    path = written(tmp_path, f"study: s\n{who}\n{text}\n")
    for words in (["run", str(path), "--dry-run"], ["plan", str(path)], ["run", str(path)]):
        assert run(study, words) == 2
        said = capsys.readouterr().err
        assert f"{path}, line {line}: trials." in said
        assert problem in said.split("Mend:")[0]
        assert mend in said.split("Mend:")[1]


@pytest.mark.parametrize(
    ("speaker", "problem"),
    [
        ("{name: a, provider: openai, model: m, efforts: [low, low]}", "found twice: low"),
        ("{name: a, provider: hf, model: m, revisions: [step1, step1]}", "found twice: step1"),
        ("{name: a, provider: openai, model: m, efforts: [slow]}", "found 'slow'"),
        ("{name: a, provider: openai, model: m, revisions: [step1]}", "only of hf or vllm"),
        ("{name: a, provider: hf, prepare: smollm2, revisions: [x]}", "with `model` or `path`"),
        ("{name: a, provider: simulated, parameters: {x: 1}, efforts: [low]}", "does not reason"),
        ("{name: a, provider: openai, model: m, mode: score}", "gives no probability"),
    ],
)
def test_what_a_speaker_does_not_take_is_found_before_anything_runs(
    tmp_path, speaker: str, problem: str
) -> None:
    path = written(tmp_path, f"study: s\nspeakers:\n  - {speaker}\n")
    with pytest.raises(WolvesError, match=problem) as caught:
        read_study(path)
    assert caught.value.line == 3
    assert caught.value.mend


def test_patterns_and_names_of_checkpoints_are_speakers_with_folders_of_their_own(
    tmp_path,
) -> None:
    for name in ("checkpoint-20", "checkpoint-100", "final"):
        checkpoint(tmp_path / "run" / name)
    path = written(
        tmp_path,
        f"study: s\nspeakers:\n  - {{name: a, provider: hf, path: {tmp_path / 'run'}, "
        'revisions: ["checkpoint-*", final]}\n',
    )
    found = read_study(path)
    assert [c.name for c in cast(found)] == ["a@checkpoint-20", "a@checkpoint-100", "a@final"]
    stages = {stage.name: stage for stage in plan(found, Places("s"))}
    asked = stages["collect a@checkpoint-20"]
    assert asked.reads[-1] == tmp_path / "run" / "checkpoint-20"
    assert asked.command[asked.command.index("--revisions") + 1] == "checkpoint-20"
    fits = [stage.writes for name, stage in stages.items() if name.startswith("fit a")]
    assert len(set(fits)) == 3


def test_a_pattern_that_fits_nothing_says_what_there_is(tmp_path) -> None:
    checkpoint(tmp_path / "run" / "checkpoint-20")
    text = f"study: s\nspeakers: [{{name: a, provider: hf, path: {tmp_path / 'run'}, "
    found = read_study(written(tmp_path, text + 'revisions: ["step*"]}]\n'))
    with pytest.raises(WolvesError, match="no checkpoint fits 'step\\*'") as caught:
        list(cast(found))
    assert "checkpoint-20" in caught.value.mend


def test_status_and_plan_count_the_answers_that_are_there(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(
        tmp_path,
        "study: s\ntrials: {items: [cake]}\ncollect: {replicates: 2}\n"
        "speakers: [{name: a, provider: openai, model: gpt-5, efforts: [low]}]\n",
    )
    assert "answered" not in told(capsys, "status", path)
    stages = {stage.name: stage for stage in plan(read_study(path), Places("s"))}
    assert run(compile_trials, list(stages["compile"].command[1:])) == 0
    trials = read_trials(Path("rsa-output/s/trials.jsonl"))
    spec = SpeakerSpec("openai", "gpt-5", effort="low")
    kept = [blank_response(trial, spec, r) for r in (0, 1) for trial in trials[:4]]
    kept = [replace(response, status="refused") for response in kept[:5]] + kept[5:]
    journal = stages["collect a+low"].writes[0]
    journal.parent.mkdir(parents=True)
    journal.write_text("".join(json.dumps(r.to_json()) + "\n" for r in kept))
    capsys.readouterr()
    total = 2 * (4 * 4 + 8 * 4)
    line = next(s for s in told(capsys, "status", path).splitlines() if "collect a+low" in s)
    assert line.endswith(f"to do: not run yet (5 of {total} answered)")
    assert table(told(capsys, "plan", path))["a+low"][:2] == ["5", str(total - 5)]


def test_fits_that_are_not_there_are_left_out_by_name(tmp_path, capsys) -> None:
    from many_wolves.commands.report import present

    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "fit.json").write_text("{}")
    found, words = present([tmp_path / "a", tmp_path / "b"])
    assert found == (tmp_path / "a",)
    assert str(tmp_path / "b") in words and str(tmp_path / "a") not in words
    assert words in capsys.readouterr().err
    with pytest.raises(WolvesError, match="found none in 1 folders"):
        present([tmp_path / "b"])


def test_a_stage_that_makes_do_runs_with_what_there_is(tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text('x')\n")

    def stage(name: str, works: bool = True, **more) -> Stage:
        out = tmp_path / name
        target = out if works else tmp_path / "missing" / name
        return Stage(name, (str(target),), reads=(), writes=(out,), **more)

    def outcome(*stages: Stage):
        state = StateFile(tmp_path / "state.json")
        runner = Runner(state, tmp_path, lambda line: None, (sys.executable, str(program)))
        return runner.run(stages)

    good, bad, worse = stage("good"), stage("bad", works=False), stage("worse", works=False)
    report = stage("report", after_all=("good", "bad"))
    hopeless = stage("hopeless", after_all=("bad", "worse"))
    assert in_order([report, good, bad])[-1] is report
    done = outcome(report, hopeless, good, bad, worse)
    assert set(done.ran) == {"good", "report"}
    assert done.skipped == ("hopeless",)


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


def ran(path: Path, places: Places):
    """Run a study but for its figures, which take as long as the rest; the report has them too."""
    stages = [stage for stage in plan(read_study(path), places) if stage.name != "figures"]
    after = tuple(name for name in stages[-1].after_all if name != "figures")
    stages[-1] = replace(stages[-1], after_all=after)
    return Runner(StateFile(places.state), places.logs, print).run(stages)


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
    places = Places("checkpoints")
    outcome = ran(path, places)
    assert outcome.failed == ("collect tiny@checkpoint-30",)
    assert set(outcome.skipped) == {"choices tiny@checkpoint-30", "fit tiny@checkpoint-30"}
    means = []
    for step in (2, 10):
        with (places.fit(f"tiny@checkpoint-{step}") / "summary.csv").open() as handle:
            means.append([row["mean"] for row in csv.DictReader(handle)])
    assert means[0] != means[1]
    rows = rows_of(places.report)
    assert rows["run@checkpoint-2"][1:3] == ["checkpoint-2", "2"]
    assert rows["run@checkpoint-10"][1:3] == ["checkpoint-10", "10"]
    assert "Left out, since there is no fit" in places.report.read_text()

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
    whole = fault_server._messages

    def answered(body, kind):
        monkeypatch.setattr(fault_server, "ANSWER", option_for(body))
        return whole(body, kind)

    monkeypatch.setattr(fault_server, "_messages", answered)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    with FaultServer() as server:
        path = written(tmp_path, EFFORTS.replace("ADDRESS", server.url))
        planned = told(capsys, "plan", path)
        places = Places("efforts")
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
    name = "claude-haiku-4-5"
    assert [rows[f"{name}+{e}"][1:3] for e in EFFORT_NAMES] == [
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


def test_every_shipped_price_has_a_date_and_a_source() -> None:
    table_of = read_source(shipped("task-data/prices.yaml")).entries()
    sources = table_of["sources"].entries()
    for pattern, entry in table_of["models"].entries().items():
        fields = entry.entries()
        assert re.fullmatch(r"20\d\d-\d\d", fields["as_of"].words()), pattern
        assert fields["source"].words() in sources, pattern
        unsourced = fields["source"].words() == "memory"
        assert unsourced == ("verified" in fields and not fields["verified"].flag()), pattern


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        ("{input: 100, output: 10, verified: false}", "price not verified"),
        ("{input: 100, output: 10, as_of: 2026-03, source: x}", "price as of 2026-03"),
    ],
)
def test_a_dry_run_says_how_good_the_price_is(tmp_path, capsys, entry, remark) -> None:
    from asking import trials, write_trials
    from many_wolves.commands.collect import command as collect

    (tmp_path / "prices.yaml").write_text(f"models:\n  openai/m: {entry}\n")
    asked = write_trials(tmp_path / "trials.jsonl", trials(10))
    words = ["--provider", "openai", "--model_name", "m", "--prices", str(tmp_path / "prices.yaml")]
    assert run(collect, [str(asked), *words, "--dry-run", "--out", str(tmp_path)]) == 0
    (line,) = [s for s in capsys.readouterr().out.splitlines() if "US dollars" in s]
    assert line.endswith(f"({remark})")


def test_every_command_of_a_plan_is_one_that_wolves_takes(capsys) -> None:
    out = told(capsys, "run", STUDIES / "reasoning-effort.yaml", "--dry-run")
    for line in out.splitlines():
        if line.startswith("# "):
            continue
        words = shlex.split(line)[3:]
        module = __import__(f"many_wolves.commands.{words[0]}", fromlist=["command"])
        context = module.command.make_context(words[0], words[1:])
        assert context.params
