"""The engine of an installed CmdStan.

cmdstanpy finds CmdStan, compiles with it and writes its data. The executables are
run from here, because cmdstanpy tells neither how far a chain is nor the
processor time of each, and evaluates the density at one point a process. The
metric is dense wherever the warm-up is long enough to learn one: it saves
leapfrog steps.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from many_wolves.contracts import Array
from many_wolves.inference.engines.cmdstan_build import cmdstan_version, executable
from many_wolves.inference.engines.cmdstan_run import (
    DIGITS,
    OnLine,
    read_adapted,
    read_csv,
    run_all,
)
from many_wolves.inference.engines.draws import Adapted, Draws, stack
from many_wolves.inference.engines.protocol import Progress, StanData
from many_wolves.inference.settings import Settings

DENSE_WINDOW, DIAGONAL_WINDOW = 5, 2
"""Draws per parameter in the first window from which warm-up learns a metric.

A dense metric learnt from fewer draws than parameters makes leapfrog steps tiny:
with CmdStan's own first window of 25, the warm-up of 43 parameters takes five
times as many. Where warm-up is too short for the window, the metric is diagonal.
"""
FIRST, LAST = 75, 50
"""Iterations of warm-up before and after those windows, CmdStan's own; of short ones its shares."""
SHORT = 150

_ITERATION = re.compile(r"Iteration:\s*(\d+) / (\d+)")
_REJECTED = "Error during log_prob calculation"


@dataclass(frozen=True)
class CmdStanProgram:
    """A program compiled by CmdStan."""

    path: Path
    version: str
    compile_seconds: float
    engine: str = "cmdstan"

    @classmethod
    def load(cls, program: Path, progress: Progress | None = None) -> Self:
        """Compile the program, or take it from the cache.

        Raises
        ------
        WolvesError
            If it does not compile.
        """
        path, seconds = executable(program, progress)
        return cls(path, f"CmdStan {cmdstan_version()}", seconds)

    @contextmanager
    def open(self, data: StanData) -> Iterator[_Evaluated]:
        """The program with these data, to be evaluated at many points."""
        with _data_file(data) as (folder, data_file):
            yield _Evaluated(self.path, folder, data_file)

    def log_density(self, data: StanData, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects it."""
        with self.open(data) as program:
            return program.log_density(z)

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start, as many at once as there are cores.

        Raises
        ------
        WolvesError
            If a chain cannot start or ends before its last draw.
        """
        each = nuts_arguments(settings, len(starts[0]))
        return self._chains(data, starts, settings, [each] * len(starts), progress)

    def go_on(
        self,
        data: StanData,
        chains: Draws,
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """More draws of each chain, as many chains at once as there are cores.

        Raises
        ------
        WolvesError
            If a chain ends before its last draw.
        """
        own = replace(settings, warmup=0)
        with tempfile.TemporaryDirectory(prefix="wolves_") as folder:
            arguments = []
            for number, adapted in enumerate(chains.adapted):
                metric = {"inv_metric": adapted.metric.tolist()}
                file = _write(Path(folder, f"metric_{number + 1}.json"), metric)
                arguments.append(adapted_arguments(own, adapted, file))
            more = self._chains(data, list(chains.block("z")[:, -1]), own, arguments, progress)
        return replace(more, adapted=chains.adapted)

    def _chains(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        arguments: Sequence[Sequence[str]],
        progress: Progress | None,
    ) -> Draws:
        with _data_file(data) as (folder, data_file):
            outs = [folder / f"chain_{i + 1}.csv" for i in range(len(starts))]
            commands = [
                [
                    *_head(self.path, data_file, out),
                    f"init={_write(out.with_suffix('.json'), {'z': np.asarray(start).tolist()})}",
                    *("random", f"seed={settings.seed}", f"id={i + 1}"),
                    *own,
                ]
                for i, (out, start, own) in enumerate(zip(outs, starts, arguments, strict=True))
            ]
            finished = run_all(commands, _meter(len(starts), progress))
            for chain in finished:
                if chain.status != 0:
                    raise chain.error("sampling", self.path)
            tables = [read_csv(out) for out in outs]
            adapted = tuple(read_adapted(out) for out in outs) if settings.warmup else ()
        return Draws(
            columns=tables[0][0],
            values=stack([rows for _, rows in tables]),
            cpu_seconds=sum(chain.cpu_seconds for chain in finished),
            messages=tuple(dict.fromkeys(line for chain in finished for line in chain.said)),
            adapted=adapted,
        )

    def sample_replaced(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        replacements: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """Chain after chain, each through its own replacements of the data."""
        chains = []
        for number, (start, own) in enumerate(zip(starts, replacements, strict=True)):
            parts: list[Draws] = []
            here = np.asarray(start)
            for step, replacement in enumerate(own):
                seed = settings.seed + 1000 * number + step
                given = {**data, **replacement}
                parts.append(self.sample(given, [here], replace(settings, seed=seed)))
                here = parts[-1].block("z")[0, -1]
            chains.append(replace(strung(parts), adapted=()))
            if progress is not None:
                progress(f"chain {number + 1} done ({number + 1} of {len(starts)})")
        return join(chains)


@dataclass(frozen=True)
class _Evaluated:
    """A program with its data, in files of ``folder``."""

    path: Path
    folder: Path
    data_file: Path

    def log_density(self, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects it."""
        return self._evaluate(z)[:, 0]

    def log_density_gradient(self, z: Array) -> tuple[Array, Array]:
        """(m,) log densities, and (m, D) their gradients; NaN where Stan rejects the row."""
        values = self._evaluate(z)
        return values[:, 0], values[:, 1:]

    def _evaluate(self, z: Array) -> Array:
        """(m, 1 + D) log density and gradient at each row of z."""
        points = np.atleast_2d(np.asarray(z, dtype=np.float64))
        values = np.full((points.shape[0], 1 + points.shape[1]), np.nan)
        values[:, 0] = -np.inf
        pending = [np.flatnonzero(np.isfinite(points).all(axis=1))]
        while pending:
            rows = pending.pop()
            if rows.size == 0:
                continue
            found = self._at(points[rows])
            if found is not None:
                values[rows] = found
                values[rows, 0] = np.where(np.isnan(found[:, 0]), -np.inf, found[:, 0])
            elif rows.size > 1:
                # One rejected point ends the whole run: halve until it stands alone.
                pending.extend(np.array_split(rows, 2))
        return values

    def _at(self, points: Array) -> Array | None:
        """(m, 1 + D) at all points, or None if Stan rejects one of them."""
        asked, out = self.folder / "points.csv", self.folder / "density.csv"
        # Rows of a JSON file of unconstrained parameters are shuffled by CmdStan up to
        # 2.38 (its issue 1336); for an unconstrained z its own CSV format says the same.
        names = ",".join(f"z.{i + 1}" for i in range(points.shape[1]))
        rows = (",".join(map(repr, row)) for row in points.tolist())
        asked.write_text("\n".join([names, *rows]) + "\n")
        command = [*_head(self.path, self.data_file, out), "method=log_prob"]
        finished = run_all([[*command, f"constrained_params={asked}", "jacobian=1"]])[0]
        if finished.status == 0:
            return read_csv(out)[1]
        if any(_REJECTED in line for line in finished.lines):
            return None
        raise finished.error("the evaluation of the density", self.path)


def _head(path: Path, data_file: Path, out: Path) -> list[str]:
    """The program, its data, and where it writes."""
    return [
        str(path),
        *("data", f"file={data_file}"),
        *("output", f"file={out}", f"sig_figs={DIGITS}", "refresh=50"),
    ]


def nuts_arguments(settings: Settings, size: int) -> list[str]:
    """CmdStan's arguments for a chain of ``size`` parameters."""
    first, last = FIRST, LAST
    if settings.warmup < SHORT:
        first, last = int(0.15 * settings.warmup), int(0.1 * settings.warmup)
    room = settings.warmup - first - last
    dense = room >= DENSE_WINDOW * size
    window = max(25, (DENSE_WINDOW if dense else DIAGONAL_WINDOW) * size)
    if room < 3 * window:
        # The last window takes what the first leaves: too little to learn from.
        window = room
    return [
        *("method=sample", f"num_samples={settings.draws}", f"num_warmup={settings.warmup}"),
        *("algorithm=hmc", "engine=nuts", f"max_depth={settings.max_depth}"),
        f"metric={'dense_e' if dense else 'diag_e'}",
        *("adapt", f"engaged={int(settings.warmup > 0)}", f"delta={settings.adapt_delta}"),
        *(f"init_buffer={first}", f"term_buffer={last}", f"window={window}"),
    ]


def adapted_arguments(settings: Settings, adapted: Adapted, metric: Path) -> list[str]:
    """CmdStan's arguments for a chain that runs as it was adapted."""
    kind = "dense_e" if adapted.metric.ndim == 2 else "diag_e"
    return [
        *("method=sample", f"num_samples={settings.draws}", "num_warmup=0"),
        *("algorithm=hmc", "engine=nuts", f"max_depth={settings.max_depth}"),
        *(f"metric={kind}", f"metric_file={metric}", f"stepsize={adapted.stepsize!r}"),
        *("adapt", "engaged=0"),
    ]


def _meter(chains: int, progress: Progress | None) -> OnLine:
    """Sums the iterations of all chains, and tells at every tenth of the way."""
    done = [0] * chains
    told = [0]

    def on_line(number: int, line: str) -> None:
        found = _ITERATION.match(line)
        if found is None or progress is None:
            return
        done[number] = int(found.group(1))
        tenth = 10 * sum(done) // (chains * int(found.group(2)))
        if tenth > told[0]:
            told[0] = tenth
            progress(f"sampling {chains} chains: {tenth * 10} %")

    return on_line


@contextmanager
def _data_file(data: StanData) -> Iterator[tuple[Path, Path]]:
    """A temporary folder, and the data in it as CmdStan reads them."""
    import cmdstanpy

    with tempfile.TemporaryDirectory(prefix="wolves_") as name:
        path = Path(name) / "data.json"
        cmdstanpy.write_stan_json(str(path), dict(data))
        yield path.parent, path


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content))
    return path
