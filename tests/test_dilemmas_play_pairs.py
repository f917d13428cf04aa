"""Games between two speakers, or of one against itself."""

import json

import pytest

from game_players import (
    FAMILY,
    PARAMETERS,
    SPEC,
    games,
    played,
    responses,
    simulated,
    write_games,
    write_parameters,
)
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.reading.tabulate import tabulate
from many_wolves.records import SpeakerSpec


def test_a_speaker_against_itself_and_against_another(tmp_path):
    sources = _with_speaker(tmp_path)
    listed = games("dilemma", 36, ("another",), sources=sources)
    listed += games("ultimatum", 18, ("another",), sources=sources)
    assert {FAMILY.extent(t).seats for t in listed} == {("speaker", "partner")}
    played(tmp_path / "own", listed, specs=(SPEC, SPEC))
    found = responses(tmp_path / "own")
    assert {r.cell["seat"] for r in found} == {0, 1}
    assert {r.cell["partner"] for r in found} == {"simulated/player"}
    assert len(found) == 36 * 12 + 18 * 12
    other = SpeakerSpec("simulated", "rival", parameters=PARAMETERS, seed=9)
    (tmp_path / "both").mkdir()
    played(tmp_path / "both", listed, specs=(SPEC, other),
           speakers=[lambda: simulated(SPEC), lambda: simulated(other)])  # fmt: skip
    files = sorted((tmp_path / "both").glob("*.jsonl"))
    assert len(files) == 2
    both = [r for file in files for r in responses(file)]
    assert {r.speaker.model for r in both if r.cell["seat"] == 0} == {"player"}
    assert {r.speaker.model for r in both if r.cell["seat"] == 1} == {"rival"}
    rounds = tabulate(both).aside["rounds"]
    assert len(rounds) == 36 * 6 * 2
    ours, theirs = (rounds[rounds["model"] == f"simulated/{m}"] for m in ("player", "rival"))
    assert list(ours["own"]) == list(theirs["other"])
    assert list(ours["other"]) == list(theirs["own"])
    offers = tabulate(both).aside["offers"]
    assert set(offers["accepted"]) <= {0, 1}
    alone = tabulate(responses(files[0]))
    assert "rounds" not in alone.aside
    assert set(alone.aside["offers"]["accepted"]) == {""}


def test_two_speakers_resume_in_the_middle_of_a_round(tmp_path):
    listed = games("dilemma", 9, ("another",), sources=_with_speaker(tmp_path))
    other = SpeakerSpec("simulated", "rival", parameters=PARAMETERS)
    makers = [lambda: simulated(SPEC), lambda: simulated(other)]
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    played(tmp_path / "whole", listed, makers, specs=(SPEC, other))
    for file in (tmp_path / "whole").glob("*.jsonl"):
        lines = file.read_text().splitlines(keepends=True)
        keep = 30 if "player" in file.name else 22
        (tmp_path / "cut" / file.name).write_text("".join(lines[:keep]))
    done = played(tmp_path / "cut", listed, makers, specs=(SPEC, other))
    assert done.asked == {"answered": 24 + 32}
    for file in (tmp_path / "whole").glob("*.jsonl"):
        cut = {r.key: r.value for r in responses(tmp_path / "cut" / file.name)}
        assert cut == {r.key: r.value for r in responses(file)}


def _with_speaker(folder):
    """The design with a partner that is a speaker."""
    from many_wolves.files import shipped

    sources = folder / "design"
    sources.mkdir()
    for file in shipped("task-data/dilemmas").glob("*.yaml"):
        text = file.read_text()
        if file.name == "games.yaml":
            text = text.replace(
                "    always C: {start", "    another: {speaker: true}\n    always C: {start"
            ).replace("    offers all:", "    another: {speaker: true}\n    offers all:")
        (sources / file.name).write_text(text)
    return sources


def test_a_file_of_games_needs_a_second_speaker_where_it_has_two_seats(tmp_path, capfd):
    from many_wolves.cli import run
    from many_wolves.commands.collect import command

    design = {"sample": 18, "partners": ("another",), "sources": _with_speaker(tmp_path)}
    write_games(tmp_path / "g.jsonl", ("dilemma",), **design)
    words = [str(tmp_path / "g.jsonl"), "--model_type", "simulated", "--parameters"]
    words += [str(write_parameters(tmp_path / "p.json")), "--out", str(tmp_path / "out")]
    assert run(command, words) == 2
    assert "--with self" in capfd.readouterr().err
    assert run(command, [*words, "--with", "self"]) == 0
    rival = {"model_type": "simulated", "model_name": "rival", "parameters": "p.json"}
    (tmp_path / "rival.json").write_text(json.dumps(rival))
    assert run(command, [*words, "--with", str(tmp_path / "rival.json")]) == 0
    names = sorted(f.name for f in (tmp_path / "out" / "dilemmas").glob("*.jsonl"))
    assert len(names) == 2
    assert "rival" in names[0]
    (tmp_path / "rival.json").write_text(json.dumps(rival | {"modle": "x"}))
    assert run(command, [*words, "--with", str(tmp_path / "rival.json")]) == 2
    assert "modle" in capfd.readouterr().err


def test_a_second_speaker_is_refused_outside_games(tmp_path, capfd):
    from many_wolves.commands.collect import command
    from small_trials import trials, write_trials

    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--model_type", "simulated", "--parameters"]
    words += [str(write_parameters(tmp_path / "p.json"))]
    with pytest.raises(WolvesError, match="is for games"):
        command.main([*words, "--with", "self"], standalone_mode=False)
