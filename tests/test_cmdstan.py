"""The CmdStan engine: its runs, and that it finds the same posterior as httpstan."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading import human
from many_wolves.inference.engines.cmdstan import CmdStanProgram, columns, nested, nuts_arguments
from many_wolves.inference.engines.cmdstan_run import Finished, read_csv, run_all
from many_wolves.inference.engines.draws import Adapted
from many_wolves.inference.engines.embedded import EmbeddedProgram
from many_wolves.inference.engines.select import find_cmdstan
from many_wolves.inference.sampling.fit import fit
from many_wolves.inference.settings import Settings
from many_wolves.inference.threads import cores

needs_cmdstan = pytest.mark.skipif(
    find_cmdstan() is None, reason="no CmdStan is installed (`install_cmdstan`, or set CMDSTAN)"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


class TestRuns:
    def test_results_come_in_the_order_of_the_commands(self) -> None:
        commands = [
            python(f"import time; time.sleep({0.2 - i / 20}); print({i})") for i in range(4)
        ]
        assert [run.lines for run in run_all(commands)] == [("0",), ("1",), ("2",), ("3",)]

    def test_status_and_both_streams_are_kept(self) -> None:
        (run,) = run_all([python("import sys; print('a', file=sys.stderr); sys.exit(3)")])
        assert (run.status, run.lines) == (3, ("a",))

    def test_a_last_line_without_its_end_is_kept(self) -> None:
        (run,) = run_all([python("print('whole'); print('part', end='')")])
        assert run.lines == ("whole", "part")

    def test_lines_are_reported_during_the_run(self) -> None:
        heard: list[tuple[int, str]] = []

        def listen(number: int, line: str) -> None:
            heard.append((number, line))
            raise InterruptedError

        with pytest.raises(InterruptedError):
            run_all([python("import time; print('x', flush=True); time.sleep(60)")], listen)
        assert heard == [(0, "x")]

    def test_processor_time_is_that_of_each_run(self) -> None:
        busy, idle = run_all([python("sum(i * i for i in range(3_000_000))"), python("pass")])
        assert busy.cpu_seconds > idle.cpu_seconds > 0

    def test_no_more_at_once_than_there_are_cores(self, tmp_path: Path) -> None:
        code = (
            "import pathlib, time; here = pathlib.Path({0!r}); mine = here / {1!r}; mine.touch();"
            "time.sleep(0.2); print(len(list(here.iterdir()))); mine.unlink()"
        )
        runs = run_all([python(code.format(str(tmp_path), str(i))) for i in range(cores() + 2)])
        assert max(int(run.lines[0]) for run in runs) <= cores()

    def test_an_interrupt_ends_all_runs(self) -> None:
        pids: list[int] = []

        def stop(number: int, line: str) -> None:
            pids.append(int(line))
            raise KeyboardInterrupt

        code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        with pytest.raises(KeyboardInterrupt):
            run_all([python(code)], stop)
        with pytest.raises(ProcessLookupError):
            os.kill(pids[0], 0)

    def test_a_missing_executable_is_an_error_with_its_fix(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="No such file") as raised:
            run_all([[str(tmp_path / "gone")]])
        assert str(tmp_path) in raised.value.fix

    def test_messages_of_stan_have_no_arguments_or_timings(self) -> None:
        lines = (
            *("method = sample (Default)", "num_threads = 1", "", "Gradient evaluation took 1 s"),
            *("Exception: y[3] is 4", "", "Iteration: 1 / 2", "Elapsed Time: 0 seconds (Warm-up)"),
            *("0.1 seconds (Sampling)", "0.1 seconds (Total)"),
        )
        assert Finished(1, lines, 0.0).said == ("Exception: y[3] is 4",)

    def test_the_file_of_a_chain_is_read_without_its_comments(self, tmp_path: Path) -> None:
        path = tmp_path / "chain.csv"
        path.write_text("# model = m\nlp__,z.1\n# Step size = 1\n-0.1,0.30000000000000004\n# end\n")
        columns, rows = read_csv(path)
        assert columns == ("lp__", "z.1")
        assert rows.tolist() == [[-0.1, 0.1 + 0.2]]


def test_scalars_become_the_nested_lists_of_a_json_file() -> None:
    names = ("a", "m.1.1", "m.2.1", "m.1.2", "m.2.2", "v.1", "v.2")
    found = nested(names, np.arange(7.0))
    assert found == {"a": 0.0, "m": [[1.0, 3.0], [2.0, 4.0]], "v": [5.0, 6.0]}


def test_columns_are_taken_by_their_names() -> None:
    table = (("lp__", "b", "a"), np.array([[1.0, 2.0, 3.0]]))
    assert columns(table, ("a", "b")).tolist() == [[3.0, 2.0]]


def test_the_metric_is_learnt_where_warm_up_has_room_for_it() -> None:
    unit = Adapted(1.0, np.eye(30))
    short, long, longer = (
        nuts_arguments(Settings(warmup=warmup).chain, unit, Path("metric.json"))
        for warmup in (60, 400, 1000)
    )
    assert {"metric=dense_e", "init_buffer=60", "term_buffer=0", "window=0"} <= set(short)
    assert {"init_buffer=75", "term_buffer=50", "window=275"} <= set(long)
    assert "window=150" in longer and "metric_file=metric.json" in longer
    diagonal = nuts_arguments(Settings().chain, Adapted(0.5, np.ones(30)), Path("m"))
    assert {"metric=diag_e", "stepsize=0.5"} <= set(diagonal)


@pytest.mark.slow
@pytest.mark.stan
@needs_cmdstan
def test_both_engines_find_the_same_posterior() -> None:
    """People's choices, with theta fixed."""
    problem = build(human.human_table(), literal="fixed")
    settings = Settings(warmup=500, draws=500)
    engines = (CmdStanProgram.load(problem.program), EmbeddedProgram.load(problem.program))
    fits = [fit(problem, engine, PoliteSpeaker.parameters, settings) for engine in engines]
    assert [done.engine.split()[0] for done in fits] == ["CmdStan", "httpstan"]
    first, second = (done.summary.set_index(["parameter", "condition"]) for done in fits)
    live = second["sd"] > 1e-12
    apart = (first["mean"] - second["mean"])[live] / np.hypot(
        first["sd"] / np.sqrt(first["ess_bulk"]), second["sd"] / np.sqrt(second["ess_bulk"])
    )[live]
    assert apart.abs().max() < 5
    assert max(done.diagnostics.max_r_hat for done in fits) < 1.03
