"""Modes and the Gaussian there, on densities that are known."""

import numpy as np
import pytest

from many_wolves.inference.laplace import gaussian_at_modes


class Bowl:
    """A normal density with its mean at one and given curvatures along turned axes."""

    def __init__(self, curvatures):
        turned = np.random.default_rng(3).normal(size=(len(curvatures), len(curvatures)))
        axes = np.linalg.qr(turned)[0]
        self.precision = (axes * curvatures) @ axes.T

    def optimise(self, data, start):
        return np.ones_like(start)

    def log_density(self, data, points):
        apart = points - 1
        return -0.5 * np.einsum("ni,ij,nj->n", apart, self.precision, apart)

    def gradient(self, data, points):
        return -(points - 1) @ self.precision


def test_the_gaussian_is_that_of_a_normal_density():
    bowl = Bowl([0.5, 2.0, 300.0])
    found = gaussian_at_modes(bowl, {}, 3, np.random.default_rng(1))
    assert found.centre == pytest.approx(1)
    assert found.scale @ found.scale.T == pytest.approx(np.linalg.inv(bowl.precision), rel=1e-5)
    assert len(found.modes) == 1


def test_directions_of_little_curvature_are_kept_beside_steep_ones():
    bowl = Bowl([0.5, 2.0, 5.0, 1e13, 3e13])
    found = gaussian_at_modes(bowl, {}, 5, np.random.default_rng(1))
    widths = np.linalg.svd(found.scale)[1]
    assert widths[:3] == pytest.approx(np.array([0.5, 2.0, 5.0]) ** -0.5, rel=0.02)
    assert np.all(widths > 0)


@pytest.mark.parametrize("top", [1e16, 1e18, 1e25])
def test_a_curvature_beyond_double_precision_still_gives_a_scale(top):
    found = gaussian_at_modes(Bowl([0.5, 2.0, 5.0, top, 3 * top]), {}, 5, np.random.default_rng(1))
    assert np.isfinite(found.scale).all()
    assert np.linalg.det(found.scale) > 0
