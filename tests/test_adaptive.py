"""`wolves collect --adaptive`: rounds, stops and resuming, with a simulated speaker."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from many_wolves import families
from many_wolves.cli import run, wolves
from many_wolves.collection import answers_to, collect, peek, read_trials
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows import adaptive
from many_wolves.workflows.adaptive import AdaptiveRequest, Journalled, collect_in_rounds
from many_wolves.workflows.choices import Selection, tabulated
from many_wolves.workflows.compile import request, write_trials
from many_wolves.workflows.data import of_one
from many_wolves.workflows.design import DesignRequest
from many_wolves.workflows.sampling import Sampling
from quick_knowledge import few_draws

GOALS = ("informative", "social")
SPEAKER = SpeakerRequest(
    "simulated",
    parameters={
        "alpha": 4.5,
        "cost": 2.6,
        "weights": {
            "informative": {"w_inf": 0.5, "w_soc": 0.2, "w_pres": 0.3, "phi": 0.6},
            "social": {"w_inf": 0.2, "w_soc": 0.5, "w_pres": 0.3, "phi": 0.3},
        },
    },
)
ASKED = AdaptiveRequest(
    DesignRequest(about=("w_inf",), options={"literal": "fixed"}),
    per_round=12,
    max_calls=44,
    sampling=Sampling(chains=2, warmup=60, draws=60),
    report=False,
)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with few_draws():
        yield


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    path = tmp_path_factory.mktemp("adaptive") / "choice.jsonl"
    given = {"goals": GOALS, "framings": ("third",), "items": ("poem", "song", "cake", "film")}
    write_trials(request(("choice",), given), path)
    return path


class _Asked:
    """The journal of the simulated speaker; stops in the middle of a round on request."""

    def __init__(self, trials, journal, stop_in=None):
        self.listed, self.trials, self.journal = read_trials(trials), trials, journal
        self.spec = describe(SPEAKER)
        self.stop_in, self.rounds = stop_in, 0

    def ask(self, replicates):
        self.rounds += 1
        stopped = self.rounds == self.stop_in
        some = dict(list(replicates.items())[:3]) if stopped else replicates
        family = families.get("politeness")
        done = collect(
            self.listed,
            replicates=some,
            spec=self.spec,
            open_speaker=lambda: open_speaker(SPEAKER, self.spec, family.simulator),
            reader=family.read,
            journal=self.journal,
            say=lambda words: None,
        )
        return replace(done, halted=True) if stopped else done

    def run(self, asked, folder):
        book = Journalled(
            self.ask,
            lambda: answers_to(self.listed, self.spec, peek(self.journal)),
            lambda: of_one(tabulated([self.journal], Selection(trials=self.trials)), None),
        )
        return collect_in_rounds(self.listed, book, asked, folder)


def _without_a_fit(monkeypatch):
    monkeypatch.setattr(adaptive._State, "conclude", lambda self, levels: None)


@pytest.fixture(scope="module")
def whole(trials, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_a_fit(monkeypatch)
        return _Asked(trials, folder / "j.jsonl").run(ASKED, folder / "a"), folder


def _rounds(folder):
    return json.loads((folder / "a" / "rounds.json").read_text())["rounds"]


def test_it_stops_at_the_number_of_calls(whole):
    done, folder = whole
    assert (done.stopped, done.calls) == ("max_calls", 44)
    rounds = _rounds(folder)
    assert [one["calls"] for one in rounds] == [10, 10, 12, 12]
    assert [one["answers_before"] for one in rounds] == [0, 10, 20, 32]
    for one in rounds:
        assert sum(one["questions"].values()) == one["calls"]
        assert all(row["expected_width"] <= row["width"] for row in one["weights"])
    last: Counter[str] = Counter()
    for one in rounds:
        last |= Counter(one["replicates"])
    responses = read_journal(folder / "j.jsonl").responses
    assert Counter(r.trial_id for r in responses) == last


def test_a_stopped_run_completes_its_round_and_asks_nothing_again(
    whole, trials, tmp_path, monkeypatch
):
    stopped = _Asked(trials, tmp_path / "j.jsonl", stop_in=2)
    first = stopped.run(ASKED, tmp_path / "a")
    assert first.stopped == "" and first.fit is None
    assert 10 < first.calls < 20
    before = (tmp_path / "j.jsonl").read_bytes()
    _without_a_fit(monkeypatch)
    done = _Asked(trials, tmp_path / "j.jsonl").run(ASKED, tmp_path / "a")
    assert done.stopped == "max_calls" and done.calls == 44
    assert (tmp_path / "j.jsonl").read_bytes().startswith(before)
    responses = read_journal(tmp_path / "j.jsonl").responses
    assert len({r.key for r in responses}) == len(responses) == 44
    assert _rounds(tmp_path) == _rounds(whole[1])


@pytest.mark.slow
def test_it_stops_when_the_intervals_are_narrow(whole, tmp_path, monkeypatch, trials):
    # Two short chains seldom converge; what is tested is the width.
    monkeypatch.setattr(
        adaptive._State, "_reached", lambda self, known: bool((known.width <= 0.95).all())
    )
    asked = replace(ASKED, design=replace(ASKED.design, width=0.95))
    done = _Asked(trials, tmp_path / "j.jsonl").run(asked, tmp_path / "a")
    assert done.stopped == "width" and done.calls <= 44
    assert (done.fit / "fit.json").exists()
    assert (done.weights["width"] <= 0.95).all()


def test_it_stops_when_every_prompt_has_its_answers(tmp_path, trials, monkeypatch):
    _without_a_fit(monkeypatch)
    asked = replace(ASKED, max_calls=500, per_round=200, design=replace(ASKED.design, most=2))
    done = _Asked(trials, tmp_path / "j.jsonl").run(asked, tmp_path / "a")
    assert (done.stopped, done.calls) == ("trials", 2 * 32)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--adaptive"], "--width 0.2"),
        (["--width", "0.1"], "--width needs --adaptive"),
        (["--adaptive", "--max-calls", "9", "--mode", "score"], "score mode"),
        (["--adaptive", "--max_calls", "9", "--replicates", "3"], "--max-replicates 3"),
        (["--adaptive", "--max-calls", "9", "--dry-run"], "wolves design"),
        (["--adaptive", "--max-calls", "9", "--model-options", "{"], "expected JSON"),
        (["--adaptive", "--max-calls", "9"], "fewer than 10"),
    ],
)
def test_what_cannot_be_asked_in_rounds_is_refused(trials, tmp_path, capfd, more, words):
    out = tmp_path / "out"
    parameters = tmp_path / "p.json"
    parameters.write_text(json.dumps(SPEAKER.parameters))
    line = ["collect", str(trials), "--model_type", "simulated", "--parameters", str(parameters)]
    assert run(wolves, [*line, "--out", str(out), *more]) == 2
    assert words in capfd.readouterr().err
    assert not list(out.rglob("*.jsonl"))
