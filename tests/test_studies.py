"""The shipped studies: who is asked, how much, at what price, by which commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fault_server import KEY
from many_wolves.cli import run
from many_wolves.commands.study import command as study
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.checkpoints import position
from many_wolves.study import cast, read_study
from study_files import STUDIES, checkpoint, table, told

CHOICE = 4 * 4 * 13
LITERAL = 8 * 4 * 13
"""Trials of a full design on hearts: goals x states x items, utterances x states x items."""


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
        from many_wolves.speakers.api.model import open_model
        from many_wolves.speakers.api.retry import RetryPolicy

        for speaker in cast(read_study(STUDIES / "reasoning-effort.yaml")):
            spec = SpeakerSpec(
                speaker.entry.provider, speaker.entry.model, effort=speaker.effort, max_tokens=16000
            )
            # The request is made and not sent; no provider is called.
            assert open_model(spec, KEY, RetryPolicy(), batch=False).effort == speaker.effort

    def test_pythia_scaling_is_sizes_and_steps(self, capsys) -> None:
        study_of = read_study(STUDIES / "pythia-scaling.yaml")
        casts = list(cast(study_of))
        assert len(casts) == 10 * 10
        assert {c.entry.model for c in casts} == {
            f"EleutherAI/pythia-{size}"
            for size in ["14m", "31m", "70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b"]
        }
        assert {c.asking["prompt_format"] for c in casts} == {"completion"}
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
        assert "US dollars" in told(capsys, "run", STUDIES / "reasoning-effort.yaml", "--dry-run")
        out = told(capsys, "run", STUDIES / "reasoning-effort.yaml", "--commands")
        commands = out.splitlines()
        assert len(commands) == 32
        assert all(line.startswith("uv run wolves ") for line in commands)
        asked = [line for line in commands if line.startswith("uv run wolves collect")]
        assert [re.search(r"--effort (\w+)", line)[1] for line in asked] == 3 * [  # type: ignore[index]
            "none",
            "low",
            "medium",
        ]


def test_every_command_of_a_plan_is_one_that_wolves_takes(capsys) -> None:
    out = told(capsys, "run", STUDIES / "reasoning-effort.yaml", "--commands")
    for line in out.splitlines():
        words = shlex.split(line)[3:]
        module = __import__(f"many_wolves.commands.{words[0]}", fromlist=["command"])
        context = module.command.make_context(words[0], words[1:])
        assert context.params
