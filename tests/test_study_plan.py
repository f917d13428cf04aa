"""A study before it runs: wrong words and speakers, its checkpoints, answers that are there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from many_wolves.cli import run
from many_wolves.collection import read_trials
from many_wolves.commands.collect import command as collect
from many_wolves.commands.compile import command as compile_trials
from many_wolves.commands.study import command as study
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec, blank_response
from many_wolves.study import StudyPaths, cast, plan, read_study
from study_files import checkpoint, table, told, written


def test_a_fit_depends_on_its_program_and_on_the_defaults_of_its_options(tmp_path) -> None:
    text = "study: s\nhuman: [yoon2020]\nspeakers: [{name: a, provider: openai, model: gpt-5}]\n"
    stages = plan(read_study(written(tmp_path, text)), StudyPaths("s"))
    fits = [one for one in stages if one.command[0] == "fit"]
    assert len(fits) == 2
    for fit in fits:
        assert {"stan_model", "options.py"} <= {path.name for path in fit.reads}


@pytest.mark.parametrize(
    ("text", "line", "problem", "fix"),
    [
        ("trials:\n  seed: 2\n  goals: [social,\n    socail]", 5, "'socail'", "'social'"),
        ("trials: {framings: [forth]}", 3, "'forth'", "'first'"),
        ("trials: {items: [pome]}", 3, "'pome'", "'poem'"),
        ("trials: {scale: harts}", 3, "'harts'", "'hearts'"),
    ],
)
def test_a_word_that_the_sources_lack_is_found_in_the_study_file(
    tmp_path, capsys, text: str, line: int, problem: str, fix: str
) -> None:
    who = "speakers: [{name: a, provider: openai, model: gpt-5}]"
    path = written(tmp_path, f"study: s\n{who}\n{text}\n")
    for words in (["run", str(path), "--dry-run"], ["plan", str(path)], ["run", str(path)]):
        assert run(study, words) == 2
        said = capsys.readouterr().err
        assert f"{path}, line {line}: trials." in said
        assert problem in said.split("Fix:")[0]
        assert fix in said.split("Fix:")[1]


def test_a_folder_without_a_file_of_sources_is_found_in_the_study_file(tmp_path, capsys) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "items.yaml").write_text("poem: {}\n")
    who = "speakers: [{name: a, provider: openai, model: gpt-5}]"
    path = written(tmp_path, f"study: s\n{who}\ntrials:\n  sources: {folder}\n")
    assert run(study, ["plan", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}, line 4: trials.sources: {folder}: expected items.yaml" in said
    assert "found no scales.yaml, utterances.yaml" in said


def test_a_study_hands_its_names_and_labels_to_figures_findings_and_report(tmp_path) -> None:
    text = "study: s\nspeakers:\n"
    text += "  - {name: a, provider: openai, model: m, efforts: [low, high], labels: {x: 1}}\n"
    places = StudyPaths("s")
    stages = {one.name: one for one in plan(read_study(written(tmp_path, text)), places)}
    for stage in ("figures", "findings", "report"):
        given = {path: json.loads(content) for path, content in stages[stage].given}
        assert given == {
            places.labels(f"a+{effort}"): {"speaker": f"a+{effort}", "x": 1}
            for effort in ("low", "high")
        }


@pytest.mark.parametrize(
    ("speaker", "problem"),
    [
        ("{name: a, provider: openai, model: m, efforts: [low, low]}", "found a duplicate: low"),
        ("{name: a, provider: hf, model: m, revisions: [step1, step1]}", "a duplicate: step1"),
        ("{name: a, provider: openai, model: m, efforts: [slow]}", "found 'slow'"),
        ("{name: a, provider: openai, model: m, revisions: [step1]}", "only for hf or vllm"),
        ("{name: a, provider: hf, prepare: smollm2, revisions: [x]}", "with `model` or `path`"),
        ("{name: a, provider: simulated, parameters: {x: 1}, efforts: [low]}", "does not reason"),
        ("{name: a, provider: openai, model: m, mode: score}", "does not give the probabilities"),
        ("{name: a, provider: openai, model: m, labels: {speaker: b}}", "no label 'speaker'"),
    ],
)
def test_what_a_speaker_does_not_take_is_found_before_anything_runs(
    tmp_path, speaker: str, problem: str
) -> None:
    path = written(tmp_path, f"study: s\nspeakers:\n  - {speaker}\n")
    with pytest.raises(WolvesError, match=problem) as caught:
        read_study(path)
    assert caught.value.line == 3
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "line", "problem", "fix"),
    [
        ("human: [yoon2020]\ntrials: {items: [pome]}", 3, "'pome'", "'poem'"),
        ("data: [{name: x, data: zhao2025, speaker: gpt4o}]", 2, "'gpt4o'", "gpt-4o-2024-11-20"),
        ("human: [yoon2020]\nreport: {figures: [weihgts]}", 3, "'weihgts'", "'weights'"),
        ("speakers: [{name: a, provider: hf, prepare: smol}]", 2, "'smol'", "models list"),
        ("speakers: [{name: a, provider: opnai, model: m}]", 2, "opnai", "mean 'openai'?"),
        (
            "speakers: [{name: a, provider: openai, model: gpt-5-mini, temperature: 1.0}]",
            *(2, "temperature", "temperature"),
        ),
        (
            "speakers: [{name: a, provider: openai, model: gpt-4o, efforts: [low]}]",
            *(2, "reasoning effort", "none"),
        ),
    ],
)
def test_names_and_settings_that_nothing_has_are_found_by_the_plan(
    tmp_path, capsys, text: str, line: int, problem: str, fix: str
) -> None:
    path = written(tmp_path, f"study: s\n{text}\n")
    assert run(study, ["plan", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}, line {line}: " in said
    assert problem in said.split("Fix:")[0]
    assert fix in said.split("Fix:")[1]


SEATED = "cast: {owner: self, developer: {strategy: truthful}, speculator: {strategy: truthful}}"
API = "speakers: [{name: a, provider: openai, model: gpt-4o}]"
WEIGHTS = "{informative: {w_inf: 0.9, w_soc: 0.9, w_pres: 0.4, phi: 0.5}}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"trials: {{tasks: [literal]}}\n{API}", "there is nothing to fit"),
        (f"fit: {{variant: no_social}}\n{API}", "a variant of the model, found 'no_social'"),
        ("speakers: [{name: a, provider: hf, path: x, batch: true}]", "no batch mode"),
        (
            "trials: {goals: [informative]}\nspeakers: [{name: a, provider: simulated, "
            f"parameters: {{alpha: 4, cost: 2, weights: {WEIGHTS}}}}}]",
            "weights that sum to 1, found 2.2",
        ),
        (f"tasks: [{{task: dilemma, engine: otree}}]\n{API}", "no sessions on an engine"),
        (
            f"tasks: [{{task: dilemma, mode: score}}]\n{API}",
            "does not give the probabilities",
        ),
        (f"tasks: [{{task: planning, {SEATED}, engine: otre}}]\n{API}", "engine 'otre'"),
        (f"collect: {{prices: no.yaml}}\n{API}", "cannot be read"),
    ],
)
def test_what_a_task_or_a_speaker_does_not_take_is_found_by_the_plan(
    tmp_path, capsys, text: str, problem: str
) -> None:
    assert run(study, ["plan", str(written(tmp_path, f"study: s\n{text}\n"))]) == 2
    said = capsys.readouterr().err
    assert problem in said.split("Fix:")[0]
    assert "Fix:" in said


def model(folder: Path, **files: str | None) -> Path:
    """A folder that looks like a model, with some files changed or left out."""
    folder.mkdir()
    usual = {
        "config.json": "{}",
        "model.safetensors": "weights",
        "tokenizer.json": "{}",
        "tokenizer_config.json": '{"chat_template": "{{ messages[0].content }}"}',
    }
    for name, text in (usual | files).items():
        if text is not None:
            (folder / name).write_text(text)
    return folder


POINTER = "version https://git-lfs.github.com/spec/v1\n"
BASE = {"tokenizer_config.json": "{}"}
INDEX = json.dumps({"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": None}, "expected a Hugging Face model folder"),
        ({"config.json": "{"}, "expected JSON"),
        ({"model.safetensors": None}, "holds no weights"),
        ({"model.safetensors": POINTER}, "Git LFS pointer"),
        ({"model.safetensors.index.json": INDEX}, "1 of 2 files of weights are missing"),
        ({"tokenizer.json": None, "tokenizer_config.json": None}, "holds no tokenizer"),
        ({"tokenizer_config.json": '{"chat_template": "{% for %}"}'}, "cannot be read"),
        (BASE, "no chat template"),
        ({"config.json": None, "adapter_config.json": "{}"}, "this is an adapter"),
    ],
)
def test_a_folder_that_cannot_be_loaded_is_named_before_it_is(tmp_path, capsys, files, words):
    folder = model(tmp_path / "m", **files)
    path = written(tmp_path, f"study: s\nspeakers: [{{name: a, provider: hf, path: {folder}}}]\n")
    said = told(capsys, "plan", path)
    assert f"Before it can run: {path}, line 2: speakers.0.path: {folder}" in said
    assert words in said


def test_a_switch_in_place_of_a_number_is_told_what_is_wanted(tmp_path, capsys) -> None:
    speakers = "speakers: [{name: a, provider: simulated, parameters: {strategy: truthful}}]"
    path = written(tmp_path, f"study: s\ntrials: {{replicates: no}}\n{speakers}\n")
    assert run(study, ["plan", str(path)]) == 2
    said = capsys.readouterr().err
    assert "line 2: trials.replicates: expected a number greater than or equal to 1" in said
    assert "Fix: write a number" in said


def test_a_missing_folder_adapter_or_gpu_is_named_by_plan_and_dry_run(tmp_path, capsys) -> None:
    whole = model(tmp_path / "m")
    path = written(
        tmp_path,
        f"study: s\nspeakers:\n  - {{name: a, provider: hf, path: {tmp_path / 'none'}}}\n"
        f"  - {{name: b, provider: hf, path: {whole}, adapter: {whole}}}\n"
        f"  - {{name: c, provider: hf, path: {whole}, revisions: [step1]}}\n"
        f"  - {{name: d, provider: hf, path: {whole}}}\n",
    )
    for words in (["plan"], ["run", "--dry-run"]):
        said = told(capsys, *words, path)
        assert "line 3: speakers.0.path" in said and "no such folder" in said
        assert "line 4: speakers.1.adapter" in said and "a LoRA adapter" in said
        assert "line 5: speakers.2.revisions" in said
        assert said.count("Before it can run") == 3


def test_plan_and_status_are_printed_as_json(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, f"study: s\n{API}\ntrials: {{items: [cake]}}\n")
    planned = json.loads(told(capsys, "plan", path, "--json"))
    (speaker,) = planned["speakers"]
    assert speaker["speaker"] == "a" and speaker["calls"] == planned["trials"] > 0
    assert "OPENAI_API_KEY has no key" in planned["lacking"][0]
    progress = json.loads(told(capsys, "status", path, "--json"))
    assert [one["stage"] for one in progress["stages"]] == [s["name"] for s in planned["stages"]]
    assert progress["stages"][0]["to_do"] and progress["stages"][0]["seconds"] is None


def test_the_plan_names_the_key_that_is_missing(tmp_path, capsys, monkeypatch) -> None:
    path = written(tmp_path, "study: s\nspeakers: [{name: a, provider: openai, model: gpt-4o}]\n")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert run(study, ["plan", str(path)]) == 0
    assert "OPENAI_API_KEY has no key" in capsys.readouterr().out
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test-0000")
    assert run(study, ["plan", str(path)]) == 0
    assert "Before it can run" not in capsys.readouterr().out


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
    stages = {stage.name: stage for stage in plan(found, StudyPaths("s"))}
    asked = stages["collect a@checkpoint-20"]
    assert asked.reads[-1] == tmp_path / "run" / "checkpoint-20"
    assert asked.command[asked.command.index("--revisions") + 1] == "checkpoint-20"
    fits = [stage.writes for name, stage in stages.items() if name.startswith("fit a")]
    assert len(set(fits)) == 3


def test_a_pattern_that_fits_nothing_says_what_there_is(tmp_path) -> None:
    checkpoint(tmp_path / "run" / "checkpoint-20")
    text = f"study: s\nspeakers: [{{name: a, provider: hf, path: {tmp_path / 'run'}, "
    found = read_study(written(tmp_path, text + 'revisions: ["step*"]}]\n'))
    with pytest.raises(WolvesError, match="no checkpoint matches 'step\\*'") as caught:
        list(cast(found))
    assert "checkpoint-20" in caught.value.fix


def test_status_and_plan_count_the_answers_that_are_there(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(
        tmp_path,
        "study: s\ntrials: {items: [cake]}\ncollect: {replicates: 2}\n"
        "speakers: [{name: a, provider: openai, model: gpt-5, efforts: [low]}]\n",
    )
    assert "answered" not in told(capsys, "status", path)
    stages = {stage.name: stage for stage in plan(read_study(path), StudyPaths("s"))}
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


@pytest.mark.parametrize(
    ("tasks", "parameters", "line", "problem"),
    [
        ("", "{theta: 3}", 5, "speakers.0.parameters: a field of the parameters"),
        (
            "",
            "{alpha: 5, cost: 3, weights: {none: {w_inf: 1, w_soc: 0, w_pres: 0, phi: 0.5}}}",
            5,
            "knows the goals none; a trial asks for 'social'",
        ),
        ("tasks: [{task: haggle}]", "{concession: {openin: 0.9}}", 5, "'openin' is unknown"),
    ],
)
def test_parameters_that_a_task_does_not_take_are_found_before_anything_is_asked(
    tmp_path, capsys, tasks: str, parameters: str, line: int, problem: str
) -> None:
    design = tasks or "trials: {items: [cake], goals: [social]}"
    text = "study: s\n{}\nspeakers:\n  - {{name: a, provider: simulated,\n     parameters: {}}}\n"
    path = written(tmp_path, text.format(design, parameters))
    for words in (["plan", str(path)], ["run", str(path), "--dry-run"]):
        assert run(study, words) == 2
        said = capsys.readouterr().err
        assert f"{path}, line {line}: speakers.0.parameters: " in said
        assert problem in said


def test_a_dry_run_of_collect_tries_the_parameters(tmp_path, capsys) -> None:
    trials, given = tmp_path / "t.jsonl", tmp_path / "p.json"
    made = ["--items", "cake", "--goals", "social", "--out", str(trials)]
    assert run(compile_trials, ["--task", "politeness", *made]) == 0
    given.write_text('{"theta": 3}')
    words = [str(trials), "--provider", "simulated", "--parameters", str(given)]
    assert run(collect, [*words, "--dry-run"]) == 2
    assert "parameters of a simulated speaker" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("template", "effort", "problem"),
    [
        ("{{ messages }}", "efforts: [none, low]", "its chat template has no thinking section"),
        ("<think>{{ messages }}", "mode: sample", "no effort was requested"),
    ],
)
def test_an_effort_that_a_chat_template_does_not_take_is_found_before_anything_is_asked(
    tmp_path, capsys, template: str, effort: str, problem: str
) -> None:
    folder = checkpoint(tmp_path / "model")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    who = f"[{{name: a, provider: hf, path: {folder}, {effort}}}]"
    path = written(tmp_path, f"study: s\ntrials: {{items: [cake]}}\nspeakers: {who}\n")
    assert run(study, ["plan", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}, line 3: speakers.0.efforts: " in said
    assert problem in said and "`efforts: [none" in said and "--effort" not in said


def test_a_dry_run_is_for_people_and_commands_are_for_a_shell(tmp_path, capsys) -> None:
    who = "speakers: [{name: a, provider: openai, model: gpt-4o}]"
    path = written(tmp_path, f"study: s\n{who}\ntrials: {{items: [cake]}}\n")
    assert run(study, ["run", str(path), "--dry-run"]) == 0
    brief = capsys.readouterr().out.splitlines()
    assert brief[0].startswith("Study s: ") and max(map(len, brief)) <= 120
    assert run(study, ["run", str(path), "--commands"]) == 0
    full = capsys.readouterr().out.splitlines()
    assert max(map(len, full)) > 120 and all("wolves " in line for line in full)


def test_a_dry_run_of_many_checkpoints_stays_short(tmp_path, capsys) -> None:
    for step in range(9):
        checkpoint(tmp_path / "run" / f"checkpoint-{step}")
        (tmp_path / "run" / f"checkpoint-{step}" / "model.safetensors").write_text("")
    who = f"[{{name: a, provider: hf, path: {tmp_path / 'run'}, revisions: ['checkpoint-*']}}]"
    path = written(tmp_path, f"study: s\ntrials: {{items: [cake]}}\nspeakers: {who}\n")
    lines = told(capsys, "run", "--dry-run", path).splitlines()
    for verb in ("collect", "choices", "fit"):
        assert sum(f"wolves {verb} " in line for line in lines) == 3
    assert lines[-2] == "... and 6 more of collect, 6 more of choices, 6 more of fit"
    faults = [line for line in lines if line.startswith("Before it can run")]
    assert len(faults) == 4 and faults[-1].endswith("speakers.0.revisions: 6 more like the last")
    assert len(json.loads(told(capsys, "plan", path, "--json"))["lacking"]) == 9
    assert len(told(capsys, "run", "--commands", path).splitlines()) > 27
