"""The recursion in NumPy: against WebPPL, and for what must hold of any input."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.recursion import (
    Condition,
    Lexicon,
    SpeakerParameters,
    phi_quadrature,
    recurse,
    simulator,
    speaker1,
    speaker2,
)
from many_wolves.families.politeness.simulation.human_lexicon import human_lexicon
from many_wolves.records import Choose, Option, Trial

HERE = Path(__file__).parent
ROWS = json.loads((HERE / "webppl_rows.json").read_text())
ALL_ROWS = HERE.parent.parent / "shared" / "reference" / "s2_webppl_values.json"


def lexicon_of(theta: list[list[float]]) -> Lexicon:
    table = np.array(theta)
    negated = np.array([u.startswith("not ") for u in ROWS["utterances"]])
    return Lexicon(table, negated, np.arange(table.shape[1], dtype=float))


@pytest.mark.parametrize("row", ROWS["rows"], ids=lambda row: row["kind"])
def test_agrees_with_webppl(row):
    lexicon, grid = lexicon_of(row["theta"]), ROWS["phi_grids"][row["grid"]]
    tables = recurse(lexicon, row["alpha"], row["cost"], grid)
    S2 = speaker2(lexicon, row["alpha"], row["cost"], [Condition(**row["condition"])], grid)
    np.testing.assert_allclose(tables.L1_state, row["L1_state"], atol=1e-9)
    np.testing.assert_allclose(S2[0], row["S2"], atol=1e-9)


@pytest.mark.skipif(not ALL_ROWS.exists(), reason="the full table of WebPPL values is not here")
def test_agrees_with_all_of_webppl():
    record = json.loads(ALL_ROWS.read_text())
    for row in record["settings"]:
        lexicon, grid = lexicon_of(row["theta"]), record["phi_grids"][row["grid"]]
        tables = recurse(lexicon, row["alpha"], row["cost"], grid)
        conditions = [
            Condition(p["omega_inf"], p["omega_soc"], p["omega_pres"], p["phi"])
            for p in row["s2_parameters"]
        ]
        S2 = speaker2(lexicon, row["alpha"], row["cost"], conditions, grid)
        for name in ("L0", "S1", "L1_state", "L1_phi"):
            expected = row["webppl"][name]
            np.testing.assert_allclose(getattr(tables, name), expected, atol=1e-9)
        np.testing.assert_allclose(S2, row["webppl"]["S2"], atol=1e-9)


@st.composite
def speakers(draw):
    U, S = draw(st.integers(2, 10)), draw(st.integers(2, 6))
    theta = draw(arrays(float, (U, S), elements=st.floats(0.001, 0.999)))
    negated = draw(arrays(bool, U))
    lexicon = Lexicon(theta, negated, np.arange(S, dtype=float))
    w = np.array([draw(st.floats(0.01, 1)) for _ in range(3)])
    w = w / w.sum()
    condition = Condition(*w, phi=draw(st.floats(0, 1)))
    return lexicon, draw(st.floats(0.01, 20)), draw(st.floats(1, 10)), condition


@given(speakers(), st.sampled_from(["prior", "utility"]))
@settings(max_examples=60)
def test_every_table_is_a_distribution(speaker, cost_form):
    lexicon, alpha, cost, condition = speaker
    nodes, weights = phi_quadrature(12)
    tables = recurse(lexicon, alpha, cost, nodes, weights, cost_form)
    S2 = speaker2(lexicon, alpha, cost, [condition], nodes, weights, cost_form)
    for table in (tables.prior, tables.L0, tables.S1, tables.L1_state, tables.L1_phi, S2):
        np.testing.assert_allclose(table.sum(axis=-1), 1, atol=1e-9)
        assert (table >= 0).all()


@given(speakers(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_relabelling_changes_nothing(speaker, random):
    lexicon, alpha, cost, condition = speaker
    order_u = random.sample(range(lexicon.theta.shape[0]), lexicon.theta.shape[0])
    order_s = random.sample(range(lexicon.theta.shape[1]), lexicon.theta.shape[1])
    shuffled = Lexicon(
        lexicon.theta[order_u][:, order_s], lexicon.negated[order_u], lexicon.values[order_s]
    )
    nodes, weights = phi_quadrature(8)
    plain = speaker2(lexicon, alpha, cost, [condition], nodes, weights)
    other = speaker2(shuffled, alpha, cost, [condition], nodes, weights)
    np.testing.assert_allclose(other[0], plain[0][order_s][:, order_u], atol=1e-9)


@given(speakers())
@settings(max_examples=40)
def test_without_optimality_only_the_prior_speaks(speaker):
    lexicon, _, cost, condition = speaker
    nodes, weights = phi_quadrature(8)
    tables = recurse(lexicon, 1e-9, cost, nodes, weights)
    S2 = speaker2(lexicon, 1e-9, cost, [condition], nodes, weights)[0]
    np.testing.assert_allclose(S2, np.broadcast_to(tables.prior, S2.shape), atol=1e-6)


def test_corners_of_the_simplex():
    lexicon, utterances, _ = human_lexicon()
    nodes, weights = phi_quadrature(32)

    def choose(w):
        return speaker2(lexicon, 8.0, 2.5, [Condition(*w, phi=0.9)], nodes, weights)[0]

    kind = choose((0, 1, 0))
    assert np.ptp(kind, axis=0).max() < 1e-12, "pure kindness does not look at the state"
    assert utterances[int(kind[0].argmax())] == "amazing"
    informative = choose((1, 0, 0))
    best = [utterances[i] for i in informative.argmax(axis=1)]
    assert (best[0], best[2], best[3]) == ("terrible", "good", "amazing")
    seen = choose((0, 0, 1))
    assert np.ptp(seen, axis=0).max() < 1e-12, "how it looks does not depend on the state either"


def test_one_state_leaves_only_kindness_and_cost():
    lexicon = Lexicon(np.array([[0.9], [0.2]]), np.array([False, True]), np.array([1.0]))
    S2 = speaker2(lexicon, 5.0, 3.0, [Condition(0.5, 0.2, 0.3, 0.5)], *phi_quadrature(8))
    prior = recurse(lexicon, 5.0, 3.0, *phi_quadrature(8)).prior
    np.testing.assert_allclose(S2[0, 0], prior, atol=1e-12)


def test_quadrature_error_is_below_a_millionth():
    from many_wolves.families.politeness.options import NODES

    lexicon, _, _ = human_lexicon()
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(100):
        alpha, cost = rng.uniform(1, 6), rng.uniform(1, 10)
        drawn = replace(lexicon, theta=rng.beta(1 + 20 * lexicon.theta, 21 - 20 * lexicon.theta))
        conditions = [Condition(*rng.dirichlet(np.ones(3)), phi=rng.uniform())]
        few = speaker2(drawn, alpha, cost, conditions, *phi_quadrature(NODES))
        many = speaker2(drawn, alpha, cost, conditions, *phi_quadrature(200))
        worst = max(worst, float(np.abs(few - many).max()))
    assert worst < 1e-6


def test_nodes_are_spaced_evenly_enough_for_a_large_alpha():
    """At an alpha of 20, utilities of plain Gauss-Legendre nodes were wrong by up to .39."""
    from many_wolves.families.politeness.options import ALPHA_UPPER, NODES, WIDE_NODES

    lexicon, _, _ = human_lexicon()

    def utilities(alpha, cost, nodes):
        believed = recurse(lexicon, alpha, cost, *phi_quadrature(nodes)).L1_state
        return alpha * np.log(np.where(believed > 1e-3, believed, np.nan))

    for alpha, nodes, most in ((ALPHA_UPPER, NODES, 0.12), (30.0, WIDE_NODES, 0.2)):
        for cost in (-5.0, 1.0, 8.0):
            error = utilities(alpha, cost, nodes) - utilities(alpha, cost, 600)
            assert np.nanmax(np.abs(error)) < most
    for nodes in (2, 8, 48):
        node, weight = phi_quadrature(nodes)
        assert weight.sum() == pytest.approx(1) and (np.diff(node) > 0).all()
        assert weight @ node == pytest.approx(0.5)


def test_simulated_speaker_answers_any_order():
    weights = {"kind": {"w_inf": 0.2, "w_soc": 0.5, "w_pres": 0.3, "phi": 0.2}}
    given_parameters = {"alpha": 4.0, "cost": 2.0, "weights": weights}
    speaker = SpeakerParameters.from_json(given_parameters)
    answer = simulator(given_parameters)
    options = tuple(Option(u, u) for u in reversed(speaker.utterances))
    trial = Trial("politeness", "choice", {"goal": "kind", "state": 2}, Choose(options), ())
    np.testing.assert_allclose(answer(trial), speaker.choice_probabilities()["kind"][2][::-1])
    judgment = Trial(
        "politeness",
        "literal",
        {"utterance": "good", "state": 3},
        Choose((Option("no", "No"), Option("yes", "Yes"))),
        (),
    )
    yes = speaker.lexicon.theta[speaker.utterances.index("good"), 3]
    np.testing.assert_allclose(answer(judgment), [1 - yes, yes])


@pytest.mark.parametrize(
    "theta, message",
    [
        (np.array([[0.5, 1.5], [0.5, 0.5]]), "probabilities"),
        (np.array([[0.0, 0.0], [0.5, 0.5]]), "not true of any state"),
        (np.array([[np.nan, 0.5], [0.5, 0.5]]), "probabilities"),
    ],
)
def test_impossible_lexicons_are_refused(theta, message):
    with pytest.raises(WolvesError, match=message):
        Lexicon(theta, np.array([False, True]), np.array([0.0, 1.0]))


def test_unknown_goal_of_a_simulated_speaker_is_named():
    answer = simulator(
        {"alpha": 4, "cost": 2, "weights": {"both": {"w_inf": 1, "w_soc": 0, "w_pres": 0}}}
    )
    options = Choose((Option("good", "x"),))
    trial = Trial("politeness", "choice", {"goal": "kind", "state": 2}, options, ())
    with pytest.raises(WolvesError, match="knows the goals both"):
        answer(trial)


def test_speaker1_at_the_ends_of_phi():
    lexicon, _, _ = human_lexicon()
    both_ends = speaker1(lexicon, 5.0, 2.0, [0.0, 1.0])
    assert np.ptp(both_ends[0], axis=0).max() < 1e-12
    assert np.ptp(both_ends[1], axis=0).max() > 0.5
