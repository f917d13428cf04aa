"""Models of markets in Stan: densities against NumPy and SciPy, known truth found again."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, expon, halfnorm, norm

from densities import gradient, log_density, points_of
from many_wolves import inference
from many_wolves.cli import run, wolves
from many_wolves.families.markets.model import ALL
from many_wolves.families.markets.model.beliefs import fitted_rate
from many_wolves.families.markets.model.declared_data import read_declarations
from many_wolves.families.markets.model.declared_numpy import Declarer, log_likelihood
from many_wolves.families.markets.model.ewa_numpy import Learner, read_courses
from many_wolves.families.markets.model.ewa_numpy import log_likelihood as log_courses
from many_wolves.families.markets.model.purchases_numpy import Buyer, read_purchases
from many_wolves.families.markets.model.purchases_numpy import log_likelihood as log_purchases
from many_wolves.families.markets.model.quotes_numpy import Trader, read_turns
from many_wolves.families.markets.model.quotes_numpy import log_likelihood as log_turns
from many_wolves.tables import write_table
from market_sessions import played

# Each program takes one to three minutes to compile: `make test-slow`.
pytestmark = [pytest.mark.stan, pytest.mark.slow]


@pytest.fixture(scope="module")
def table():
    return played(taxes=(0.1, 0.5), rounds=3, practice=False, ticks=3)


class Reader:
    """Unconstrained parameters in the order of a program, with the log prior of each."""

    def __init__(self, x):
        self.left, self.log_prior = list(x), 0.0

    def normal(self, middle=0.0, sd=1.0):
        x = self.left.pop(0)
        self.log_prior += norm.logpdf(x, middle, sd)
        return x

    def positive(self, law):
        """A positive parameter; its logarithm is what is sampled."""
        x = self.left.pop(0)
        self.log_prior += law.logpdf(np.exp(x)) + x
        return np.exp(x)

    def share(self, law):
        """A parameter between 0 and 1; its log-odds are what is sampled."""
        x = self.left.pop(0)
        p = expit(x)
        self.log_prior += law.logpdf(p) + np.log(p * (1 - p))
        return p

    def arsinh(self):
        """A standard normal parameter; the inverse hyperbolic sine of its triple is sampled."""
        x = self.left.pop(0)
        value = np.sinh(x) / 3
        self.log_prior += norm.logpdf(value) + np.log(np.cosh(x) / 3)
        return value

    def normals(self, n):
        return np.array([self.normal() for _ in range(n)])


def check(name, table, expected, options, spread=0.6):
    """The program's density at a few points is the one that ``expected`` works out."""
    problem = ALL[name].problem(table, **options)
    program = inference.load(problem.program, "httpstan")
    points = points_of(program, problem, 3, seed=1, spread=spread)
    wanted = []
    for x in points:
        reader = Reader(x)
        likelihood = expected(reader)
        assert not reader.left, "every parameter has a prior"
        wanted.append(likelihood + reader.log_prior)
    np.testing.assert_allclose(log_density(program, problem, points), wanted, rtol=1e-9)


@pytest.mark.parametrize(
    "options", [{}, {"beliefs": "rational"}, {"honesty": True}, {"first": False}]
)
def test_declared_values(table, options):
    data = read_declarations(table, options.get("first", True))
    rational = fitted_rate(table)

    def expected(x):
        estimated = options.get("beliefs") != "rational"
        takeover, slope = (x.normal(0, 1.5), np.exp(x.normal(0.7, 0.7))) if estimated else rational
        who = Declarer(
            takeover=takeover,
            slope=slope,
            loss=np.exp(x.normal(0.3, 0.5)),
            precision=np.exp(x.normal()),
            strategic=x.arsinh() if options.get("first", True) else 0.0,
            honesty=x.positive(expon()) if options.get("honesty") else 0.0,
        )
        sd = [x.positive(expon(scale=0.5)) for _ in range(2)]
        n = len(data.participants)
        who = replace(
            who, takeover_each=sd[0] * x.normals(n), log_precision_each=sd[1] * x.normals(n)
        )
        return log_likelihood(who, data).sum()

    check("declared-value", table, expected, options)


@pytest.mark.parametrize(
    "options", [{}, {"beliefs": "rational"}, {"honesty": True}, {"first": False}]
)
def test_the_gradient_of_declared_values_is_its_slope(table, options):
    """It is written out in C++; central differences are right to some six digits."""
    problem = ALL["declared-value"].problem(table, **options)
    program = inference.load(problem.program, "httpstan")
    x = points_of(program, problem, 1, seed=2, spread=0.6)
    step = 1e-5 * np.eye(x.size)
    rise = log_density(program, problem, x + step) - log_density(program, problem, x - step)
    np.testing.assert_allclose(gradient(program, problem, x)[0], rise / 2e-5, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"base_rate": False}, {"shading": False}])
def test_purchases(table, options):
    data = read_purchases(table)

    def expected(x):
        w = x.share(beta(2, 2)) if options.get("base_rate", True) else 0.0
        # The slope is precision times base rate: a shift of the logarithm.
        precision = np.exp(x.left.pop(0) - (np.log(w) if w else 0.0))
        x.log_prior += norm.logpdf(np.log(precision))
        shading = 0.0
        if options.get("shading", True):
            gains = data.share * data.declared / data.buyers / 10_000
            unit = (25 + 0.1 * (gains**2).sum() * (precision * (1 - w)) ** 2) ** -0.5
            shading = unit * x.left.pop(0)
            x.log_prior += norm.logpdf(shading, 0, 0.2) + np.log(unit)
        who = Buyer(base_rate=w, shading=shading, hurdle=x.normal(), precision=precision)
        sd = x.positive(expon(scale=0.5))
        each = sd * x.normals(len(data.participants))
        return log_purchases(replace(who, hurdle_each=each), data)

    check("purchases", table, expected, options)


@pytest.mark.parametrize("options", [{}, {"anchor": False}, {"inventory": False}])
def test_quotes(table, options):
    data = read_turns(table)

    def expected(x):
        return log_turns(
            Trader(
                private_weight=x.share(beta(2, 2)),
                public_bias=0.1 * x.normal(),
                anchor=0.5 * x.normal() if options.get("anchor", True) else 0.0,
                inventory=0.2 * x.positive(halfnorm()) if options.get("inventory", True) else 0.0,
                margin=0.05 * x.positive(halfnorm()),
                sigma=np.exp(x.normal(-3, 1)),
                precision=np.exp(x.normal(-1, 1)),
                taste=tuple(x.normal(0, 1.5) for _ in range(3)),
            ),
            data,
        ).sum()

    check("quotes", table, expected, options)


@pytest.mark.parametrize(
    "options",
    [{}, {"growth": "one"}, {"growth": "estimated"}, {"foregone": False}, {"past": False}],
)
def test_learning(table, options):
    data = read_courses(table)

    def expected(x):
        past = options.get("past", True)
        growth = options.get("growth")
        who = Learner(
            past=past,
            phi=x.share(beta(8, 2)) if past else 0.0,
            delta=x.share(beta(2, 2)) if past and options.get("foregone", True) else 0.0,
            kappa=x.share(beta(1, 1)) if growth == "estimated" else float(growth == "one"),
            lambda_=np.exp(x.normal()),
        )
        return log_courses(who, data, data.chosen)[data.there].sum()

    check("ewa", table, expected, options)


def test_from_a_table_to_a_report_and_back_to_known_truth(tmp_path, monkeypatch):
    """Fit, report, recovery and comparison, through the commands."""
    monkeypatch.chdir(tmp_path)
    write_table(played(2, rounds=2, ticks=4), "t")
    short = ["--chains", "2", "--warmup", "200", "--draws", "200"]
    given = ["fit", "t", "--model", "quotes", *short, "--allow-unconverged", "--out", "fit"]
    # A process of its own: what it says on both streams comes in order.
    words = [sys.executable, "-m", "many_wolves", *given]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    fitted = subprocess.run(words, check=False, text=True, **streams)
    both = fitted.stdout
    assert fitted.returncode in (0, 1, 4), both
    assert both.index("tell") < both.index("private_weight "), "what is open comes first"
    assert run(wolves, ["report", "fit"]) == 0
    assert "Price paths against the fundamental" in (tmp_path / "fit/report.html").read_text()
    trader = {
        "private_weight": 0.7, "public_bias": 0.0, "anchor": 0.0, "inventory": 0.1,
        "margin": 0.03, "sigma": 0.05, "precision": 0.5, "taste": [0.5, 0.5, 0.0],
    }  # fmt: skip
    (tmp_path / "trader.json").write_text(json.dumps(trader))
    words = ["recover", "t", "--model", "quotes", "--n", "4", "--workers", "1"]
    words += ["--given", "trader.json", "--out", "recovery", *short]
    run(wolves, words)
    lines = (tmp_path / "recovery/simulations.jsonl").read_text().splitlines()[1:]
    found = [json.loads(line)["quantities"] for line in lines]
    for name in ("sigma", "precision"):
        mean = np.mean([q[name]["mean"] for q in found])
        assert mean == pytest.approx(trader[name], rel=0.35)
