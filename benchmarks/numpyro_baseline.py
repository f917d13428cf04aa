"""NumPyro's NUTS on the same model, with a likelihood vectorised by hand.

The strongest rival, given every help: double precision as Stan has, one compiled
kernel, phi integrated by the same quadrature (or by 40 grid values), a diagonal
or a dense metric, chains one after the other or all in one vector, one thread. The first run
compiles; the second, with another seed, is the one measured.

    python benchmarks/numpyro_baseline.py --metric dense --nodes 16
"""

from __future__ import annotations

import argparse
import json
import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax
from jax.scipy.special import logsumexp
from measure import CHAINS, DRAWS, WARMUP, clock, human_data, peak_memory_mib, speed
from numpyro.infer import MCMC, NUTS
from numpyro.infer.util import initialize_model

from many_wolves.families.politeness.model.recursion import phi_quadrature

jax.config.update("jax_enable_x64", True)

DATA = human_data()
EXTRA = ("num_steps", "diverging")
VALUES = jnp.arange(4.0)


def log_speaker2(theta, alpha, cost, weights, phi, nodes, node_weights):
    """Log P_S2(u | s) as (condition, utterance, state), all conditions at once."""
    log_prior = -jnp.where(DATA.negated > 0, cost, 1.0)
    log_L0 = jnp.log(theta) - jnp.log(theta.sum(axis=1, keepdims=True))
    expected = jnp.exp(log_L0) @ VALUES
    points = jnp.concatenate([nodes, phi])[:, None, None]
    utility = points * log_L0 + (1 - points) * expected[:, None]
    log_S1 = log_softmax(alpha * utility + log_prior[:, None], axis=1)
    log_joint = log_S1[: nodes.size] + jnp.log(node_weights)[:, None, None]
    log_states = logsumexp(log_joint, axis=0)
    log_evidence = logsumexp(log_states, axis=1)
    log_L1 = log_states - log_evidence[:, None]
    log_phi = logsumexp(log_S1[nodes.size :], axis=2) - log_evidence
    kind = jnp.exp(log_L1) @ VALUES
    inf, soc, pres = weights[:, 0], weights[:, 1], weights[:, 2]
    utility2 = (
        inf[:, None, None] * log_L1
        + soc[:, None, None] * kind[:, None]
        + (pres[:, None] * log_phi)[:, :, None]
    )
    return log_softmax(alpha * utility2 + log_prior[:, None], axis=1)


def model(counts, yes, n, nodes, node_weights):
    """Priors of Y20, phi continuous, literal judgments in the model."""
    conditions = counts.shape[0]
    theta = numpyro.sample("theta", dist.Uniform().expand([8, 4]).to_event(2))
    alpha = numpyro.sample("alpha", dist.Uniform(0.0, 20.0))
    cost = numpyro.sample("cost", dist.Uniform(1.0, 10.0))
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.ones(3)).expand([conditions]))
    phi = numpyro.sample("phi", dist.Uniform().expand([conditions]).to_event(1))
    log_S2 = log_speaker2(theta, alpha, cost, weights, phi, nodes, node_weights)
    literal = yes * jnp.log(theta) + (n - yes) * jnp.log1p(-theta)
    numpyro.factor("choices", (counts * log_S2).sum() + literal.sum())


def gradient_us(arguments) -> float:
    """Microseconds of CPU for one value with its gradient, inside one compiled loop."""
    info = initialize_model(jax.random.PRNGKey(0), model, model_args=arguments)
    value_and_grad = jax.value_and_grad(info.potential_fn)
    steps = 2000

    @jax.jit
    def loop(x):
        # The step is too small to move, and keeps the loop from being optimised away.
        def body(_, x):
            return jax.tree.map(lambda a, g: a - 1e-12 * g, x, value_and_grad(x)[1])

        return jax.lax.fori_loop(0, steps, body, x)

    jax.block_until_ready(loop(info.param_info.z))
    with clock() as measured:
        jax.block_until_ready(loop(info.param_info.z))
    return measured.cpu / steps * 1e6


def quadrature(nodes: int):
    """The nodes of the project, or for 40 the even grid that the published model sums."""
    if nodes == 40:
        return jnp.arange(40) / 40, jnp.full(40, 1 / 40)
    return tuple(jnp.asarray(part) for part in phi_quadrature(nodes))


def main() -> None:
    """Sample twice, measure the second run, print its figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--metric", choices=("diag", "dense"), default="dense")
    parser.add_argument("--nodes", type=int, default=16, help="40: the grid")
    parser.add_argument("--chains", choices=("sequential", "vectorized"), default="sequential")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    arguments = (
        jnp.asarray(DATA.counts.transpose(0, 2, 1)),
        jnp.asarray(DATA.yes),
        jnp.asarray(DATA.n),
        *quadrature(options.nodes),
    )
    mcmc = MCMC(
        NUTS(model, dense_mass=options.metric == "dense"),
        num_warmup=WARMUP,
        num_samples=DRAWS,
        num_chains=CHAINS,
        chain_method=options.chains,
        progress_bar=False,
    )
    with clock() as first:
        mcmc.run(jax.random.PRNGKey(options.seed), *arguments, extra_fields=EXTRA)
        jax.block_until_ready(mcmc.get_samples())
    with clock() as second:
        mcmc.run(jax.random.PRNGKey(options.seed + 1), *arguments, extra_fields=EXTRA)
        jax.block_until_ready(mcmc.get_samples())
    extra = mcmc.get_extra_fields(group_by_chain=True)
    draws = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    result = speed(
        draws,
        second.cpu,
        metric=options.metric,
        nodes=options.nodes,
        chains=options.chains,
        compile_s=max(first.wall - second.wall, 0.0),
        gradient_us=gradient_us(arguments),
        leapfrogs_per_draw=float(np.asarray(extra["num_steps"]).mean()),
        divergences=int(np.asarray(extra["diverging"]).sum()),
        peak_memory_mib=peak_memory_mib(),
        numpyro=numpyro.__version__,
    )
    print(json.dumps(result.to_json()))


if __name__ == "__main__":
    main()
