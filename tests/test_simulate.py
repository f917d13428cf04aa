"""Speakers with known parameters: their designs, their truths, their log-likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from many_wolves.contracts import SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference import Settings, load
from many_wolves.inference.sampling.fit import fit

MODEL = PoliteSpeaker()
GIVEN = {
    "alpha": 5.0,
    "cost": 3.0,
    "weights": {
        "informative": {"w_inf": 0.5, "w_soc": 0.1, "w_pres": 0.4, "phi": 0.6},
        "social": {"w_inf": 0.1, "w_soc": 0.5, "w_pres": 0.4, "phi": 0.3},
        "both": {"w_inf": 0.3, "w_soc": 0.3, "w_pres": 0.4, "phi": 0.5},
    },
}


def test_the_model_can_be_simulated() -> None:
    assert isinstance(MODEL, SimulatedModel)
    names = list(MODEL.variants())
    assert names[0] == "inf+soc+pres"
    assert len(names) == 9
    assert set(names) == {
        "inf+soc+pres", "inf+soc", "inf+pres", "soc+pres", "inf", "soc", "pres", "s1",
        "own-meanings",
    }  # fmt: skip


@pytest.mark.parametrize("variant", MODEL.variants())
@pytest.mark.parametrize("literal", ["joint", "fixed"])
def test_a_simulated_table_keeps_the_design(variant: str, literal: str) -> None:
    table = human_table()
    options = {"literal": literal, **MODEL.variants()[variant]}
    truth, answered = MODEL.simulate(table, np.random.default_rng(1), **options)
    per_question = ["goal", "state"]
    before = table.rows.groupby(per_question)["count"].sum()
    after = answered.rows.groupby(per_question)["count"].sum()
    assert before.sort_index().to_dict() == after.sort_index().to_dict()
    judged, original = answered.aside["literal"], table.aside["literal"]
    cell = ["utterance", "state"]
    assert judged.set_index(cell)["n"].to_dict() == original.set_index(cell)["n"].to_dict()
    assert (judged["yes"] <= judged["n"]).all()
    changed = judged.set_index(cell)["yes"].to_dict() != original.set_index(cell)["yes"].to_dict()
    free = options["literal"] == "joint"
    assert changed == free
    assert ("theta" in truth) == free
    problem = build(answered, **options)
    assert list(problem.coords["condition"]) == ["informative", "social", "both"]
    assert np.isfinite(truth["log_lik"])


def test_truths_are_draws_from_the_prior() -> None:
    problem = build(human_table())
    rng = np.random.default_rng(2)
    known = [simulate.from_prior(problem, rng) for _ in range(400)]
    for values, low, width in (
        ([k.alpha for k in known], 0, 20),
        ([k.cost for k in known], 1, 9),
        ([k.phi[1] for k in known], 0, 1),
        ([k.theta[3, 2] for k in known], 0, 1),
        ([1 - (1 - k.weights[0, 2]) ** 2 for k in known], 0, 1),
    ):
        # The last: a weight of Dirichlet(1, 1, 1) is Beta(1, 2).
        tested = kstest(values, "uniform", args=(low, width))
        assert tested.pvalue > 0.001
    assert np.allclose([k.weights.sum(axis=0) for k in known], 1)


def test_answers_follow_the_recursion() -> None:
    table = human_table()
    many = table.rows.assign(count=table.rows["count"] * 1000)
    big = table.having(counts=many)
    truth, answered = MODEL.simulate(big, np.random.default_rng(3), GIVEN)
    known = simulate.from_json(GIVEN, build(big))
    problem = build(answered)
    expected = simulate.choice_probabilities(problem, known)
    counts = np.asarray(problem.observed["counts"][1])
    found = counts / counts.sum(axis=2, keepdims=True)
    assert np.abs(found - expected).max() < 0.005
    assert truth["alpha"] == 5.0
    assert list(truth["w_soc"]) == [0.1, 0.5, 0.3]
    assert truth["log_lik"] == pytest.approx(simulate.log_likelihood(problem, known))


def test_the_same_seed_gives_the_same_answers() -> None:
    one, other = (MODEL.simulate(human_table(), np.random.default_rng(4))[1] for _ in range(2))
    assert one.rows.equals(other.rows)
    assert one.aside["literal"].equals(other.aside["literal"])


def test_given_parameters_must_name_every_condition() -> None:
    weights = {k: v for k, v in GIVEN["weights"].items() if k != "both"}  # type: ignore[attr-defined]
    with pytest.raises(WolvesError, match="both"):
        MODEL.simulate(human_table(), np.random.default_rng(5), GIVEN | {"weights": weights})


@pytest.mark.stan
@pytest.mark.parametrize(
    "variant", ["inf+soc+pres", pytest.param("soc+pres", marks=pytest.mark.slow), "inf", "s1"]
)
def test_the_stan_program_and_the_recursion_have_one_log_likelihood(variant: str) -> None:
    options = dict(MODEL.variants()[variant])
    truth, table = MODEL.simulate(human_table(), np.random.default_rng(6), **options)
    problem = build(table, **options)
    program = load(problem.program)
    done = fit(problem, program, MODEL.parameters, Settings(chains=2, warmup=50, draws=8))
    found = MODEL.draws(done.tree, tuple(truth))
    weights = np.zeros((3, 3))
    for chain in range(2):
        for j, utility in enumerate(("inf", "soc", "pres")):
            if problem.data["has_utility"][j]:
                shared = f"w_{utility}" in found
                weights[j] = found[f"w_{utility}"][chain, 4] if shared else 1.0
        known = simulate.Known(
            alpha=found["alpha"][chain, 4],
            cost=found["cost"][chain, 4],
            weights=weights,
            phi=found["phi"][chain, 4] if "phi" in found else np.full(3, 0.5),
            theta=found["theta"][chain, 4],
            place_bias=np.zeros(5),
        )
        expected = simulate.log_likelihood(problem, known)
        assert found["log_lik"][chain, 4] == pytest.approx(expected, abs=2e-5 * abs(expected))
