"""Error of the quadrature over phi by the number of nodes and alpha, and the time of a gradient.

    python benchmarks/quadrature.py

The error is that of a choice's utility, alpha * ln P_L1(s | u), against 600 nodes: the largest over
six costs, and over states that have at least a thousandth of the listener's belief. ``even`` is the
rule of the project, ``Gauss`` the plain Gauss-Legendre rule. Times are for gpt-4o of zhao2025.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import many_wolves as mw
from many_wolves import inference
from many_wolves.contracts import Array
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.recursion import phi_quadrature, recurse
from many_wolves.families.politeness.simulation.human_lexicon import human_lexicon
from many_wolves.workflows.data import of_one

ALPHAS = (5.0, 10.0, 20.0, 30.0, 40.0)
COSTS = 6
BELIEVED = 1e-3
POINTS = 500


def gauss(nodes: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on the unit interval."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, w / 2


def error(rule: Callable[[int], tuple[Array, Array]], nodes: int, alpha: float) -> float:
    """Largest error of a utility."""
    lexicon, _, _ = human_lexicon()
    worst = 0.0
    for cost in np.random.default_rng(1).uniform(-6, 10, COSTS):
        true = recurse(lexicon, alpha, cost, *gauss(600)).L1_state
        found = recurse(lexicon, alpha, cost, *rule(nodes)).L1_state
        seen = true > BELIEVED
        worst = max(worst, float(alpha * np.abs(np.log(found[seen] / true[seen])).max()))
    return worst


def microseconds(nodes: int) -> float:
    """Processor time of one gradient."""
    table = of_one(mw.data("zhao2025"), "gpt-4o-2024-11-20")
    problem = PoliteSpeaker().problem(table, literal="fixed", nodes=nodes)
    with inference.load(problem.program, "auto", print).open(problem.data) as model:
        x = np.random.default_rng(1).normal(scale=0.5, size=(POINTS, model.param_unc_num))
        model.log_density_gradient(x)
        began = time.process_time()
        model.log_density_gradient(x)
        return (time.process_time() - began) / POINTS * 1e6


def main() -> None:
    rows = [
        {"rule": name, "nodes": nodes}
        | {f"alpha {alpha:g}": error(rule, nodes, alpha) for alpha in ALPHAS}
        | {"us per gradient": microseconds(nodes)}
        for name, rule in (("Gauss", gauss), ("even", phi_quadrature))
        for nodes in (32, 48, 64)
    ]
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda x: f"{x:.2g}"))


if __name__ == "__main__":
    main()
