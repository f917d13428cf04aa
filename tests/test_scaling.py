"""Laws of scale on families whose law is known: form, exponent, coverage, and no false trend."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from known_speakers import speaker
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.findings import scaling as scaled
from many_wolves.findings.plots import _no_size, laws
from many_wolves.findings.regression import Measured
from many_wolves.findings.scaling import (
    FORMS,
    Scale,
    band_of,
    fit_form,
    form_probabilities,
    loo,
    scaling,
)

SIZES = np.array([14e6, 31e6, 70e6, 160e6, 410e6, 1e9, 1.4e9, 2.8e9, 6.9e9, 12e9])


def data(law, rng, se=0.01, groups=("p",), residual=0.0):
    """Sizes of every family, measured with the error ``se``."""
    size = np.tile(SIZES, len(groups))
    names = [g for g in groups for _ in SIZES]
    shift = {g: 0.05 * i for i, g in enumerate(groups)}
    truth = law(size) + np.array([shift[g] for g in names]) + rng.normal(0, residual, len(size))
    return Scale(size, names, Measured(rng.normal(truth, se), np.full(len(size), se**2)))


LAWS = {
    "flat": lambda n: np.full(len(n), 0.4),
    "log-linear": lambda n: 0.2 + 0.15 * np.log10(n / SIZES[0]),
    "saturating": lambda n: 0.7 - 0.5 * (n / SIZES[0]) ** -0.8,
    "broken": lambda n: 0.3 + 0.45 * np.maximum(np.log10(n / 400e6), 0) / 1.48,
}


@pytest.mark.parametrize("law", list(LAWS))
@pytest.mark.parametrize("groups", [("p",), ("p", "q")])
def test_the_law_that_made_the_data_is_the_likeliest(law, groups):
    found = []
    for repeat in range(5):
        rng = np.random.default_rng([1, repeat])
        seen = data(LAWS[law], rng, groups=groups)
        found.append(form_probabilities({n: fit_form(n, seen, rng) for n in FORMS})[law])
    assert np.median(found) > 0.5


def test_the_evidence_is_that_of_the_marginal_normal():
    rng = np.random.default_rng(2)
    seen = data(LAWS["log-linear"], rng)
    fit = fit_form("log-linear", seen, rng)
    X = np.c_[np.ones(10), np.ones(10), seen.u]
    prior = np.diag([0.25, 1e-6, 0.25])
    from many_wolves.findings.scaling import NODES

    by_hand = [
        multivariate_normal.logpdf(
            seen.y.mean, np.full(10, 0.5), np.diag(seen.y.variance + s**2) + X @ prior @ X.T
        )
        for s in NODES
    ]
    assert fit.log_ml == pytest.approx(logsumexp(by_hand) - np.log(len(NODES)), abs=1e-6)


def test_exponents_are_covered_and_a_flat_law_is_no_trend():
    inside, false = 0, 0
    for repeat in range(40):
        rng = np.random.default_rng([3, repeat])
        exponent = rng.uniform(0.3, 1.5)
        seen = data(lambda n, k=exponent: 0.7 - 0.5 * (n / SIZES[0]) ** -k, rng, residual=0.005)
        low, high = np.quantile(fit_form("saturating", seen, rng).shape, [0.025, 0.975])
        step = (3 / 0.1) ** (1 / 23)
        inside += low / step**0.5 <= exponent <= high * step**0.5
        seen = data(LAWS["flat"], rng, residual=0.01)
        false += form_probabilities({n: fit_form(n, seen, rng) for n in FORMS})["flat"] < 0.5
    assert inside >= 35
    assert false <= 4


def test_the_largest_is_predicted_with_its_coverage():
    inside = 0
    for repeat in range(40):
        rng = np.random.default_rng([4, repeat])
        seen = data(LAWS["log-linear"], rng, residual=0.01)
        rest = seen.only(seen.size < seen.size.max())
        drawn = fit_form("log-linear", rest, rng).predict(SIZES[-1], "p", rng)
        low, high = np.quantile(rng.normal(drawn, 0.01), [0.025, 0.975])
        inside += low <= seen.y.mean[-1] <= high
    assert inside >= 35


def test_leaving_out_prefers_the_law_that_made_the_data():
    rng = np.random.default_rng(5)
    seen = data(LAWS["log-linear"], rng)
    assert loo("log-linear", seen, rng).sum() > loo("flat", seen, rng).sum() + 5


def family(rng, change):
    return [
        speaker(
            rng, f"hf/pythia-{size:.0e}", {"social": (0.3 + change * i / 9, 0.3, 0.3, 0.4)}, 1500,
            parameters=f"{size:g}", family="pythia",
        )
        for i, size in enumerate(SIZES)
    ]  # fmt: skip


def test_statements_over_the_sizes_of_a_study():
    rng = np.random.default_rng(6)
    stated = {
        (s.quantity, s.contrast): s for s in scaling(family(rng, 0.4), QUANTITIES, "parameters", 1)
    }
    whole = stated["phi", "whole range"]
    assert whole.evidence == "strong" and whole.interval[0] < 0.4 < whole.interval[1]
    assert stated["phi", "flat"].estimate < 0.05 < stated["w_inf", "flat"].estimate
    total = sum(stated["phi", name].estimate for name in FORMS)
    assert total == pytest.approx(1)
    assert "parameters" in stated["phi", "held-out largest"].sentence
    assert stated["phi", "log-linear - flat, left out"].estimate > 0


def test_too_few_sizes_are_refused():
    rng = np.random.default_rng(7)
    with pytest.raises(WolvesError, match="5 or more parameters, found 4"):
        list(scaling(family(rng, 0)[:4], QUANTITIES, "parameters", 1))
    with pytest.raises(WolvesError, match="5 or more tokens, found 0"):
        list(scaling(family(rng, 0), QUANTITIES, "tokens", 1))


def test_the_figure_has_the_models_and_the_band():
    rng = np.random.default_rng(8)
    assert _no_size(family(rng, 0)[:3], QUANTITIES).startswith("fewer than 5 parameters")
    found = family(rng, 0.4)
    assert _no_size(found, QUANTITIES) == ""
    figure = laws(found, QUANTITIES, "two")
    points = figure.data.query("drawn == 'point' and panel == 'phi'")
    band = figure.data.query("drawn == 'band' and panel == 'phi'")
    assert len(points) == 10 and len(band) == 25
    assert (np.diff(band["mean"]) > -0.05).all() and band["mean"].iloc[-1] > 0.6
    figure.plot.draw()


def test_a_family_with_one_size_is_a_point_without_a_band(monkeypatch):
    class Flat:
        def predict(self, size, group, rng):
            return np.full(scaled.DRAWS, 0.4)

    monkeypatch.setattr(scaled, "fit_form", lambda *_: Flat())
    monkeypatch.setattr(scaled, "form_probabilities", lambda fits: dict.fromkeys(fits, 1 / 4))
    sizes, y = SIZES[:5], Measured(np.full(5, 0.4), np.full(5, 0.1))
    assert set(band_of(Scale(sizes, [*"pppp", "alone"], y), 1)["group"]) == {"p"}
    assert set(band_of(Scale(sizes, [*"abcde"], y), 1)["group"]) == {*"abcde"}
