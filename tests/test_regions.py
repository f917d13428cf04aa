"""Regions of a posterior: found, weighed and mixed, or left alone."""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from many_wolves import inference
from many_wolves.contracts import Parameter, Problem, Variable
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Adapted, Draws
from many_wolves.inference.evaluation.bridge import Bridge, Half
from many_wolves.inference.evaluation.marginal_likelihood import evidence, together
from many_wolves.inference.sampling import modes as laplace
from many_wolves.inference.sampling import multimodal as regions
from many_wolves.inference.sampling.fit import assemble
from many_wolves.inference.settings import Settings

REFERENCE = Path(__file__).parents[1] / "task-data/human/yoon2020_reference_posterior.json"
SIZE = 2
SHARE = 0.1
RANGES = {"alpha": (0.0, 20.0), "cost": (1.0, 10.0)}
"""Of the second hill."""


class Hills:
    """Two normal densities, at -4 and 4, of which each sampler stays where it begins."""

    version, compile_seconds = "hills", 0.0
    centres, sds = np.array([-4.0, 4.0]), np.array([1.0, 0.3])
    logs = np.log([1 - SHARE, SHARE])

    def __init__(self, *, leaves=False, wanders=False):
        self.leaves, self.wanders = leaves, wanders

    @contextmanager
    def open(self, data):
        yield self

    def _parts(self, points):
        apart = (points[:, None, :] - self.centres[:, None]) / self.sds[:, None]
        height = self.logs - SIZE * np.log(self.sds) - SIZE / 2 * np.log(2 * np.pi)
        return height - 0.5 * np.square(apart).sum(axis=2), apart

    def log_density(self, points):
        return np.logaddexp.reduce(self._parts(points)[0], axis=1)

    quantity_names = tuple(f"x.{i + 1}" for i in range(SIZE))

    def quantities(self, x, seed):
        return x

    def log_density_gradient(self, points):
        parts, apart = self._parts(points)
        shares = np.exp(parts - self.log_density(points)[:, None])
        slopes = -(shares[:, :, None] * apart / self.sds[:, None]).sum(axis=1)
        return self.log_density(points), slopes

    def sample(self, data, starts, settings, whitening, progress=None):
        rng = np.random.default_rng(settings.seed)
        chains = []
        for number, start in enumerate(starts):
            hill = int(np.argmax(self._parts(start[None])[0]))
            hill = number % 2 if self.wanders else hill
            x = rng.normal(self.centres[hill], self.sds[hill], (settings.draws, SIZE))
            if self.leaves:
                x[-10:] = rng.normal(self.centres[0], self.sds[0], (10, SIZE))
            sampler = np.zeros((settings.draws, len(SAMPLER_COLUMNS)))
            sampler[:, SAMPLER_COLUMNS.index("energy__")] = rng.normal(size=settings.draws)
            chains.append((x, sampler))
        adapted = tuple(Adapted(1.0, np.ones(SIZE)) for _ in starts)
        x, sampler = (np.stack(part) for part in zip(*chains, strict=True))
        return Draws(x, sampler, 1.0, "hills", (), adapted)


PROBLEM = Problem(
    model="hills",
    family="none",
    speaker="none",
    program=Path("hills.stan"),
    data={},
    coords={"axis": range(SIZE)},
    variables=(Variable("posterior", "x", "x", ("axis",), (SIZE,)),),
    observed={},
)
PARAMETERS = (Parameter("x", "x", "normal", "a place"),)


def on_the_wide_hill(program, settings):
    """A fit whose climbs found both hills, and whose chains stayed on one."""
    modes = laplace._with_climb([], program, np.full(SIZE, -4.5))
    gaussian = laplace.gaussian_at(laplace._with_climb(modes, program, np.full(SIZE, 4.2)), SIZE)
    assert [m.x[0] > 0 for m in gaussian.modes] == [False, True]
    return sampled(program, settings, gaussian, gaussian.starts(4, np.random.default_rng(2)))


def on_both_hills(program, settings):
    """A fit whose climbs found the wide hill only, and of whose chains one is on the other."""
    modes = laplace._with_climb([], program, np.full(SIZE, -4.5))
    starts = [np.full(SIZE, x) for x in (-4.0, -4.0, 4.0, -4.0)]
    return sampled(program, settings, laplace.gaussian_at(modes, SIZE), starts)


def sampled(program, settings, gaussian, starts):
    draws = program.sample({}, starts, settings.chain, gaussian.whitening)
    return assemble(
        PROBLEM,
        program,
        draws,
        gaussian,
        parameters=PARAMETERS,
        settings=settings,
        seconds=1.0,
        cpu_seconds=1.0,
    )


def test_a_region_that_no_chain_came_to_gets_its_share_of_the_draws():
    program, settings = Hills(), Settings(draws=1000, seed=4)
    done = on_the_wide_hill(program, settings)
    whole = regions.with_regions(done, program, PARAMETERS, print)
    (_, _), (share, se) = ((r.share, r.share_se) for r in whole.regions)
    assert abs(share - SHARE) < 4 * se < 0.02
    x = whole.tree["posterior"]["x"].to_numpy()
    assert (x > 0).mean() == pytest.approx(share, abs=0.02)
    assert x[x > 0].std() == pytest.approx(0.3, rel=0.1)
    np.testing.assert_array_equal(whole.draws.x, x)
    assert whole.diagnostics.ok and "2 modes" in whole.diagnostics.verdict[-1]
    assert whole.cpu_seconds == 2.0
    found = evidence(whole, program, seed=1)
    assert abs(found.log_ml) < 4 * found.se < 0.1


def test_chains_that_leave_a_mode_add_no_region():
    program, settings = Hills(leaves=True), Settings(draws=1000, seed=4)
    done = on_the_wide_hill(program, settings)
    whole = regions.with_regions(done, program, PARAMETERS, print)
    assert not whole.regions
    np.testing.assert_array_equal(whole.draws.x, done.draws.x)


def test_chains_on_two_hills_are_sampled_one_hill_at_a_time():
    program, settings = Hills(), Settings(draws=1000, seed=4)
    done = on_both_hills(program, settings)
    assert done.diagnostics.chains_apart and not done.diagnostics.ok
    alone = regions.in_best_mode(done, program, PARAMETERS, print)
    assert alone.diagnostics.ok and (alone.draws.x < 0).all() and len(alone.gaussian.modes) == 2
    (_, _), (share, se) = (
        (r.share, r.share_se)
        for r in regions.with_regions(alone, program, PARAMETERS, print).regions
    )
    assert abs(share - SHARE) < 4 * se < 0.02


def test_chains_that_do_not_stay_in_the_best_mode_give_no_fit():
    program, settings = Hills(wanders=True), Settings(draws=1000, seed=4)
    done = on_both_hills(program, settings)
    assert regions.in_best_mode(done, program, PARAMETERS, print) is None


def test_a_plane_parts_clouds_or_not():
    rng = np.random.default_rng(5)
    one = rng.normal(size=(2000, 6))
    assert regions.parted(one, rng.normal(size=(2000, 6)) + 4)
    assert not regions.parted(one, rng.normal(size=(2000, 6)) + 1)
    assert not regions.parted(one, np.concatenate([one[:1], one + 20]))


def _mass(log_ml, se):
    half = Half(log_ml, se, se, 1, True, 100.0)
    return Bridge(log_ml, se, se**2, 1, (half, half), True, "good")


def test_the_error_of_a_share_is_that_of_simulated_masses():
    logs, errors = np.array([0.0, -2.0, -1.0]), np.array([0.05, 0.2, 0.1])
    found = regions.shares([_mass(*pair) for pair in zip(logs, errors, strict=True)])
    simulated = np.exp(np.random.default_rng(6).normal(logs, errors, (100_000, 3)))
    shares = simulated / simulated.sum(axis=1, keepdims=True)
    np.testing.assert_allclose([se for _, se in found], shares.std(axis=0), rtol=0.03)
    both = together([_mass(*pair) for pair in zip(logs, errors, strict=True)])
    assert both.log_ml == pytest.approx(np.log(np.exp(logs).sum()))
    assert both.se == pytest.approx(np.log(simulated.sum(axis=1)).std(), rel=0.03)


@pytest.mark.stan
def test_runs_along_alpha_find_a_mode_that_no_run_from_the_prior_finds():
    problem = build(human_table())
    program = inference.load(problem.program, "httpstan")
    with program.open(problem.data) as model:
        found = [
            laplace.gaussian_at_modes(model, np.random.default_rng(2), ridge=ridge).modes
            for ridge in ((), problem.ridge)
        ]
        alpha_at = model.param_unc_names.index("alpha_probit")
    assert len(found[0]) == 1
    alpha = [20 * norm.cdf(mode.x[alpha_at]) for mode in found[1][:2]]
    assert alpha == pytest.approx([5.73, 13.2], abs=0.1)
    assert found[1][1].log_density > found[1][0].log_density


@pytest.mark.slow
@pytest.mark.stan
def test_people_have_the_far_region_of_the_reference_posterior():
    problem = build(human_table())
    program = inference.load(problem.program, "httpstan")
    done = inference.fit_with_retries(
        problem, program, PoliteSpeaker.parameters, Settings(draws=1000, seed=11)
    )
    record = json.loads(REFERENCE.read_text())
    assert done.diagnostics.ok
    near, far = done.regions
    assert far.share == pytest.approx(record["share_above"], abs=0.02)
    alpha = done.tree["posterior"]["alpha"].to_numpy()
    assert (alpha > record["made"]["split_at_alpha"]).mean() == pytest.approx(far.share, abs=0.012)
    with program.open(problem.data) as model:
        names = model.param_unc_names
    for region, name in ((near, "summary_below"), (far, "summary_above")):
        expected = {(r["parameter"], r["condition"]): r for r in record[name]}
        for parameter in ("alpha", "cost"):
            row = expected[parameter, ""]
            at = names.index(f"{parameter}_probit")
            low, high = RANGES[parameter]
            values = low + (high - low) * norm.cdf(region.draws.x[:, :, at])
            assert abs(values.mean() - row["mean"]) < 0.25 * row["sd"]


class Steep:
    """A density with one hill at zero that falls faster than numbers can follow."""

    version, compile_seconds = "steep", 0.0

    def log_density_gradient(self, x):
        steep = np.exp(np.minimum(x[:, 0] ** 2, 700.0))
        gradient = np.stack([-2 * x[:, 0] * steep, -2 * x[:, 1]], axis=1)
        return -steep - x[:, 1] ** 2, gradient


def test_a_search_that_begins_far_out_ends_without_a_warning_of_numpy():
    top = laplace.Mode(np.zeros(2), -1.0, 0.0, np.diag([2.0, 2.0]))
    assert laplace.leads_to(Steep(), np.array([2.0, 1.0]), top)
    assert not laplace.leads_to(Steep(), np.array([26.3, 1.0]), top)
