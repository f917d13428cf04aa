"""Modes and the Gaussian there, on densities that are known."""

import numpy as np
import pytest

from many_wolves.inference.sampling import modes as laplace
from many_wolves.inference.sampling.modes import gaussian_at_modes


class Bowl:
    """A normal density with its mean at one and given curvatures along turned axes."""

    def __init__(self, curvatures):
        turned = np.random.default_rng(3).normal(size=(len(curvatures), len(curvatures)))
        axes = np.linalg.qr(turned)[0]
        self.precision = (axes * curvatures) @ axes.T
        self.param_unc_num = len(curvatures)

    def log_density(self, points):
        apart = points - 1
        return -0.5 * np.einsum("ni,ij,nj->n", apart, self.precision, apart)

    def log_density_gradient(self, points):
        return self.log_density(points), -(points - 1) @ self.precision


def test_the_gaussian_is_that_of_a_normal_density():
    bowl = Bowl([0.5, 2.0, 300.0])
    found = gaussian_at_modes(bowl, np.random.default_rng(1))
    assert found.centre == pytest.approx(1)
    assert found.scale @ found.scale.T == pytest.approx(np.linalg.inv(bowl.precision), rel=1e-5)
    assert len(found.modes) == 1


def test_directions_with_little_curvature_are_kept():
    bowl = Bowl([0.5, 2.0, 5.0, 1e13, 3e13])
    found = gaussian_at_modes(bowl, np.random.default_rng(1))
    widths = np.linalg.svd(found.scale)[1]
    assert widths[:3] == pytest.approx(np.array([0.5, 2.0, 5.0]) ** -0.5, rel=0.02)
    assert np.all(widths > 0)


@pytest.mark.parametrize("top", [1e16, 1e18, 1e25])
def test_a_curvature_beyond_double_precision_still_gives_a_scale(top):
    found = gaussian_at_modes(Bowl([0.5, 2.0, 5.0, top, 3 * top]), np.random.default_rng(1))
    assert np.isfinite(found.scale).all()
    assert np.linalg.det(found.scale) > 0


class Crowd(Bowl):
    """A normal density of three shared values, and of 120 members that depend on these alone."""

    def __init__(self):
        self.param_unc_num = 123
        pulls = np.random.default_rng(4).normal(0.0, 0.1, size=(3, 120))
        self.precision = np.block([[pulls @ pulls.T + np.eye(3), pulls], [pulls.T, np.eye(120)]])


def test_the_scale_of_many_members_has_few_entries_and_one_mode():
    crowd = Crowd()
    found = gaussian_at_modes(crowd, np.random.default_rng(1))
    assert found.centre == pytest.approx(1, abs=1e-3)
    assert np.count_nonzero(found.scale[3:], axis=1).max() <= 4
    covariance = np.linalg.inv(crowd.precision)
    sd = np.sqrt(np.diag(covariance))
    apart = (found.scale @ found.scale.T - covariance) / np.outer(sd, sd)
    assert np.abs(apart).max() < 1e-3
    assert len(found.modes) == 1


class Hills:
    """A low and wide normal density at -3, and a high and narrow one of more mass at 3."""

    heights, sds = np.array([0.0, 8.0]), np.array([1.0, 0.3])
    param_unc_num = 2

    def _parts(self, points):
        centres = np.array([-3.0, 3.0])
        apart = (points[:, None, :] - centres[:, None]) / self.sds[:, None]
        return self.heights - 0.5 * np.square(apart).sum(axis=2), apart

    def log_density(self, points):
        return np.logaddexp.reduce(self._parts(points)[0], axis=1)

    def log_density_gradient(self, points):
        parts, apart = self._parts(points)
        shares = np.exp(parts - self.log_density(points)[:, None])
        slopes = -(shares[:, :, None] * apart / self.sds[:, None]).sum(axis=1)
        return self.log_density(points), slopes


def test_draws_that_lead_to_a_mode_of_more_mass_give_the_gaussian_there():
    hills, size = Hills(), 4
    low = laplace.gaussian_at(laplace._with_climb([], hills, np.full(size, -3.2)), size)
    assert low.centre == pytest.approx(-3, abs=1e-3)
    near = [np.full(size, -3.5), np.full(size, -2.5)]
    assert laplace.gaussian_at_better_mode(hills, low, near) is None
    found = laplace.gaussian_at_better_mode(hills, low, [*near, np.full(size, 2.5)])
    assert found.centre == pytest.approx(3, abs=1e-3)
    assert found.scale == pytest.approx(0.3 * np.eye(size), abs=1e-3)
    assert [mode.reached for mode in found.modes] == [1, 3]
    masses = 8 + size * np.log(0.3) - 0.0
    assert found.modes[0].log_mass - found.modes[1].log_mass == pytest.approx(masses, abs=1e-3)


def test_climbs_go_on_while_the_best_mode_was_reached_but_once():
    hills = Hills()
    one = gaussian_at_modes(hills, np.random.default_rng(3), starts=1)
    assert one.modes[0].reached == 2 or sum(m.reached for m in one.modes) == laplace.MOST_STARTS


def test_modes_of_a_similar_problem_are_starts_too():
    near = np.full(Hills.param_unc_num, 2.5)
    known = [near, near, np.full(7, 2.5)]  # The last is of a problem with more parameters.
    found = gaussian_at_modes(Hills(), np.random.default_rng(1), starts=0, known=known)
    assert found.centre == pytest.approx(3, abs=1e-3)
    assert [mode.reached for mode in found.modes] == [2]


def test_a_coordinate_is_held_and_the_others_go_to_the_top():
    bowl = Bowl([0.5, 2.0, 300.0])
    found = laplace._held(bowl, np.zeros(3), 1, 2.5)
    covariance = np.linalg.inv(bowl.precision)
    assert found == pytest.approx(1 + covariance[:, 1] / covariance[1, 1] * 1.5, abs=1e-3)
