"""The CmdStan engine: CmdStan samples, and the embedded engine does the rest.

cmdstanpy finds CmdStan, compiles programs and writes the data. The executables are run from here,
because cmdstanpy reports neither a chain's progress nor its processor time. Other programs cannot
call CmdStan's parameter transforms. The embedded engine compiles the same program and provides the
transforms, the density and the generated quantities.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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
from many_wolves.inference.engines.draws import (
    SAMPLER_COLUMNS,
    Adapted,
    Draws,
    Whitening,
    join_chains,
    join_draws,
)
from many_wolves.inference.engines.embedded import EmbeddedProgram
from many_wolves.inference.engines.embedded_library import StanModel
from many_wolves.inference.engines.protocol import Progress, StanData
from many_wolves.inference.settings import ChainSettings

WINDOW = 5
"""Draws per parameter in the first adaptation window of a dense metric.

A metric estimated from fewer draws than parameters makes leapfrog steps tiny. With CmdStan's
default first window of 25, the warm-up of 43 parameters takes five times as many. If warm-up is too
short for such a window, the metric of the whitening is kept.
"""
FIRST, LAST = 75, 50
"""CmdStan's default iterations of warm-up before and after those windows."""

_ITERATION = re.compile(r"Iteration:\s*(\d+) / (\d+)")


@dataclass(frozen=True)
class CmdStanProgram:
    """A program compiled by CmdStan, and by the embedded engine."""

    path: Path
    embedded: EmbeddedProgram
    version: str
    compile_seconds: float

    @classmethod
    def load(cls, program: Path, progress: Progress | None = None) -> Self:
        """Compile the program, or take it from the cache.

        Raises
        ------
        WolvesError
            If it does not compile.
        """
        path, seconds = executable(program, progress)
        embedded = EmbeddedProgram.load(program, progress)
        total = seconds + embedded.compile_seconds
        return cls(path, embedded, f"CmdStan {cmdstan_version()}", total)

    def open(self, data: StanData) -> AbstractContextManager[StanModel]:
        """The program with these data."""
        return self.embedded.open(data)

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start, as many at once as there are cores.

        Raises
        ------
        WolvesError
            If a chain cannot start or ends before its last draw.
        """
        # Stan's metric is the inverse of a mass matrix: the covariance of the whitening.
        unit = Adapted(1.0, whitening.scale @ whitening.scale.T)
        return self._chains(data, starts, settings, [unit] * len(starts), progress)

    def extend(
        self,
        data: StanData,
        chains: Draws,
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Draw more from each chain, as many chains at once as there are cores.

        Raises
        ------
        WolvesError
            If a chain ends before its last draw.
        """
        own = replace(settings, warmup=0)
        more = self._chains(data, list(chains.x[:, -1]), own, chains.adapted, progress)
        return replace(more, adapted=chains.adapted)

    def sample_replaced(
        self,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        data: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start through its own data sets, one after another."""
        chains = []
        for number, (start, own_data) in enumerate(zip(starts, data, strict=True)):
            parts: list[Draws] = []
            here = start
            for step, given in enumerate(own_data):
                own = replace(settings, seed=settings.seed + 1000 * number + step)
                parts.append(self.sample(given, [here], own, whitening))
                here = parts[-1].x[0, -1]
            chains.append(replace(join_draws(parts), adapted=()))
            if progress is not None:
                progress(f"chain {number + 1} done ({number + 1} of {len(starts)})")
        return join_chains(chains)

    def _chains(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: ChainSettings,
        adapted: Sequence[Adapted],
        progress: Progress | None,
    ) -> Draws:
        with _data_file(data) as (folder, data_file), self.open(data) as model:
            names = model.param_names
            inits = model.param_constrain(np.stack(list(starts)))
            outs = [folder / f"chain_{i + 1}.csv" for i in range(len(starts))]
            commands = []
            for i, (out, init, own) in enumerate(zip(outs, inits, adapted, strict=True)):
                metric = _write(out.with_suffix(".metric"), {"inv_metric": own.metric.tolist()})
                start = _write(out.with_suffix(".json"), nested(names, init))
                commands.append(
                    [
                        *_head(self.path, data_file, out),
                        *(f"init={start}", "random", f"seed={settings.seed}", f"id={i + 1}"),
                        *nuts_arguments(settings, own, metric),
                    ]
                )
            finished = run_all(commands, _meter(len(starts), progress))
            for chain in finished:
                if chain.status != 0:
                    raise chain.error("sampling", self.path)
            tables = [read_csv(out) for out in outs]
            learnt = tuple(read_adapted(out) for out in outs) if settings.warmup else ()
            x = [model.param_unconstrain(columns(table, names)) for table in tables]
        return Draws(
            x=np.stack(x),
            sampler=np.stack([columns(table, SAMPLER_COLUMNS) for table in tables]),
            cpu_seconds=sum(chain.cpu_seconds for chain in finished),
            engine=self.version,
            messages=tuple(dict.fromkeys(line for chain in finished for line in chain.said)),
            adapted=learnt,
        )


def columns(table: tuple[tuple[str, ...], Array], names: Sequence[str]) -> Array:
    """(rows, names) columns of a table, by their names."""
    header, rows = table
    return rows[:, [header.index(name) for name in names]]


def nested(names: Sequence[str], values: Array) -> dict[str, Any]:
    """Scalars by Stan's names, ``theta.1.2``, as the nested lists of a JSON file."""
    parts: dict[str, dict[tuple[int, ...], float]] = {}
    for scalar, value in zip(names, values.tolist(), strict=True):
        name, *indices = scalar.split(".")
        parts.setdefault(name, {})[tuple(int(i) - 1 for i in indices)] = value
    found: dict[str, Any] = {}
    for name, places in parts.items():
        array = np.empty(np.max(list(places), axis=0, initial=0).astype(int) + 1)
        if () in places:
            found[name] = places[()]
            continue
        for place, value in places.items():
            array[place] = value
        found[name] = array.tolist()
    return found


def _head(path: Path, data_file: Path, out: Path) -> list[str]:
    """The program, its data, and where it writes."""
    return [
        str(path),
        *("data", f"file={data_file}"),
        *("output", f"file={out}", f"sig_figs={DIGITS}", "refresh=50"),
    ]


def nuts_arguments(settings: ChainSettings, adapted: Adapted, metric: Path) -> list[str]:
    """CmdStan's arguments for a chain that begins with a step size and a metric."""
    kind = "dense_e" if adapted.metric.ndim == 2 else "diag_e"
    # With all of warm-up before the windows, the metric is not adapted.
    first, last, window = settings.warmup, 0, 0
    room = settings.warmup - FIRST - LAST
    least = WINDOW * len(adapted.metric)
    if room >= least:
        # If a second window, twice as long, does not fit, the first one takes the rest.
        first, last, window = FIRST, LAST, least if room >= 3 * least else room
    return [
        *("method=sample", f"num_samples={settings.draws}", f"num_warmup={settings.warmup}"),
        *("algorithm=hmc", "engine=nuts", f"max_depth={settings.max_depth}"),
        *(f"metric={kind}", f"metric_file={metric}", f"stepsize={adapted.stepsize!r}"),
        *("adapt", f"engaged={int(settings.warmup > 0)}", f"delta={settings.adapt_delta}"),
        *(f"init_buffer={first}", f"term_buffer={last}", f"window={window}"),
    ]


def _meter(chains: int, progress: Progress | None) -> OnLine:
    """Sums the iterations of all chains and reports progress in steps of 10 %."""
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
