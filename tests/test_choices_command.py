"""Journals into a choice table on the command line, which says what it left out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from many_wolves.cli import run
from many_wolves.commands.choices import command
from many_wolves.commands.command import show_messages
from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.records import Response, SpeakerSpec
from many_wolves.store.journal_lines import read_journal
from many_wolves.tables import read_table
from policies import answers, honest, kind


def journal(file: Path, responses: Iterable[Response], tail: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(r.to_json()) + "\n" for r in responses) + tail)
    return file


def test_a_torn_last_line_is_tolerated_and_a_bad_line_is_named(choice, tmp_path):
    file = journal(tmp_path / "j.jsonl", answers(choice[:5], honest))
    lines = file.read_text().splitlines()
    lines[1] = lines[1][:50]
    lines[3] = json.dumps({"schema": 99})
    file.write_text("\n".join(lines) + '\n{"schema": 1, "key": "ab')
    found = read_journal(file)
    assert len(found.responses) == 3
    assert found.torn
    assert [line for line, _ in found.bad] == [2, 4]
    assert "99" in found.bad[1][1]


def test_the_command_writes_a_table_and_reports_exclusions(trials, tmp_path):
    file = journal(tmp_path / "in" / "a.jsonl", answers(trials, kind), tail='{"half')
    lines = file.read_text().splitlines()
    lines.insert(3, "garbage")
    file.write_text("\n".join(lines))
    out = tmp_path / "out"
    show_messages()  # as `wolves` does before it runs a command
    result = CliRunner().invoke(command, [str(file.parent), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"{file}, line 4: left out, invalid JSON: Expecting value at column 1" in result.output
    assert f"{file}: the last line is incomplete" in result.output
    row = next(line for line in result.output.splitlines() if line.startswith("anthropic/claude"))
    assert row.split() == ["anthropic/claude", "1040", "0", "0", "0", "0", "ok"]
    table = read_table(out)
    assert table.rows["count"].sum() == 624
    source = table.meta["sources"][0]
    assert source["torn"]
    assert source["left_out"] == [
        {"line": 4, "reason": "invalid JSON: Expecting value at column 1"}
    ]
    assert str(tmp_path) not in (out / "meta.json").read_text()


def test_the_command_counts_a_part_of_the_design(trials, tmp_path):
    file = journal(tmp_path / "a.jsonl", answers(trials, kind))
    out = tmp_path / "out"
    assert run(command, [str(file), "--only", "framing=third", "--out", str(out)]) == 0
    table = read_table(out)
    assert set(table.rows["framing"]) == {"third"}
    assert table.aside["literal"]["n"].sum() == 416
    for wrong in ("framing=fourth", "frame=third", "framing"):
        result = CliRunner().invoke(command, [str(file), "--only", wrong, "--out", str(out)])
        assert isinstance(result.exception, WolvesError)


def test_bad_journals_are_named(choice, tmp_path, capsys):
    missing = tmp_path / "none.jsonl"
    assert run(command, [str(missing)]) == 2
    assert str(missing) in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    assert run(command, [str(tmp_path / "folder")]) == 2
    assert "without any" in capsys.readouterr().err
    empty = journal(tmp_path / "empty.jsonl", [])
    assert run(command, [str(empty)]) == 2
    assert "wolves collect" in capsys.readouterr().err
    api = journal(tmp_path / "api.jsonl", answers(choice[:9], honest))
    assert run(command, [str(api), "--model_type", "hf"]) == 2
    said_so = capsys.readouterr().err
    assert "expected answers from Hugging Face (hf, vllm), found 9 from anthropic" in said_so
    assert run(command, [str(api), "--out", str(api)]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run(command, [str(api), "--task", "polite"]) == 2
    assert "did you mean 'politeness'?" in capsys.readouterr().err
    assert run(command, [str(api), "--task", "dilemmas"]) == 2
    assert "family 'dilemmas', found those of 'politeness'" in capsys.readouterr().err
    games = [replace(a, family="dilemmas") for a in answers(choice[9:12], honest)]
    both = journal(tmp_path / "both.jsonl", [*answers(choice[:9], honest), *games])
    assert run(command, [str(both)]) == 2
    assert "found those of 'dilemmas', 'politeness'" in capsys.readouterr().err
    assert run(command, [str(both), "--task", "politeness", "--out", str(tmp_path / "one")]) == 0
    assert read_table(tmp_path / "one").rows["count"].sum() == 9


@pytest.mark.parametrize(
    ("name", "content", "fix"),
    [
        ("settings.json", b'{\n  "a": 1\n}', "logs of `inspect eval`"),
        ("table.csv", b"goal,state\nsocial,1", "is for `wolves fit`"),
        ("noise.jsonl", b"\xff\n\xfe", "journals of `wolves collect`"),
    ],
)
def test_a_file_that_is_no_journal_is_named_once(name, content, fix, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    assert run(command, [str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert said.count("found no answer in its ") == said.count("; line 1: ") == 1
    assert "incomplete" not in said
    assert "line 2" not in said
    assert fix in said.partition("Fix:")[2]


def test_the_staged_script_takes_the_published_flags(choice, tmp_path):
    hf = SpeakerSpec("vllm", "qwen")
    journal(tmp_path / "llm-output/politeness/a.jsonl", answers(choice[:40], honest))
    journal(tmp_path / "llm-output/politeness/b.jsonl", answers(choice[:30], kind, hf))
    script = shipped("src/process-llm-output.py")
    for model_type, speaker, n in (("api", "anthropic/claude", 40), ("hf", "vllm/qwen", 30)):
        done = subprocess.run(
            [sys.executable, str(script), "--model_type", model_type, "--task", "politeness"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        table = read_table(tmp_path / f"rsa-output/politeness-{model_type}/choices")
        assert table.speakers == [speaker]
        assert table.rows["count"].sum() == n
    assert "speaker" in done.stdout


def test_answers_that_do_not_say_where_they_belong_are_named(choice, tmp_path, capsys):
    lost = [
        replace(response, cell={k: v for k, v in response.cell.items() if k != "goal"})
        for response in answers(choice[:3], honest)
    ]
    kept = answers(choice[3:40], honest)
    file = journal(tmp_path / "j.jsonl", [*lost, *kept])
    assert run(command, [str(file), "--out", str(tmp_path / "out")]) == 0
    assert "3 answers left out: task" in capsys.readouterr().err
    table = read_table(tmp_path / "out")
    assert (table.meta["foreign"], table.total) == (3, 37)
