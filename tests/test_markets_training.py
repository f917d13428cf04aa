"""Trained players: best replies, numbers and forms, environments, what seats them."""

import json
from itertools import pairwise

import numpy as np
import pytest

from many_wolves import cli
from many_wolves.errors import WolvesError
from many_wolves.families.markets.learning.agents import cast_of
from many_wolves.families.markets.learning.encoding import Encoding
from many_wolves.families.markets.learning.policy import TrainedAgent, load_policy, save_policy
from many_wolves.families.markets.learning.verdict import Verdict, judge
from many_wolves.families.markets.rules.actions import refusal
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.agents import LogitBuyer, Truthful
from many_wolves.families.markets.simulation.exploitation import exploitation
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.simulation.replies import known_reply
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.files import file_fingerprint


def wolves(*words, status=0):
    assert cli.run(cli.wolves, [str(word) for word in words]) == status


QUICK = {"rounds": 1, "practice": False, "ticks": 0}
BUYERS = {"strategy": "logit_buyer", "level": 1.0, "slope": 3.0}


class Shifted:
    """A landowner who declares a multiple of what another one declares."""

    def __init__(self, other, factor):
        self.other, self.factor = other, factor

    def act(self, rules, view, rng):
        form = dict(self.other.act(rules, view, rng))
        if "value" in form:
            form["value"] = min(self.factor * form["value"], 2 * rules.band(view.seat, 1).high)
        return form


def network(encoding, weight=0.0, bias=0.0, seed=1):
    rng = np.random.default_rng(seed)
    sizes = (encoding.observation_size, 4, encoding.action_size)
    return tuple(
        (weight * rng.normal(size=(b, a)).astype("f"), np.full(b, bias, "f"))
        for a, b in pairwise(sizes)
    )


def trained(rules, role, **more):
    return TrainedAgent(role, network(Encoding(rules, role), **more), {"steps": 1})


def test_nobody_declares_better_than_the_best_reply():
    rules = Rules.lab("futarchy", **QUICK)
    cast = cast_of({"speculator": [BUYERS]})
    best = known_reply(rules, cast, "owner")
    gains = {
        factor: exploitation(rules, cast, Shifted(best, factor), "owner", 30).gain.mean()
        for factor in (0.9, 1.0, 1.1)
    }
    assert gains[1.0] > 10_000
    assert max(gains, key=gains.get) == 1.0, gains


def test_the_best_first_declaration_moves_the_condition_by_what_it_is_worth():
    """Nobody buys, and a tax of 0: an owner then only cares for the condition."""
    rules = Rules.lab("harberger", **QUICK, first_tax=0.0, final_tax=0.0)
    best = known_reply(rules, cast_of({}), "owner")
    session = play_session(rules, {**seat_players(rules, cast_of({})), 1: best}, 3)
    without, with_project = session.rounds[0].first[1]
    assert without == 2 * rules.band(1, 0).high
    assert with_project == 0


def test_best_replies_are_known_only_where_they_can_be_computed():
    rules = Rules.lab("harberger", **QUICK)
    speculators = known_reply(rules, cast_of({"owner": [{"strategy": "low_baller"}]}), "speculator")
    assert speculators.owners == {1: 0.7, 2: 1.0, 3: 0.7, 4: 0.7, 5: 0.7, 6: 0.7}
    assert known_reply(rules, cast_of({"speculator": [{"strategy": "exploiter"}]}), "owner") is None
    assert known_reply(rules, cast_of({"owner": [{"strategy": "exploiter"}]}), "owner") is None
    for other in (Rules.lab("harberger", rounds=1, ticks=2), Rules.lab("voting", rounds=1)):
        assert known_reply(other, cast_of({}), "owner") is None


def test_only_a_player_near_the_best_reply_is_called_an_exploiter():
    rules = Rules.lab("harberger", **QUICK)
    cast = cast_of({role: [{"strategy": "low_baller"}] for role in ("owner", "developer")})
    best = known_reply(rules, cast, "speculator")
    verdict = judge(rules, cast, "speculator", best, 10)
    assert (verdict.name, verdict.share) == ("exploiter", 1.0)
    assert verdict.loss == pytest.approx(verdict.gain), "what it gains, landowners lose"
    assert "called an exploiter" in verdict.sentences("speculator")[0]
    less = judge(rules, cast, "speculator", LogitBuyer(level=0.0, slope=0.0), 10)
    assert less.name == "trained"
    assert less.share < 0.8
    nothing = judge(rules, cast_of({}), "speculator", best, 5)
    assert (nothing.name, nothing.share) == ("trained", None)
    assert "gains nothing" in nothing.sentences("speculator")[0]
    zero = (0.0, 0.0, 0.0)
    unknown = Verdict((9e5, 8e5, 1e6), None, None, zero, zero, 10)
    assert unknown.name == "trained", "an unknown best reply never makes an exploiter"


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy", "voting"])
def test_numbers_of_0_are_a_truthful_player_and_any_numbers_fit_the_form(mechanism):
    rules = Rules.lab(mechanism, rounds=1, practice=False, ticks=3)
    encodings = {role: Encoding(rules, role) for role in ("owner", "developer", "speculator")}
    session, rng = Session.begin(rules, draw(rules, 4), 4), np.random.default_rng(1)
    while not session.over:
        actions = {}
        for seat, view in session.views().items():
            encoding = encodings[rules.role(seat)]
            seen = encoding.observe(view)
            assert seen.shape == (encoding.observation_size,)
            if view.stage != "market":
                zero = encoding.act(view, np.zeros(encoding.action_size))
                assert zero == Truthful().act(rules, view, rng)
            numbers = rng.uniform(-2, 2, encoding.action_size)
            actions[seat] = encoding.act(view, numbers)
            assert refusal(rules, session.present, seat, actions[seat]) == ""
        session = session.step(actions)
    assert all(event.status != "refused" or event.why for event in session.present.orders)


def test_a_saved_player_is_the_same_and_a_changed_file_is_refused(tmp_path):
    rules = Rules.lab("harberger", **QUICK)
    agent = trained(rules, "owner", weight=1.0)
    path = save_policy(tmp_path / "policy.npz", agent)
    parameters = {"policy": str(path), "fingerprint": file_fingerprint(path)}
    again = player("trained", parameters)
    others = seat_players(rules, cast_of({}))
    assert play_session(rules, {**others, 1: agent}, 1) == play_session(
        rules, {**others, 1: again}, 1
    )
    save_policy(path, trained(rules, "owner", weight=2.0))
    with pytest.raises(WolvesError, match="was changed"):
        player("trained", parameters)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(WolvesError, match="expected a trained player"):
        load_policy(path)
    with pytest.raises(WolvesError, match="found no file"):
        load_policy(tmp_path / "none.npz")
    with pytest.raises(WolvesError, match="expected policy and fingerprint"):
        player("trained", {"policies": "x"})


def test_a_player_sits_only_where_it_was_trained_for():
    rules = Rules.lab("harberger", **QUICK)
    agent = trained(rules, "owner")
    others = seat_players(rules, cast_of({}))
    with pytest.raises(WolvesError, match="trained as owner, but has a seat of the role developer"):
        play_session(rules, {**others, 2: agent}, 1)
    market = Rules.lab("harberger", rounds=1, practice=False, ticks=1)
    with pytest.raises(WolvesError, match="only one has a market"):
        play_session(market, {**others, 1: agent}, 1)


def test_a_trained_player_takes_a_seat_in_a_collection(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rules = Rules.lab("harberger", **QUICK)
    path = save_policy(tmp_path / "policy.npz", trained(rules, "speculator", bias=1.0))
    seat = {"strategy": "trained", "policy": str(path), "fingerprint": file_fingerprint(path)}
    for name, parameters in (("buyer", seat), ("low", {"strategy": "low_baller"})):
        speaker = {"model_type": "simulated", "model_name": name, "parameters": parameters}
        (tmp_path / f"{name}.json").write_text(json.dumps(speaker))
    (tmp_path / "true.json").write_text(json.dumps({"strategy": "truthful"}))
    design = ["--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "0"]
    wolves("compile", "--task", "planning", *design, "--out", "t.jsonl")
    words = ["--model_type", "simulated", "--model_name", "true", "--parameters", "true.json"]
    seats = ["--seat", "speculator-7=buyer.json", "--seat", "owner=low.json"]
    seats += ["--seat", "developer=low.json"]
    wolves("collect", "t.jsonl", *words, *seats, "--out", "out")
    wolves("choices", "out/markets", "--out", "tables")
    lines = (tmp_path / "tables/purchases.csv").read_text().splitlines()
    assert any("buyer" in line for line in lines[1:])


def test_environments_keep_the_contracts_of_gymnasium_and_pettingzoo():
    pytest.importorskip("gymnasium", reason="needs the extra `exploiters`")
    pytest.importorskip("pettingzoo", reason="needs the extra `exploiters`")
    from gymnasium.utils.env_checker import check_env

    from many_wolves.families.markets.learning.environments import SeatEnv, SessionEnv

    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=1)
    env = SeatEnv(rules, cast_of({}), "owner")
    check_env(env, skip_render_check=True)
    env.reset(seed=3)
    total, over = 0.0, False
    while not over:
        wait = np.zeros(env.encoding.action_size, "f")
        _, reward, over, _, _ = env.step(wait)
        total += reward
    truthful = play_session(rules, seat_players(rules, cast_of({})), 3).rounds[0].accounts[1]
    assert abs(total) * 10_000 < abs(truthful.payoff), "the reward is beyond the truthful payoff"
    everyone = SessionEnv(rules, seed=3)
    everyone.reset()
    steps = 0
    while everyone.agents:
        numbers = {name: np.zeros(everyone.action_space(name).shape) for name in everyone.agents}
        seen, rewards, _, _, _ = everyone.step(numbers)
        steps += 1
    assert steps == 5
    assert set(seen) == set(rewards) == set(everyone.possible_agents)
    assert min(rewards.values()) > 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["boss"], "unknown role 'boss'"),
        (["speculator", "--mechanism", "voting"], "voting has no speculator"),
        (["owner", "--place", "6"], "there are 5 seats of the role owner"),
        (["owner", "--against", "owner"], "expected ROLE=FILE.json"),
        (["owner", "--against", "owner=model.json"], "expected a simulated player"),
        (["owner", "--against", "boss=low.json"], "unknown role 'boss'"),
        (["owner", "--against", "owner=odd.json"], "expected a simulated player with a strategy"),
    ],
)
def test_what_cannot_be_trained_is_said_first(words, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = {
        "model": {"model_type": "api", "model_name": "openai/x"},
        "low": {"model_type": "simulated", "parameters": {"strategy": "low_baller"}},
        "odd": {"model_type": "simulated", "parameters": {"alpha": 1}},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    wolves("train-agent", *words, status=2)
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "agents").exists()


@pytest.mark.slow
def test_a_speculator_learns_to_buy_from_low_ballers_and_goes_on_after_an_interrupt(
    tmp_path, monkeypatch, capsys
):
    pytest.importorskip("stable_baselines3", reason="needs the extra `exploiters`")
    monkeypatch.chdir(tmp_path)
    low = {"model_type": "simulated", "parameters": {"strategy": "low_baller"}}
    (tmp_path / "low.json").write_text(json.dumps(low))
    words = ["train-agent", "speculator", "--ticks", "0", "--out", "agent", "--sessions", "100"]
    words += ["--against", "owner=low.json", "--against", "developer=low.json"]
    words += ["--steps", "16000"]
    from many_wolves.families.markets.learning import progress

    write, writes = progress.Keeper._write, []

    def interrupted(keeper):
        write(keeper)
        writes.append(keeper.num_timesteps)
        if len(writes) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Keeper, "_write", interrupted)
    wolves(*words, status=130)
    wolves(*words)
    assert writes[3] == writes[2], "the second run begins where the first one ended"
    verdict = json.loads((tmp_path / "agent/verdict.json").read_text())
    assert verdict["name"] == "exploiter"
    assert verdict["share"] >= 0.95
    assert verdict["loss"][1] > 0
    wolves(*words)
    assert "exploiter" in capsys.readouterr().out
