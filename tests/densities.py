"""Densities of compiled programs at points of the unconstrained scale."""

import numpy as np


def log_density(program, problem, points):
    """(m,) log density of a problem at points (m, D)."""
    with program.open(problem.data) as model:
        return model.log_density(points)


def gradient(program, problem, points):
    """(m, D) gradients of it."""
    with program.open(problem.data) as model:
        return model.log_density_gradient(points)[1]


def points_of(program, problem, n, seed, spread=0.8):
    """(n, D) points around zero."""
    with program.open(problem.data) as model:
        size = model.param_unc_num
    return np.random.default_rng(seed).normal(size=(n, size)) * spread
