"""LoRA adapters: another speaker on the same weights, on a seat as everywhere."""

import json
import threading
from pathlib import Path

import pytest

from adapters import make_adapter
from local_models import needs_torch
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.speakers import Request
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.checkpoints import expand
from many_wolves.speakers.local.hf import HfSpeaker
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.workflows.seats import cast, read_seats, speaker_of_file
from small_trials import a_trial
from thinking_model import make

pytestmark = needs_torch
SEATS = ("owner-1", "owner-3", "owner-4", "developer-2", "speculator-7")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tiny model, an adapter that changes it, and one that does not."""
    pytest.importorskip("peft")
    place = tmp_path_factory.mktemp("adapters")
    model = make(place / "base", window=16_384)
    kind = make_adapter(model, place / "kind")
    return {"model": model, "kind": kind, "none": make_adapter(model, place / "none", size=0.0)}


def scores(folders, adapter):
    wanted = SpeakerRequest(
        "hf", path=folders["model"], mode="score", effort="none", adapter=adapter
    )
    spec = describe(wanted)
    speaker = HfSpeaker.open(spec, folders["model"], device="cpu", threads=1, adapter=adapter)
    (answer,) = speaker.ask([Request(a_trial(0))], threading.Event())
    assert answer.speaker == spec and not answer.error
    return spec, [s.logprob for s in answer.scores]


def test_an_adapter_is_another_speaker_with_other_scores(folders):
    base, plain = scores(folders, None)
    tuned, changed = scores(folders, folders["kind"])
    _, same = scores(folders, folders["none"])
    assert same == pytest.approx(plain, abs=1e-4)
    assert max(abs(a - b) for a, b in zip(changed, plain, strict=True)) > 0.1
    assert tuned.name == "hf/base+kind+none" and base.name == "hf/base+none"
    assert tuned.weights == base.weights and len(tuned.adapter_weights) > 8
    assert tuned.slug != base.slug


def test_an_adapter_of_another_model_is_refused_in_words(folders, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    record = json.loads((folders["kind"] / "adapter_config.json").read_text())
    (wrong / "adapter_config.json").write_text(json.dumps(record | {"target_modules": ["other"]}))
    weights = folders["kind"] / "adapter_model.safetensors"
    (wrong / weights.name).write_bytes(weights.read_bytes())
    wanted = SpeakerRequest("hf", path=folders["model"], effort="none", adapter=wrong)
    with pytest.raises(WolvesError, match="the adapter cannot be applied to this model") as caught:
        HfSpeaker.open(describe(wanted), folders["model"], device="cpu", adapter=wrong)
    assert str(caught.value.where) == str(wrong)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"provider": "hf", "path": "model", "adapter": "model"}, "expected a LoRA adapter"),
        (
            {"provider": "simulated", "parameters": {"strategy": "truthful"}, "adapter": "kind"},
            "has no weights, so it cannot have an adapter",
        ),
        ({"provider": "openai", "model": "m", "adapter": "kind"}, "no adapter"),
    ],
)
def test_who_cannot_have_an_adapter_is_told(folders, wanted, problem):
    paths = {k: folders[wanted[k]] for k in ("path", "adapter") if k in wanted}
    with pytest.raises(WolvesError, match=problem) as caught:
        describe(SpeakerRequest(**{**wanted, **paths}))
    assert caught.value.fix


@pytest.mark.parametrize("provider", ["hf", "vllm"])
def test_an_adapter_in_place_of_the_model_is_told_of_its_option(folders, provider):
    with pytest.raises(WolvesError, match="this is an adapter") as caught:
        describe(SpeakerRequest(provider, path=folders["kind"], effort="none"))
    assert "give it with --adapter" in caught.value.fix


def test_a_revision_does_not_rename_a_folder(folders):
    model = folders["model"]
    with pytest.raises(WolvesError, match="'step100' would only rename it") as caught:
        describe(SpeakerRequest("hf", path=model, revision="step100", effort="none"))
    assert "--revisions" in caught.value.fix
    (one,) = expand(SpeakerRequest("hf", path=model.parent, effort="none"), model.name)
    assert describe(one).revision == model.name


def test_a_seat_takes_what_a_speaker_takes(folders, tmp_path):
    """Efforts, checkpoints, adapters and settings of collection have the same names."""
    file = tmp_path / "seat.json"
    settings = {
        "model_type": "hf",
        "model_path": str(folders["model"]),
        "adapter": str(folders["kind"]),
        "effort": "low",
        "temperature": 0.5,
        "retries": 2,
        "delay": 0,
    }
    file.write_text(json.dumps(settings))
    wanted = speaker_of_file(file, RetryPolicy(retries=7))
    assert wanted.patience.retries == 2, "the file's own patience"
    assert (wanted.path, wanted.adapter) == (folders["model"], folders["kind"])
    assert describe(wanted, sampled=True).name == "hf/base+kind+low"
    file.write_text(json.dumps({"provider": "openai", "model": "m", "revision": ""}))
    assert speaker_of_file(file, RetryPolicy(retries=7)).patience.retries == 7
    for text, problem in [
        ('{"provider": "hf", "api_key": "k"}', "a key does not belong in a file"),
        ('{"provider": "hf", "efort": "low"}', "efort"),
        ('{"provider": "hf", "effort": "lots"}', "effort"),
        ('{"model": "m"}', "provider"),
    ]:
        file.write_text(text)
        with pytest.raises(WolvesError, match=problem) as caught:
            speaker_of_file(file)
        assert str(caught.value.where) == str(file) and caught.value.fix


def test_several_speakers_take_the_seats_of_a_role_in_turn(tmp_path):
    for name in ("truthful", "low_baller"):
        one = {"provider": "simulated", "model": name, "parameters": {"strategy": name}}
        Path(tmp_path / f"{name}.json").write_text(json.dumps(one))
    first = SpeakerRequest("simulated", "self", parameters={"strategy": "exploiter"})
    files = f"{tmp_path}/truthful.json,{tmp_path}/low_baller.json"
    named = read_seats([f"owner={files}", "owner-4=self", "speculator=self"], None, RetryPolicy())
    with pytest.raises(WolvesError, match="found none for"):
        cast(first, {"owner": named["owner"]}, SEATS, "markets", tmp_path)
    seated = cast(first, named, SEATS, "markets", tmp_path).specs
    assert {seat: spec.model for seat, spec in seated.items()} == {
        "owner-1": "truthful",
        "owner-3": "low_baller",
        "owner-4": "self",
        "developer-2": "self",
        "speculator-7": "self",
    }
    with_all = {**named, "developer": named["owner"][:1]}
    assert cast(first, with_all, SEATS, "markets", tmp_path).specs["speculator-7"].model == "self"
    nobody = {**with_all, "speculator": named["owner"], "owner-4": named["owner"]}
    with pytest.raises(WolvesError, match="no seat is left for the speaker"):
        cast(first, nobody, SEATS, "markets", tmp_path)


@pytest.mark.slow
def test_a_model_with_an_adapter_sits_among_scripted_players(folders, tmp_path, monkeypatch):
    """A whole session; the model's noise fits no form, so that its defaults are used."""
    monkeypatch.chdir(tmp_path)
    design = ("--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "0")
    assert run(wolves, ["compile", "--task", "planning", *design]) == 0
    player = {"provider": "simulated", "model": "t", "parameters": {"strategy": "truthful"}}
    Path("truthful.json").write_text(json.dumps(player))
    tuned = {
        "provider": "hf",
        "path": str(folders["model"]),
        "adapter": str(folders["kind"]),
        "effort": "none",
    }
    Path("tuned.json").write_text(json.dumps(tuned | {"max_tokens": 4}))
    Path("p.json").write_text('{"strategy": "truthful"}')
    words = ["collect", "--task", "planning", "--model_type", "simulated", "--parameters", "p.json"]
    words += ["--model_name", "t", "--seat", "owner-1=tuned.json", "--seat", "speculator=self"]
    assert run(wolves, [*words, "--seat", "owner=truthful.json"]) == 0
    (journal,) = Path("llm-output/markets").glob("*kind*.jsonl")
    spec = SpeakerSpec.from_json(json.loads(journal.read_text().splitlines()[0])["speaker"])
    assert (spec.adapter, spec.name) == ("kind", "hf/base+kind+none")
