"""What holds for every command: spellings, help, how much is said, and how things end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from fit_folders import write_fit_folder
from many_wolves import cli, progress
from many_wolves.cli import BAD_INPUT, COMMANDS, run, wolves
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show_messages
from many_wolves.families.politeness.reading.human import choice_counts
from many_wolves.interrupts import INTERRUPTED
from many_wolves.observations import Observations
from many_wolves.tables import write_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    counts = choice_counts().assign(speaker="me")
    return write_table(Observations.from_rows("politeness", counts, {}), tmp_path / "choices")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["choices", ""], "JOURNALS"),
        (["choices", "a.jsonl", "--out", " "], "--out"),
        (["compile", "--sources", ""], "--sources"),
        (["plot", "weights", ""], "FIT"),
        (["study", "run", ""], "FILE"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(words, named, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(wolves, words) == 2
    assert f"Error: {named}: expected a path, found an empty text" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_has_a_short_flag(flag, capsys):
    assert run(wolves, ["fit", flag]) == 0
    out = capsys.readouterr().out
    assert "--adapt-delta" in out and "--quiet" in out and "--debug" in out


def options_of(command: click.Command) -> list[str]:
    context = click.Context(command, **command.context_settings)
    return [
        name
        for option in command.get_params(context)
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--")
    ]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_option_has_two_spellings(name):
    command = wolves.get_command(click.Context(wolves), name)
    assert command is not None
    parts = (
        [command.get_command(click.Context(command), n) for n in command.list_commands(None)]
        if isinstance(command, click.Group)
        else [command]
    )
    for part in parts:
        parser = part.make_parser(part.context_class(part, **part.context_settings))
        known = set(parser._long_opt)
        for option in options_of(part):
            for spelt in (option.replace("_", "-"), "--" + option[2:].replace("-", "_")):
                normal = part.context_settings["token_normalize_func"](spelt)
                assert normal in known, (name, spelt)


def test_both_spellings_work(table, tmp_path, capsys):
    for spelt in ("--allow_unconverged", "--allow-unconverged"):
        assert run(wolves, ["fit", str(table), spelt, "--adapt_delta", "7"]) == 2
        assert "adapt_delta" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["stduy"], "Did you mean 'study'?"),
        (["study", "statsu"], "Did you mean 'status'?"),
        (["fit", "x", "--literl", "joint"], "Did you mean '--literal'?"),
        (["fit", "x", "--drws", "9"], "Did you mean '--draws'?"),
        (["study", "--hlep"], "Did you mean '--help'?"),
        (["fit", "x", "--literal", "fixd"], "Did you mean 'fixed'?"),
        (["collect", "--mode", "Sample"], "Did you mean 'sample'?"),
        (["compile", "--shown", "words and prise"], "Did you mean 'words and price'?"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(words, nearest, capsys):
    assert run(wolves, words) == 2
    assert nearest in capsys.readouterr().err


class FaultError(Exception):
    """Nobody expects it."""


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (FaultError("odd"), 3, "unexpected FaultError: odd"),
        (PermissionError(13, "Permission denied", "/nowhere"), 2, "/nowhere: Permission denied"),
        (OSError(28, "No space left on device"), 2, "free some space on the disk"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (RecursionError("deep"), 3, "unexpected RecursionError"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_every_end_is_a_sentence_and_a_status(error, status, words, debug, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key-0123456789\n")

    @wolves_command("end")
    def command() -> None:
        if isinstance(error, FaultError):
            raise FaultError(*error.args)
        raise error

    assert run(command, ["--debug"] if debug else []) == status
    said = capsys.readouterr().err
    assert words in said
    assert ("Traceback" in said) == (debug and status != 130)


def test_a_folder_that_was_deleted_is_named(tmp_path, capsys, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run(wolves, ["fit", "--human", "yoon2020", "--literal", "fixed"]) == BAD_INPUT
    assert "The current folder does not exist any more" in capsys.readouterr().err


def test_an_error_that_cannot_be_printed_keeps_its_status(monkeypatch):
    with open("/dev/full", "w", encoding="utf-8", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert run(wolves, ["fit", "missing.csv"]) == BAD_INPUT
        with suppress(OSError):
            full.close()


@pytest.mark.parametrize(
    "words",
    [
        ["--max-cost", "nan"],
        ["--temperature", "inf"],
        ["--seed", "9" * 30],
        ["--replicates", "999999999999"],
    ],
)
def test_a_number_that_is_none_is_refused_before_anything_is_asked(words, table, capsys):
    given = [str(table), "--provider", "simulated", "--dry-run", *words]
    assert run(wolves, ["collect", *given]) == BAD_INPUT
    assert f"Invalid value for '{words[0]}'" in capsys.readouterr().err


def test_messages_contain_no_key(capsys, monkeypatch):
    key = "sk-very-secret-key-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", f"{key}\n")

    @click.command()
    def command() -> None:
        raise FaultError(f"Illegal header value {f'Bearer {key}'.encode()!r} and {key!r}")

    assert run(command, []) == 3
    assert key not in capsys.readouterr().err


def test_statuses_are_in_the_help(capsys):
    assert run(wolves, ["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for status in (0, 1, cli.BAD_INPUT, cli.UNEXPECTED, INTERRUPTED):
        assert re.search(rf"\b{status}\b", said)


@pytest.mark.parametrize(
    ("words", "work"),
    [
        (["report"], "many_wolves.report.write_study_report"),
        (["findings"], "many_wolves.findings.state"),
        (["plot", "forest"], "many_wolves.workflows.figures._draw_one"),
    ],
)
def test_out_of_reach_places_are_found_before_pages_and_figures(
    words, work, tmp_path, capsys, monkeypatch
):
    fit = write_fit_folder(tmp_path / "fit")
    monkeypatch.setattr("many_wolves.report.write_fit_report", lambda *_: pytest.fail("worked"))
    monkeypatch.setattr(work, lambda *_, **__: pytest.fail("worked first"))
    blocked = tmp_path / "fit" / "fit.json" / "here" / "page.html"
    assert run(wolves, [*words, str(fit), "--out", str(blocked)]) == BAD_INPUT
    assert "expected a folder, found a file" in capsys.readouterr().err


def test_out_of_reach_places_are_found_before_the_work(table, capsys, monkeypatch):
    monkeypatch.setattr("many_wolves.inference.load", lambda *_: pytest.fail("worked first"))
    blocked = table / "counts.csv" / "fit"
    assert run(wolves, ["fit", str(table), "--out", str(blocked)]) == 2
    said = capsys.readouterr().err
    assert "counts.csv" in said and "Fix:" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("goal,state,utterance,count\n", "and no rows"),
        ('{"a": 1}\n', "expected a CSV file, found JSON"),
        ("", "found an empty file"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content, words, tmp_path, capsys):
    file = tmp_path / "odd.csv"
    file.write_text(content)
    assert run(wolves, ["fit", str(file)]) == 2
    assert words in capsys.readouterr().err


def test_quiet_and_json(tmp_path, capsys):
    trials = str(tmp_path / "t.jsonl")
    words = ["compile", "--limit", "3", "--out", trials]
    assert run(wolves, [*words, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert run(wolves, [*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 6


def commands_of(group: click.Group, context: click.Context) -> Iterator[click.Command]:
    """Every command below a group."""
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands_of(found, context)
        else:
            yield found


def test_every_command_can_print_json():
    context = click.Context(wolves)
    for one in commands_of(wolves, context):
        own = {name for parameter in one.get_params(context) for name in parameter.opts}
        assert {"--json", "--quiet", "--verbose", "--debug", "--help"} <= own, one.name


SPEAKER: dict[str, Any] = {
    "alpha": 4.0,
    "cost": 3.0,
    "weights": {"social": {"w_inf": 0.4, "w_soc": 0.1, "w_pres": 0.5, "phi": 0.5}},
}


def result_of(words: Sequence[str], capfd) -> dict[str, Any]:
    """What a command prints as JSON; it prints nothing else."""
    assert run(wolves, [*words, "--json", "--quiet"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def test_commands_that_ask_print_one_json_object(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("speaker.json").write_text(json.dumps(SPEAKER))
    result_of(["compile", "--goals", "social", "--limit", "4", "--out", "t.jsonl"], capfd)
    collect = ["collect", "t.jsonl", "--provider", "simulated", "--parameters", "speaker.json"]
    (before,) = result_of([*collect, "--dry-run"], capfd)["speakers"]
    (done,) = result_of(collect, capfd)["speakers"]
    (after,) = result_of([*collect, "--explain"], capfd)["speakers"]
    (again,) = result_of(collect, capfd)["speakers"]
    assert done["asked"] == {"answered": before["calls"]}
    assert after["calls"] == 0 and after["known"] == again["known"] == done["asked"]
    assert len(after["trials"]) >= before["calls"]
    assert all(Path(file).is_file() for file in done["journals"])


def test_a_tournament_prints_one_json_object(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, own in (("one", 0.6), ("two", 0.4)):
        values = {"values": {"own": own, "fair": 0.9 - own, "deal": 0.1}}
        Path(f"{name}-values.json").write_text(json.dumps(values))
        speaker = {"provider": "simulated", "parameters": f"{name}-values.json"}
        Path(f"{name}.json").write_text(json.dumps(speaker))
    compiled = ["compile", "--task", "haggle", "--preset", "tournament", "--goods", "balloon"]
    result_of([*compiled, "--out", "t.jsonl"], capfd)
    tournament = ["tournament", "t.jsonl", "one.json", "two.json"]
    planned = result_of([*tournament, "--dry-run"], capfd)["pairs"]
    played = result_of(tournament, capfd)["pairs"]
    assert len(planned) == len(played) == 4
    assert all(pair["calls"] for pair in planned) and all(pair["asked"] for pair in played)


def test_lists_and_files_are_json(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = {row["name"]: row for row in result_of(["data", "list"], capfd)["data"]}
    assert data["zhao2025"]["answers"] > 50_000 and data["engel2011"]["answers"] is None
    card = result_of(["data", "show", "zhao2025"], capfd)
    assert card["name"] == "zhao2025" and card["tables"]
    assert {row["model"] for row in result_of(["models", "list"], capfd)["models"]} >= {"smollm2"}
    figures = result_of(["plot", "--list"], capfd)["figures"]
    assert "weights" in {row["figure"] for row in figures}
    row = json.loads((Path(__file__).parent / "webppl_rows.json").read_text())["rows"][0]
    told = {
        "theta": row["theta"],
        "alpha": row["alpha"],
        "cost": row["cost"],
        "negated": [False] * 4 + [True] * 4,
        "values": [0, 1, 2, 3],
        "phi_grid": [0.25, 0.75],
        "conditions": [SPEAKER["weights"]["social"]],
    }
    Path("params.json").write_text(json.dumps(told))
    assert np.shape(result_of(["predict", "params.json"], capfd)["S2"]) == (1, 4, 8)
    file = result_of(["study", "new", "mine"], capfd)["file"]
    planned = result_of(["study", "run", file, "--dry-run"], capfd)
    assert planned == result_of(["study", "plan", file], capfd)
    assert planned == result_of(["study", "run", file, "--commands"], capfd)
    assert planned["study"] == "mine" and planned["stages"]


def test_a_summary_is_a_list_of_rows(tmp_path, capfd):
    write_fit_folder(tmp_path / "one")
    rows = result_of(["report", "--summary", str(tmp_path / "one")], capfd)["summary"]
    assert rows and all(isinstance(row, dict) for row in rows)


def test_completion_of_the_shell():
    """Bash asks for words through two variables; the names of commands come back."""
    environment = os.environ | {
        "_WOLVES_COMPLETE": "bash_complete",
        "COMP_WORDS": "wolves fi",
        "COMP_CWORD": "1",
    }
    code = "import sys; sys.argv = ['wolves']; from many_wolves.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "plain,fit" in done.stdout and "plain,fit-all" in done.stdout
    assert "plain,findings" in done.stdout


def test_a_narrow_terminal_shows_the_whole_count(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show_messages()
    with progress.bar("gradients of one answer") as advance:
        advance(60, 120)
    assert "60/120" in capsys.readouterr().err
