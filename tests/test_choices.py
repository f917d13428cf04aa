"""Responses into a choice table: counts, scoring, what is left out, checks, files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from many_wolves.cli import run
from many_wolves.commands.choices import command
from many_wolves.errors import WolvesError
from many_wolves.families import get, names
from many_wolves.families.politeness.compiler import Selection, compile_trials
from many_wolves.families.politeness.permutation import between, by_place, codes
from many_wolves.files import shipped
from many_wolves.journals import read_journal
from many_wolves.records import (
    ChoiceTable,
    OptionScore,
    Response,
    SpeakerSpec,
    Trial,
    blank_response,
)
from many_wolves.tables import read_table, write_table

FAMILY = get("politeness")
SAMPLER = SpeakerSpec("anthropic", "claude", mode="sample")
SCORER = SpeakerSpec("hf", "smollm2", mode="score")

Policy = Callable[[Trial], str]
"""The id of the option that a made-up speaker chooses."""


@pytest.fixture(scope="module")
def trials() -> tuple[Trial, ...]:
    return compile_trials(Selection()).trials


@pytest.fixture(scope="module")
def choice(trials) -> tuple[Trial, ...]:
    return tuple(trial for trial in trials if trial.task == "choice")


def said(trial: Trial, text: str, speaker: SpeakerSpec = SAMPLER, replicate: int = 0) -> Response:
    return replace(blank_response(trial, speaker, replicate), status="answered", text=text)


def text_of(trial: Trial, option: str) -> str:
    return next(o.text for o in trial.options if o.id == option)


def answers(trials: Iterable[Trial], policy: Policy, speaker: SpeakerSpec = SAMPLER):
    return [said(trial, text_of(trial, policy(trial)), speaker) for trial in trials]


def scored(
    trial: Trial,
    logprobs: dict[str, float],
    tokens: dict[str, int] | None = None,
    baseline: dict[str, float] | None = None,
    speaker: SpeakerSpec = SCORER,
) -> Response:
    scores = tuple(
        OptionScore(
            option=o.id,
            logprob=logprobs[o.id],
            tokens=(tokens or {}).get(o.id, 4),
            baseline=None if baseline is None else baseline[o.id],
        )
        for o in trial.options
    )
    return replace(blank_response(trial, speaker, 0), status="answered", scores=scores)


def honest(trial: Trial) -> str:
    if trial.task == "literal":
        state, utterance = trial.cell["state"], trial.cell["utterance"]
        true = {"terrible": 0, "bad": 1, "good": 2, "amazing": 3}
        word = utterance.removeprefix("not ")
        return "yes" if (true[word] == state) != utterance.startswith("not ") else "no"
    return ("terrible", "bad", "good", "amazing")[trial.cell["state"]]


def kind(trial: Trial) -> str:
    if trial.task == "choice" and trial.cell["goal"] == "social":
        return "amazing"
    return honest(trial)


def first_place(trial: Trial) -> str:
    return trial.options[0].id


def check(table: ChoiceTable, name: str):
    return next(c for c in table.checks if c.name == name)


def test_the_registry_knows_the_family():
    assert names() == ["politeness", "dilemmas"]
    assert FAMILY.name == "politeness"
    with pytest.raises(WolvesError) as error:
        get("polite")
    assert "did you mean 'politeness'?" in error.value.mend


def test_whole_choices_are_counted(trials):
    table = FAMILY.tabulate(answers(trials, kind), scoring="sum")
    counts = table.counts
    assert list(counts.columns) == ["speaker", "goal", "framing", "state", "utterance", "count"]
    assert len(counts) == 4 * 3 * 4 * 8
    assert counts["count"].sum() == 624
    social = counts[counts["goal"] == "social"]
    assert social.groupby("utterance")["count"].sum()["amazing"] == 156
    informative = counts[(counts["goal"] == "informative") & (counts["state"] == 1)]
    assert informative.groupby("utterance")["count"].sum()["bad"] == 39
    assert table.speakers == ["anthropic/claude"]
    assert list(counts["utterance"][:8]) == [
        *("terrible", "bad", "good", "amazing"),
        *("not terrible", "not bad", "not good", "not amazing"),
    ]
    literal = table.aside["literal"]
    assert list(literal.columns) == ["speaker", "utterance", "state", "yes", "n"]
    assert (literal["n"] == 13).all()
    at = literal.set_index(["utterance", "state"])["yes"]
    assert at["good", 2] == 13
    assert at["good", 1] == 0
    assert at["not good", 1] == 13
    assert table.excluded.empty


def test_scores_are_shared_out_by_probability(choice):
    logprobs = {o.id: math.log(i + 1) for i, o in enumerate(sorted(choice[0].options, key=str))}
    table = FAMILY.tabulate([scored(choice[0], logprobs)], scoring="sum")
    counts = table.counts.set_index("utterance")["count"]
    assert counts.sum() == pytest.approx(1)
    for name, logprob in logprobs.items():
        assert counts[name] == pytest.approx(math.exp(logprob) / 36)


def test_each_scoring_does_what_it_says(choice):
    trial = choice[0]
    ids = [o.id for o in trial.options]
    rng = np.random.default_rng(1)
    logprobs = dict(zip(ids, rng.normal(-8, 2, 8), strict=True))
    tokens = dict(zip(ids, rng.integers(3, 7, 8).tolist(), strict=True))
    baseline = dict(zip(ids, rng.normal(-8, 2, 8), strict=True))
    expected = {
        "sum": logprobs,
        "mean": {k: logprobs[k] / tokens[k] for k in ids},
        "pmi": {k: logprobs[k] - baseline[k] for k in ids},
    }
    for scoring, values in expected.items():
        response = scored(trial, logprobs, tokens, baseline)
        table = FAMILY.tabulate([response], scoring=scoring)
        total = sum(math.exp(v) for v in values.values())
        counts = table.counts.set_index("utterance")["count"]
        for name in ids:
            assert counts[name] == pytest.approx(math.exp(values[name]) / total)
        assert table.meta["scoring"] == scoring


def test_a_judgment_in_score_mode_is_real_valued(trials):
    trial = next(t for t in trials if t.task == "literal")
    table = FAMILY.tabulate([scored(trial, {"yes": -0.5, "no": -1.5})], scoring="sum")
    row = table.aside["literal"].iloc[0]
    assert row["n"] == 1
    assert row["yes"] == pytest.approx(1 / (1 + math.exp(-1)))


def test_pmi_without_a_baseline_is_an_error(choice):
    response = scored(choice[0], {o.id: -1.0 for o in choice[0].options})
    with pytest.raises(WolvesError, match="without the scene"):
        FAMILY.tabulate([response], scoring="pmi")
    with pytest.raises(WolvesError, match="unknown scoring"):
        FAMILY.tabulate([response], scoring="avg")


def test_impossible_and_missing_scores(choice):
    trial = choice[0]
    ids = [o.id for o in trial.options]
    one = dict.fromkeys(ids, -math.inf) | {ids[0]: -2.0}
    assert FAMILY.tabulate([scored(trial, one)], scoring="sum").counts["count"].sum() == 1
    none = scored(trial, dict.fromkeys(ids, -math.inf))
    short = replace(none, scores=scored(trial, one).scores[:3])
    for response in (none, short):
        table = FAMILY.tabulate([response], scoring="sum")
        assert table.counts["count"].sum() == 0
        assert table.excluded["status"].tolist() == ["unparsed"]
        assert table.excluded["example"][0]


def test_texts_are_read_again_and_what_cannot_be_read_is_listed(choice):
    texts = ["It wasn't good.", "I can't say.", "", "Good or bad, who knows?", "hm"]
    responses = [
        # what was read when the answer came is wrong throughout
        replace(said(trial, text), choice="amazing", status="answered" if text else "empty")
        for trial, text in zip(choice[:5], texts, strict=True)
    ]
    responses.append(replace(blank_response(choice[5], SAMPLER, 0), error="HTTP 500"))
    refused = replace(said(choice[6], "It is not for me."), status="refused")
    table = FAMILY.tabulate([*responses, refused], scoring="sum")
    assert table.counts["count"].sum() == 1
    assert table.counts.loc[table.counts["count"] == 1, "utterance"].tolist() == ["not good"]
    by_status = table.excluded.groupby("status")["n"].sum().to_dict()
    assert by_status == {"refused": 2, "empty": 1, "unparsed": 2, "failed": 1}
    assert "hm" in set(table.excluded["example"])
    assert "HTTP 500" in set(table.excluded["example"])
    assert table.meta["status"]["anthropic/claude"] == {"answered": 1, **by_status}
    # cells without a choice are still there, with zeros
    assert table.counts.groupby(["goal", "framing", "state"]).ngroups == len(
        {(t.cell["goal"], t.cell["framing"], t.cell["state"]) for t in choice[:7]}
    )


def test_a_choice_without_text_counts_as_recorded(choice):
    response = replace(blank_response(choice[0], SAMPLER, 0), status="answered", choice="bad")
    table = FAMILY.tabulate([response], scoring="sum")
    assert table.counts.set_index("utterance")["count"]["bad"] == 1


def test_the_latest_response_that_did_not_fail_counts(choice):
    trial = choice[0]
    failed = blank_response(trial, SAMPLER, 0)
    responses = [
        failed,
        said(trial, "It was bad."),
        said(trial, "It was good."),
        failed,
        said(trial, "It was amazing.", replicate=1),
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    counts = table.counts.set_index("utterance")["count"]
    assert counts["good"] == 1
    assert counts["amazing"] == 1
    assert counts.sum() == 2
    assert table.meta["responses"] == 5
    assert table.meta["repeated"] == 3
    assert table.meta["answers"] == 2


def test_foreign_responses_are_counted_and_left_out(choice):
    one = said(choice[0], "It was good.")
    foreign = [
        replace(one, key="1", family="dilemmas"),
        replace(one, key="2", task="ranking"),
        replace(one, key="3", cell={"item": "poem"}),
        replace(one, key="4", cell={**one.cell, "state": "two"}),
    ]
    table = FAMILY.tabulate([one, *foreign], scoring="sum")
    assert table.meta["foreign"] == 4
    assert table.counts["count"].sum() == 1


def test_settings_of_one_model_are_never_added_up(choice):
    warm = replace(SAMPLER, temperature=1.0)
    score = replace(SCORER, provider="anthropic", model="claude")
    plain = [said(choice[0], "It was good.")]
    other = said(choice[0], "It was bad.", warm)
    by_score = scored(choice[0], {o.id: -1.0 for o in choice[0].options}, speaker=score)
    two = FAMILY.tabulate([*plain, by_score], scoring="sum")
    assert two.speakers == ["anthropic/claude (sample)", "anthropic/claude (score)"]
    three = FAMILY.tabulate([*plain, other, by_score], scoring="sum")
    assert len(three.speakers) == 3
    assert three.meta["speakers"][warm.slug]["temperature"] == 1.0
    assert three.counts.groupby("speaker")["count"].sum().tolist() == pytest.approx([1, 1, 1])


def test_two_scales_are_never_added_up():
    stars = compile_trials(Selection(scale="stars", limit=10)).trials
    hearts = compile_trials(Selection(limit=10)).trials
    mixed = [*answers(hearts, first_place), *answers(stars, first_place)]
    with pytest.raises(WolvesError) as error:
        FAMILY.tabulate(mixed, scoring="sum")
    assert "--only scale=hearts" in error.value.mend


# Checks


def test_a_speaker_that_does_the_task_passes(trials):
    table = FAMILY.tabulate(answers(trials, kind), scoring="sum")
    assert all(c.ok for c in table.checks)
    assert {c.name for c in table.checks} == {
        *("readable", "state", "place", "goal"),
        *("literal_readable", "literal_state", "literal_place"),
    }
    assert "depends on the goal" in check(table, "goal").statement
    assert check(table, "goal").p_value <= 0.01
    same = FAMILY.tabulate(answers(trials, honest), scoring="sum")
    assert check(same, "goal").ok
    assert "no effect of the goal" in check(same, "goal").statement


def test_a_speaker_that_takes_the_first_place_fails(choice):
    table = FAMILY.tabulate(answers(choice[:160], first_place), scoring="sum")
    place = check(table, "place")
    assert not place.ok
    assert place.statement == (
        "Speaker anthropic/claude chose the option in place A in 100 % of 160 answers, "
        "whatever stood there: it did not do the task."
    )
    assert place.p_value <= 0.01
    assert not check(table, "state").ok
    assert "depends on the state is not seen in 160 choices" in check(table, "state").statement


@pytest.mark.parametrize("limit", [16, 32, 96])
def test_place_is_found_out_in_small_studies(limit):
    trials = compile_trials(Selection(tasks=("choice",), limit=limit, framings=("third",))).trials
    table = FAMILY.tabulate(answers(trials, first_place), scoring="sum")
    assert not check(table, "place").ok


def test_a_speaker_of_one_word_fails_by_state_and_not_by_place(choice):
    table = FAMILY.tabulate(answers(choice, lambda trial: "amazing"), scoring="sum")
    assert not check(table, "state").ok
    assert check(table, "state").statement.endswith("it did not do the task.")
    assert check(table, "place").ok


def test_a_slight_effect_of_place_is_told_and_passes(choice):
    def sometimes(trial: Trial) -> str:
        fifth = int(trial.id, 16) % 12 == 0
        return first_place(trial) if fifth else honest(trial)

    table = FAMILY.tabulate(answers(choice, sometimes), scoring="sum")
    assert check(table, "place").ok
    assert "towards place A" in check(table, "place").statement


def test_scores_are_checked_like_choices(choice):
    def peaked(trial: Trial, option: str, height: float) -> Response:
        return scored(trial, {o.id: height * (o.id == option) for o in trial.options})

    for policy, failed in ((honest, set()), (first_place, {"place", "state"})):
        responses = [peaked(t, policy(t), 3.0) for t in choice]
        table = FAMILY.tabulate(responses, scoring="sum")
        assert {c.name for c in table.checks if not c.ok} == failed
    # significant, because nothing is random, and yet too weak to be of use
    weak = FAMILY.tabulate([peaked(t, honest(t), 0.1) for t in choice], scoring="sum")
    assert check(weak, "state").p_value <= 0.01
    assert "hardly depends on the state" in check(weak, "state").statement
    assert not check(weak, "state").ok


def test_replicates_are_no_independent_evidence():
    trials = compile_trials(Selection(tasks=("choice",), limit=16)).trials
    rng = np.random.default_rng(3)
    chosen = {t.id: t.options[int(rng.integers(8))].text for t in trials}
    responses = [said(t, chosen[t.id], replicate=r) for t in trials for r in range(50)]
    once = FAMILY.tabulate(responses[::50], scoring="sum")
    often = FAMILY.tabulate(responses, scoring="sum")
    for name in ("state", "place", "goal"):
        assert check(often, name).p_value == check(once, name).p_value


def test_unreadable_answers_fail_their_check(choice):
    responses = [
        said(t, text_of(t, honest(t)) if i % 2 else "who knows") for i, t in enumerate(choice)
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    readable = check(table, "readable")
    assert not readable.ok
    assert readable.statement.startswith("Speaker anthropic/claude: 312 of 624 choices (50 %)")
    silent = FAMILY.tabulate([said(t, "") for t in choice[:9]], scoring="sum")
    assert [c.name for c in silent.checks] == ["readable"]
    assert not silent.checks[0].ok


def test_what_was_not_varied_cannot_be_told():
    trials = compile_trials(Selection(tasks=("choice",), goals=("social",))).trials
    one = [t for t in trials if t.cell["state"] == 2]
    table = FAMILY.tabulate(answers(one, honest), scoring="sum")
    assert "one goal only" in check(table, "goal").statement
    assert "one state only" in check(table, "state").statement
    assert math.isnan(check(table, "state").p_value)


def test_the_tests_keep_their_level_under_the_null():
    """Of 100 data sets without any effect, about 5 % fall below 0.05 (99.9 % bounds)."""
    rng = np.random.default_rng(0)
    state = codes(np.tile(np.arange(4), 16).tolist())
    strata = codes(np.repeat(np.arange(4), 16).tolist())
    low = np.zeros(2)
    for _ in range(100):
        weights = np.eye(5)[rng.choice(5, 64, p=[0.4, 0.3, 0.1, 0.1, 0.1])]
        places = np.argsort(rng.random((64, 5)), axis=1)
        low[0] += between(weights, state, strata, 1).p_value <= 0.05
        low[1] += by_place(weights, places, np.zeros(64, dtype=np.int64), 1).p_value <= 0.05
    assert (low >= 1).all()
    assert (low <= 13).all()


def test_an_effect_has_its_size():
    """Two states, always another option: half of the choices must move to be alike."""
    weights = np.eye(2)[np.tile([0, 1], 200)]
    effect = between(weights, codes([0, 1] * 200), np.zeros(400, dtype=np.int64), 1)
    assert effect.p_value == pytest.approx(0.001)
    assert 0.45 <= effect.size <= 0.5


# Files


def test_a_table_comes_back_from_its_folder(trials, tmp_path):
    responses = [
        *answers(trials[:200], kind),
        said(trials[200], "none, of these"),
        said(trials[201], ""),
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    back = read_table(write_table(table, tmp_path / "choices"))
    pd.testing.assert_frame_equal(back.counts, table.counts, check_dtype=False)
    pd.testing.assert_frame_equal(back.aside["literal"], table.aside["literal"], check_dtype=False)
    assert back.excluded["n"].sum() == 2
    assert back.excluded["status"].tolist() == table.excluded["status"].tolist()
    assert back.checks == table.checks
    assert back.meta["scoring"] == "sum"
    assert back.family == "politeness"
    assert "none" in set(back.counts["goal"])
    assert back.counts["state"].dtype.kind == "i"


def test_nan_in_a_check_survives(tmp_path):
    trials = compile_trials(Selection(tasks=("choice",), goals=("social",), limit=8)).trials
    table = FAMILY.tabulate(answers(trials, honest), scoring="sum")
    back = read_table(write_table(table, tmp_path))
    assert math.isnan(check(back, "goal").p_value)
    json.loads((tmp_path / "checks.json").read_text(), parse_constant=pytest.fail)


@pytest.fixture
def folder(choice, tmp_path) -> Path:
    return write_table(FAMILY.tabulate(answers(choice[:60], kind), scoring="sum"), tmp_path / "t")


def edit(file: Path, change: Callable[[list[str]], Sequence[str]]) -> None:
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")


def test_a_table_with_a_fault_names_its_place(folder):
    counts = folder / "counts.csv"
    whole = counts.read_text()

    def fault() -> WolvesError:
        with pytest.raises(WolvesError) as error:
            read_table(folder)
        return error.value

    edit(counts, lambda lines: [*lines[:4], lines[4].rsplit(",", 1)[0] + ",many", *lines[5:]])
    assert fault().place == f"{counts}, line 5, column count"
    edit(counts, lambda lines: [*lines[:4], lines[4].rsplit(",", 1)[0] + ",-1", *lines[5:]])
    assert "zero or more" in fault().problem
    counts.write_text(whole.replace("speaker,", "who,", 1))
    assert "expected a column 'speaker'" in fault().problem
    counts.write_text("")
    assert "empty" in fault().problem
    counts.write_text(whole + "a,b,c,d,e,f,g,h\n")
    assert "commas" in fault().problem
    counts.unlink()
    assert "wolves choices" in fault().mend
    counts.write_text(whole)
    (folder / "meta.json").write_text("{")
    assert fault().line == 1
    (folder / "meta.json").write_text("{}")
    assert "'family'" in fault().problem
    (folder / "meta.json").write_text('{"family": "politeness", "schema": 99}')
    assert "schema" in fault().problem


# Journals and the command


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


def test_the_command_writes_a_table_and_says_what_it_left_out(trials, tmp_path):
    file = journal(tmp_path / "in" / "a.jsonl", answers(trials, kind), tail='{"half')
    lines = file.read_text().splitlines()
    lines.insert(3, "garbage")
    file.write_text("\n".join(lines))
    out = tmp_path / "out"
    result = CliRunner().invoke(command, [str(file.parent), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"{file}, line 4: left out, it is not whole JSON" in result.output
    assert f"{file}: the last line is torn" in result.output
    row = next(line for line in result.output.splitlines() if line.startswith("anthropic/claude"))
    assert row.split() == ["anthropic/claude", "1040", "0", "0", "0", "0", "ok"]
    table = read_table(out)
    assert table.counts["count"].sum() == 624
    source = table.meta["sources"][0]
    assert source["torn"]
    assert source["left_out"] == [{"line": 4, "reason": "it is not whole JSON"}]
    assert str(tmp_path) not in (out / "meta.json").read_text()


def test_the_command_counts_a_part_of_the_design(trials, tmp_path):
    file = journal(tmp_path / "a.jsonl", answers(trials, kind))
    out = tmp_path / "out"
    assert run(command, [str(file), "--only", "framing=third", "--out", str(out)]) == 0
    table = read_table(out)
    assert set(table.counts["framing"]) == {"third"}
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
    assert read_table(tmp_path / "one").counts["count"].sum() == 9


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
        assert table.counts["count"].sum() == n
    assert "speaker" in done.stdout
