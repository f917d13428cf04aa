"""Speed of the fit beside its rivals, and of collection, in one run on one machine.

    make bench                      # or: python benchmarks/run.py [--quick]
    python benchmarks/run.py --fits           only the fit and its rivals; other figures stay
    python benchmarks/run.py --collection     only collection; other figures stay
    python benchmarks/run.py --games          only games; other figures stay
    python benchmarks/run.py --bargaining     only bargaining; other figures stay
    python benchmarks/run.py --worlds         only stalled replies; other figures stay
    python benchmarks/run.py --markets        only sessions of the experiment
    python benchmarks/run.py --sweep          only the sweep; other figures stay

Writes benchmarks/out/results.json and prints the ratios. WebPPL takes part where
node is there and `npm install --prefix benchmarks/out webppl` was run; what is
absent or fails is a row that says so. vLLM takes part where `make test-vllm` has
installed it. Nothing else should run meanwhile: the load
average at the start and at the end stands in the results.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from measure import OUT, in_process, machine

NUMPYRO = {
    "dense-16": ("--metric", "dense", "--nodes", "16"),
    "diag-16": ("--metric", "diag", "--nodes", "16"),
    "dense-16-vectorized": ("--metric", "dense", "--nodes", "16", "--chains", "vectorized"),
    "dense-40": ("--metric", "dense", "--nodes", "40"),
    "diag-40": ("--metric", "diag", "--nodes", "40"),
}

PREFIXES = {"fits": ("fit.", "fits.", "runs.", "machine.")}
"""Under which names the figures of a part stand, where it is not its own."""


def stan_runs(quick: bool) -> dict[str, dict[str, Any]]:
    """The project's fit with every engine there is."""
    from many_wolves.families.politeness.model.problem import build
    from many_wolves.families.politeness.reading.human import human_table
    from many_wolves.inference.engines.select import EngineName, find_cmdstan, load

    engines: list[EngineName] = ["httpstan"]
    if find_cmdstan():
        engines.append("cmdstan")
    runs: dict[str, dict[str, Any]] = {}
    for engine in engines:
        # Here, so that no fit that is measured has to compile.
        load(build(human_table()).program, engine)
        tell(f"{engine}")
        runs[engine] = in_process("stan_fit.py", "--engine", engine)
        if not quick:
            tell(f"{engine}, compiling")
            # In a process of its own, since a compiler takes more memory than any fit.
            runs[engine] |= in_process("stan_fit.py", "--engine", engine, "--compile")
        tell(f"{engine}, with all that is kept of each cell")
        runs[f"{engine}-whole"] = in_process("stan_fit.py", "--engine", engine, "--keep")
    for name in () if quick else ("plain", "unwhitened"):
        tell(f"httpstan, {name}")
        runs[f"httpstan-{name}"] = in_process("stan_fit.py", f"--{name}")
    if "cmdstan" not in runs:
        runs["cmdstan"] = {"absent": "no CmdStan is installed"}
    return runs


def numpyro_runs(quick: bool) -> dict[str, dict[str, Any]]:
    """NumPyro with both metrics and both treatments of phi."""
    chosen = list(NUMPYRO)[: 2 if quick else None]
    runs = {}
    for name in chosen:
        tell(f"numpyro {name}")
        runs[name] = in_process("numpyro_baseline.py", *NUMPYRO[name])
    return runs


def collection_runs(quick: bool) -> dict[str, dict[str, Any]]:
    """How fast answers are collected, by backend."""
    trials = ("--n", "8" if quick else "24")
    tell("collection: API models, 64 connections")
    runs = {"api": in_process("collect_api.py", "--n", "1280" if quick else "6400")}
    tell("collection: transformers")
    runs["hf"] = in_process("collect_local.py", "hf", *trials)
    vllm = Path(__file__).parents[1] / ".venv-vllm" / "bin" / "python"
    if not vllm.exists():
        return runs | {"vllm": {"absent": "no .venv-vllm: `make test-vllm` makes it"}}
    tell("collection: vLLM")
    runs["vllm"] = in_process("collect_local.py", "vllm", *trials, python=str(vllm))
    return runs


def game_runs(quick: bool) -> dict[str, Any]:
    """How fast games are played, and whether memory stays flat as they grow."""
    tell("games: a thousand at once, the simulated speaker")
    return in_process("games.py", "--most", "5000" if quick else "100000", timeout_s=7200)


def bargaining_runs(quick: bool) -> dict[str, Any]:
    """How fast chains are played, with scripts and with a critic, and the fit of human turns."""
    shorter = ("--most", "2000", "--chains", "20", "--reply_s", "0.1") if quick else ()
    found: dict[str, Any] = {}
    for part in ("games", "fit", "chains"):
        tell(f"bargaining: {part}")
        # In a process of its own each, so that one that fails leaves the others.
        one = in_process("haggling.py", "--part", part, *shorter, timeout_s=7200)
        found[part] = one.get(part, one)
    return found


def world_runs(quick: bool) -> dict[str, Any]:
    """What stalled replies cost."""
    tell("games against a server that stalls now and then")
    return in_process("worlds.py", "--stall", "3" if quick else "30")


def market_runs(quick: bool) -> dict[str, Any]:
    """Sessions of the experiment in process, and on oTree."""
    tell("sessions of an experiment, in process and on oTree")
    sizes = ("1000", "24") if quick else ("10000", "60")
    return in_process("markets.py", "--sessions", sizes[0], "--participants", sizes[1])


def best(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The run with the highest median ESS a CPU second; the first one if all failed."""
    sound = [r for r in runs.values() if r.get("converged")]
    if not sound:
        return next(iter(runs.values()))
    return max(sound, key=lambda r: r["ess_per_cpu_s"]["median"])


def flat(name: str, value: Any, into: dict[str, Any]) -> None:
    """Nested figures under dotted names."""
    if isinstance(value, dict):
        for key, part in value.items():
            flat(f"{name}.{key}" if name else str(key), part, into)
    else:
        into[name] = value


def figures(
    stan: dict[str, dict[str, Any]],
    numpyro: dict[str, dict[str, Any]],
    webppl: dict[str, Any],
) -> dict[str, Any]:
    """Figures by their published names."""
    rivals = {**{k: v for k, v in stan.items() if "-" not in k}, "numpyro": best(numpyro)}
    rivals["webppl"] = webppl
    fastest = best({k: v for k, v in stan.items() if "-" not in k})
    named: dict[str, Any] = {
        "fit.ess_per_cpu_s": {
            k: v.get("ess_per_cpu_s") or {"median": None, "min": None} for k, v in rivals.items()
        },
        "fit.gradient_us": fastest.get("gradient_us"),
        "fit.leapfrogs_per_draw": fastest.get("leapfrogs_per_draw"),
        "fit.peak_memory_mib": fastest.get("peak_memory_mib"),
        "fit.compile_s": {k: v.get("compile_s") for k, v in rivals.items()},
        "runs": {**stan, **{f"numpyro-{k}": v for k, v in numpyro.items()}, "webppl": webppl},
    }
    ours, theirs = (r.get("ess_per_cpu_s") for r in (fastest, best(numpyro)))
    if ours and theirs:
        named["fit.ratio_to_numpyro"] = {k: ours[k] / theirs[k] for k in ("median", "min")}
    result: dict[str, Any] = {}
    for name, value in named.items():
        flat(name, value, result)
    return result


def report(result: dict[str, Any]) -> None:
    """Print what a reader looks for first."""
    print(f"\n{'sampler':<24}{'median':>10}{'min':>10}  bulk ESS per CPU second")
    for name in ("httpstan", "cmdstan", "numpyro", "webppl"):
        median, least = (result.get(f"fit.ess_per_cpu_s.{name}.{k}") for k in ("median", "min"))
        words = f"{median:>10.1f}{least:>10.1f}" if median else f"{'-':>10}{'-':>10}"
        converged = result.get(f"runs.{name}.converged", True)
        print(f"{name:<24}{words}{'' if converged else '  (not converged)'}")
    for key in ("fit.ratio_to_numpyro.median", "fit.gradient_us", "fit.leapfrogs_per_draw",
                "fit.peak_memory_mib", "sweep.seconds_per_fit", "sweep.good",
                "collection.api.answers_per_s", "collection.api.share_of_ideal",
                "collection.hf.score.ours_trials_per_s", "collection.hf.score.overhead",
                "collection.hf.score.cached_over_afresh", "collection.hf.sample.overhead",
                "collection.vllm.score.overhead", "collection.vllm.sample.overhead",
                "games.rounds_per_s", "games.memory_growth", "games.fit.seconds",
                "bargaining.games.turns_per_s", "bargaining.games.share_of_speed_without_journals",
                "bargaining.games.memory_growth", "bargaining.fit.cpu_s",
                "bargaining.fit.cpu_over_without_covariates", "bargaining.chains.replies_per_s",
                "bargaining.chains.share_of_ideal",
                "worlds.run_over_longest_game", "markets.local.1000.sessions_per_s",
                "markets.local.10000.memory_mib", "markets.otree.participants_per_s",
                "markets.otree.overhead"):  # fmt: skip
        if isinstance(result.get(key), (int, float)):
            print(f"{key:<40}{result[key]:>10.2f}")


def tell(words: str) -> None:
    """Say what is being measured."""
    print(f"measuring {words} ...", flush=True)


def sweep_runs(quick: bool) -> dict[str, Any]:
    """Many speakers, with the engine that every installation has."""
    tell("a sweep over simulated speakers")
    speakers = "6" if quick else "100"
    return in_process("sweep.py", "--speakers", speakers, "--engine", "httpstan", timeout_s=3600)


def fits(quick: bool) -> dict[str, Any]:
    """Figures of the fit."""
    stan = stan_runs(quick)
    numpyro = numpyro_runs(quick)
    tell("webppl")
    webppl = in_process("webppl.py", "--seconds", "20" if quick else "120", timeout_s=3600)
    return figures(stan, numpyro, webppl)


def main() -> None:
    """Measure, write the results, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rivals, short WebPPL, no compile"
    )
    parts = {
        "fits": fits,
        "collection": collection_runs,
        "games": game_runs,
        "bargaining": bargaining_runs,
        "worlds": world_runs,
        "markets": market_runs,
        "sweep": sweep_runs,
    }
    for name in parts:
        parser.add_argument(f"--{name}", action="store_true", help=f"measure {name} alone")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    OUT.mkdir(exist_ok=True)
    file = OUT / "results.json"
    alone = [name for name in parts if getattr(options, name)]
    result: dict[str, Any] = {}
    if alone and file.exists():
        result = json.loads(file.read_text())
    for name in alone or parts:
        before = machine()
        found = parts[name](options.quick)
        stale = PREFIXES.get(name, (f"{name}.",))
        result = {k: v for k, v in result.items() if not k.startswith(stale)}
        flat("" if name in PREFIXES else name, found, result)
        flat(f"{name}.machine", before | {"load_average_after": machine()["load_average"]}, result)
        file.write_text(json.dumps(result, indent=2) + "\n")
    report(result)
    print(f"\nWritten to {file}")


if __name__ == "__main__":
    main()
