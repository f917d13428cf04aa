"""The bias of place: counted by order, off by default, the density of the recursion, recovered."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from densities import log_density, points_of
from many_wolves import inference
from many_wolves.cli import run
from many_wolves.commands.fit import command
from many_wolves.errors import WolvesError
from many_wolves.families import get
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.model.recursion import (
    Condition,
    Lexicon,
    phi_quadrature,
    simulator,
    speaker2,
)
from many_wolves.families.politeness.options import NODES, PolitenessDesign
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.families.politeness.task.counterbalance import williams
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations
from many_wolves.records import SpeakerSpec, blank_response
from many_wolves.tables import read_table, write_table

WEIGHTS = {
    "informative": {"w_inf": 0.6, "w_soc": 0.1, "w_pres": 0.3, "phi": 0.7},
    "social": {"w_inf": 0.2, "w_soc": 0.5, "w_pres": 0.3, "phi": 0.3},
}
BIAS = (0.9, 0.3, 0.1, -0.1, -0.2, -0.3, -0.3, -0.4)
UTTERANCES = [
    u for n in ("", "not ") for u in (f"{n}terrible", f"{n}bad", f"{n}good", f"{n}amazing")
]


def design(each):
    """Two goals, four states, the eight orders of a Latin square; ``each`` answers of a kind."""
    rows = [
        ("wolf", goal, "first", state, order + 1, UTTERANCES[u], place + 1, each / 64)
        for goal in WEIGHTS
        for state in range(4)
        for order, row in enumerate(williams(8))
        for place, u in enumerate(row)
    ]
    columns = ["speaker", "goal", "framing", "state", "order", "utterance", "place", "count"]
    placed = pd.DataFrame(rows, columns=columns)
    keys = ["speaker", "goal", "framing", "state", "utterance"]
    counts = placed.groupby(keys, sort=False)["count"].sum().reset_index()
    return Observations.from_rows("politeness", counts, {"placed": placed})


def simulated(each, seed=1, bias=BIAS):
    given = {"alpha": 4.0, "cost": 2.0, "weights": WEIGHTS, "place_bias": list(bias)}
    options = {"literal": "fixed", "position_bias": True}
    return PoliteSpeaker().simulate(design(each), np.random.default_rng(seed), given, **options)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


@pytest.mark.stan
@pytest.mark.parametrize("utilities", [("inf", "soc", "pres"), ("inf", "soc")])
def test_the_density_is_that_of_the_recursion(program, utilities):
    from scipy.stats import norm

    _, answered = simulated(24)
    problem = build(answered, literal="fixed", position_bias=True, utilities=utilities)
    data, free = problem.data, len(utilities) - 1
    lexicon = Lexicon(
        np.array(data["theta_given"]),
        np.array(data["negated"], dtype=bool),
        np.array(data["value"]),
    )
    placed = answered.aside["placed"]
    axes = [problem.coords[name] for name in ("condition", "state", "utterance")]
    cells = [
        tuple(axis.index(value) for axis, value in zip(axes, row[:3], strict=True)) + row[3:]
        for row in placed[["goal", "state", "utterance", "order", "place", "count"]].itertuples(
            index=False, name=None
        )
    ]

    def helmert(raw):
        """Contrasts that sum to zero, built one by one."""
        bias = np.zeros(8)
        for k, value in enumerate(raw, start=1):
            column = np.r_[np.ones(k), -k, np.zeros(7 - k)]
            bias += value * column / np.linalg.norm(column)
        return bias

    def expected(z):
        weights = []
        for c in range(2):
            rest, w = 1.0, {}
            for k, name in enumerate(utilities[:-1]):
                share = norm.cdf(z[2 + c * free + k])
                w[name], rest = rest * share, rest * (1 - share)
            w[utilities[-1]] = rest
            phi = norm.cdf(z[-2 + c]) if "pres" in utilities else 0.5
            weights.append(Condition(w["inf"], w["soc"], w.get("pres", 0), phi))
        start = 2 + 2 * free
        bias = helmert(z[start : start + 7])
        S2 = speaker2(
            lexicon, 20 * norm.cdf(z[0]), 1 + 9 * norm.cdf(z[1]), weights, *phi_quadrature(NODES)
        )
        total = norm.logpdf(z).sum()
        sums: dict[tuple, list[tuple]] = {}
        for c, s, u, order, place, count in cells:
            pulled = S2[c, s, u] * np.exp(bias[place - 1])
            sums.setdefault((c, s, order), []).append((pulled, count))
        for parts in sums.values():
            pulled, count = np.array(parts).T
            total += (count * np.log(pulled / pulled.sum())).sum()
        if len(utilities) == 3:  # the first break of Dirichlet(1, 1, 1) is Beta(1, 2)
            total += sum(np.log(2 * norm.cdf(-z[2 + 2 * c])) for c in range(2))
        return total

    points = points_of(program, problem, 4, seed=3, spread=0.7)
    found = log_density(program, problem, points)
    np.testing.assert_allclose(found, [expected(z) for z in points], rtol=1e-9)


@pytest.mark.stan
def test_a_known_bias_and_the_weights_behind_it_are_recovered(program):
    truth, answered = simulated(400)
    problem = build(answered, literal="fixed", position_bias=True)
    settings = Settings(chains=4, warmup=300, draws=300, seed=5)
    done = inference.fit(problem, program, PoliteSpeaker.parameters, settings)
    assert done.diagnostics.divergences == 0
    posterior = done.tree["posterior"].to_dataset()
    np.testing.assert_allclose(posterior["place_bias"].sum("place"), 0, atol=1e-9)
    rows = done.summary.set_index(["parameter", "condition"])
    names = [("place_bias", str(p + 1), v) for p, v in enumerate(truth["place_bias"])]
    names += [(w, g, WEIGHTS[g][w]) for g in WEIGHTS for w in ("w_inf", "w_soc", "w_pres", "phi")]
    inside = [
        rows.loc[(name, at), "hdi_low"] <= value <= rows.loc[(name, at), "hdi_high"]
        for name, at, value in names
    ]
    assert np.mean(inside) >= 0.8, done.summary
    assert abs(rows.loc[("place_bias", "1"), "mean"] - BIAS[0]) < 0.15
    drawn = PoliteSpeaker().draws(done.tree, tuple(truth))
    assert drawn["place_bias"].shape == (4, 300, 8)
    low, high = np.quantile(drawn["log_lik"], [0.001, 0.999])
    assert low - 5 < truth["log_lik"] < high + 5
    totals = done.tree["posterior_predictive"]["counts"].sum("utterance")
    assert (totals == 400).all()
    observed = np.asarray(problem.observed["counts"][1]) / 400
    fits = [
        np.square(posterior[name].mean(("chain", "draw")).to_numpy() - observed).sum()
        for name in ("predicted", "s2")
    ]
    assert fits[0] < 1.1 * fits[1]


def test_simulated_answers_have_the_counts_and_the_pull_that_were_asked_for():
    _, answered = simulated(800, bias=(3.0, *[-3 / 7] * 7))
    counts, placed = answered.rows, answered.aside["placed"]
    keys = ["goal", "state", "utterance"]
    again = placed.groupby(keys)["count"].sum()
    assert again.sort_index().equals(counts.set_index(keys)["count"].sort_index())
    assert (counts.groupby(["goal", "state"])["count"].sum() == 800).all()
    shares = placed.groupby("place")["count"].sum() / placed["count"].sum()
    assert shares[1] > 3 * shares[2:].max()


def test_a_simulated_speaker_pulls_to_a_place():
    trial = next(t for t in trials_of(PolitenessDesign(goals=("social",))) if t.task == "choice")
    record = {"alpha": 4.0, "cost": 2.0, "weights": WEIGHTS}
    plain = simulator(record)(trial)
    pulled = simulator(record | {"place_bias": list(BIAS)})(trial)
    expected = plain * np.exp(BIAS)
    np.testing.assert_allclose(pulled, expected / expected.sum())
    with pytest.raises(WolvesError, match="3 places; a trial has 8"):
        simulator(record | {"place_bias": [0, 0, 0]})(trial)


def answered_trials():
    trials = [t for t in trials_of(PolitenessDesign(goals=("social",))) if t.task == "choice"]
    spec = SpeakerSpec("anthropic", "claude")
    return [
        replace(blank_response(t, spec, 0), status="answered", text=t.options[n % 8].text)
        for n, t in enumerate(trials)
    ]


def test_answers_are_counted_by_order_and_written(tmp_path):
    responses = answered_trials()
    made = get("politeness").tabulate(responses, scoring="sum")
    write_table(made, tmp_path / "choices")
    table = read_table(tmp_path / "choices")
    placed = table.aside["placed"]
    assert list(placed) == [
        "speaker", "goal", "framing", "state", "order", "utterance", "place", "count"
    ]  # fmt: skip
    keys = ["goal", "framing", "state", "utterance"]
    whole = table.rows.set_index(keys)["count"]
    assert placed.groupby(keys)["count"].sum().sort_index().equals(whole.sort_index())
    by_place = placed.groupby("place")["count"].sum()
    for place in range(1, 9):
        assert by_place[place] == sum((n % 8) + 1 == place for n in range(len(responses)))
    listed = placed.drop_duplicates(["order", "utterance"]).groupby("order")
    assert all(sorted(part["place"]) == list(range(1, 9)) for _, part in listed)
    shown = {tuple(o.id for o in r.options) for r in responses}
    orders = listed[["utterance", "place"]].apply(
        lambda part: tuple(part.sort_values("place")["utterance"])
    )
    assert set(orders) == shown
    problem = build(table, literal="fixed", position_bias=True)
    assert problem.data["O"] == len(shown) and len(problem.data["place"]) == len(shown)


def test_off_by_default():
    problem = build(design(24), literal="fixed")
    assert problem.data["O"] == 0 and "place" not in problem.coords
    assert problem.options["position_bias"] is False


FAULTS = {
    "other counts": (lambda f: f.assign(count=f["count"] + 1), "add up to"),
    "a place twice": (
        lambda f: f.assign(place=f["place"].where(f["order"] != 3, 1)),
        "order 3 does not show each of the 8 options",
    ),
    "an option missing": (
        lambda f: f[(f["order"] != 1) | (f["place"] != 1)],
        "does not show each of the 8 options",
    ),
    "no order": (lambda f: f.drop(columns="order"), "column order"),
    "no number": (lambda f: f.assign(place=f["place"] + 0.5), "column place"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_places_that_cannot_be_right_are_refused(fault, tmp_path, capfd):
    edit, message = FAULTS[fault]
    table = design(24)
    table.rows.to_csv(tmp_path / "choices.csv", index=False)
    placed = table.aside["placed"]
    edit(placed).to_csv(tmp_path / "placed.csv", index=False)
    arguments = [str(tmp_path / "choices.csv"), "--position-bias", "--out", str(tmp_path / "fit")]
    assert run(command, arguments) == 2
    said = capfd.readouterr().err
    assert message in said and "placed.csv" in said and "Fix:" in said


@pytest.mark.slow
@pytest.mark.stan
def test_the_report_shows_the_bias_when_it_is_on(program, tmp_path):
    _, answered = simulated(400)
    answered.rows.to_csv(tmp_path / "choices.csv", index=False)
    answered.aside["placed"].to_csv(tmp_path / "placed.csv", index=False)
    answered.aside["literal"].to_csv(tmp_path / "literal.csv", index=False)
    arguments = [str(tmp_path / "choices.csv"), "--literal", "fixed", "--engine", "httpstan"]
    arguments += ["--position-bias", "--warmup", "150", "--draws", "150", "--allow-unconverged"]
    assert run(command, [*arguments, "--out", str(tmp_path / "fit")]) == 0
    page = (tmp_path / "fit" / "report.html").read_text()
    assert "Position bias" in page and "positions have an effect" in page
    assert "position 1." in page
    summary = pd.read_csv(tmp_path / "fit" / "summary.csv")
    assert list(summary.query("parameter == 'place_bias'")["condition"]) == list("12345678")
