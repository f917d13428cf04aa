"""The CmdStan engine: its runs, and that it finds the same posterior as httpstan."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats

from many_wolves.errors import WolvesError
from many_wolves.families.politeness import human
from many_wolves.families.politeness.model import PoliteHierarchy, PoliteSpeaker
from many_wolves.families.politeness.problem import build
from many_wolves.inference.cmdstan_engine import CmdStanProgram, nuts_arguments
from many_wolves.inference.cmdstan_run import Finished, cores, read_csv, run_all
from many_wolves.inference.engine import SAMPLER_COLUMNS, Draws, Settings, choose, find_cmdstan
from many_wolves.inference.fit import fit
from many_wolves.inference.httpstan_engine import HttpstanProgram
from many_wolves.inference.laplace import gaussian_at_modes, unconditioned
from test_hierarchy import checkpoints
from test_places import simulated

needs_cmdstan = pytest.mark.skipif(
    find_cmdstan() is None, reason="no CmdStan is installed (`install_cmdstan`, or set CMDSTAN)"
)

SHARED = """\
real gauss(vector z, vector mean, matrix cov) {
  return multi_normal_lpdf(z | mean, cov);
}
"""
PROGRAM = """\
functions {
#include shared.stanfunctions
}
data {
  int<lower=1> D;
  vector[D] mean;
  cov_matrix[D] cov;
}
parameters {
  vector[D] z;
}
model {
  if (z[1] > 1e6) {
    reject("too far: ", z[1]);
  }
  target += gauss(z, mean, cov);
}
generated quantities {
  matrix[2, 2] both = z[1 : 2] * z[1 : 2]';
}
"""
MEAN = np.array([1.0, -2.0])
COV = np.array([[1.0, 0.9], [0.9, 4.0]])
DATA = {"D": 2, "mean": MEAN, "cov": COV}
STARTS = [np.array([-3.0, 3.0]), np.array([3.0, 3.0]), np.zeros(2), np.array([3.0, -6.0])]


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

    def test_lines_are_told_while_the_run_goes_on(self) -> None:
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

    def test_a_missing_executable_says_how_to_make_it_anew(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="No such file") as raised:
            run_all([[str(tmp_path / "gone")]])
        assert str(tmp_path) in raised.value.fix

    def test_what_stan_said_is_free_of_arguments_and_timings(self) -> None:
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


def errors(draws: Draws, name: str) -> tuple[float, float]:
    """Mean of one scalar and its Monte-Carlo standard error."""
    values = draws.column(name)
    ess = float(array_stats.ess(values, chain_axis=0, draw_axis=1, method="mean"))
    return float(values.mean()), float(values.std() / np.sqrt(ess))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a program")
    (folder / "shared.stanfunctions").write_text(SHARED)
    (folder / "gauss.stan").write_text(PROGRAM)
    return folder / "gauss.stan"


@pytest.fixture(scope="module")
def gauss(source: Path) -> CmdStanProgram:
    return CmdStanProgram.load(source)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path


@pytest.mark.stan
@needs_cmdstan
class TestProgram:
    def test_density_and_gradient_are_those_of_the_normal(self, gauss: CmdStanProgram) -> None:
        z = np.array([[1.0, -2.0], [0.1, 0.2], [1e-7, 30.0]])
        away = z - MEAN
        solved = np.linalg.solve(COV, away.T).T
        expected = -0.5 * (away * solved).sum(axis=1)
        expected -= np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(COV).logabsdet
        np.testing.assert_allclose(gauss.log_density(DATA, z), expected, rtol=1e-13)
        with gauss.opened(DATA) as density:
            gradients = density.gradients(z)[1]
        np.testing.assert_allclose(gradients, -solved, rtol=1e-12, atol=1e-14)

    def test_rejected_points_have_no_density_and_spare_the_others(
        self, gauss: CmdStanProgram
    ) -> None:
        z = np.zeros((9, 2))
        z[[2, 5], 0] = 1e7
        z[7, 1] = np.inf
        found = gauss.log_density(DATA, z)
        assert np.flatnonzero(np.isneginf(found)).tolist() == [2, 5, 7]
        assert np.isfinite(np.delete(found, [2, 5, 7])).all()
        with gauss.opened(DATA) as density:
            assert np.isnan(density.gradients(z)[1][[2, 5, 7]]).all()

    def test_draws_have_the_moments_of_the_normal(
        self, gauss: CmdStanProgram, temporary: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        heard: list[str] = []
        draws = gauss.sample(DATA, STARTS, Settings(draws=1500, warmup=500), heard.append)
        assert draws.columns[:7] == SAMPLER_COLUMNS
        assert draws.columns[7:9] == ("z.1", "z.2")
        assert draws.columns[9:] == ("both.1.1", "both.2.1", "both.1.2", "both.2.2")
        assert draws.values.shape == (4, 1500, 13)
        assert draws.column("divergent__").sum() == 0
        assert draws.cpu_seconds > 0
        for name, expected in zip(("z.1", "z.2"), MEAN, strict=True):
            mean, error = errors(draws, name)
            assert abs(mean - expected) < 5 * error
        np.testing.assert_allclose(np.cov(draws.block("z").reshape(-1, 2).T), COV, rtol=0.15)
        assert heard[-1].endswith("100 %")
        assert list(temporary.iterdir()) == []
        assert capfd.readouterr() == ("", "")

    def test_equal_seeds_give_equal_draws(self, gauss: CmdStanProgram) -> None:
        few = Settings(draws=20, warmup=50, seed=7)
        first, again = (gauss.sample(DATA, STARTS, few).values for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first[2], first[3])

    @pytest.mark.parametrize(("size", "warmup", "shape"), [(2, 500, (2, 2)), (30, 60, (30,))])
    def test_chains_go_on_as_they_were_adapted(
        self, gauss: CmdStanProgram, size: int, warmup: int, shape: tuple[int, ...]
    ) -> None:
        mean, cov = np.linspace(-1, 1, size), np.diag(np.linspace(0.5, 2, size))
        data = {"D": size, "mean": mean, "cov": cov}
        starts = [mean + 0.5, mean - 0.5]
        first = gauss.sample(data, starts, Settings(draws=20, warmup=warmup))
        assert first.adapted[0].metric.shape == shape
        more = gauss.go_on(data, first, Settings(draws=1500, seed=8))
        sizes = first.column("stepsize__")[:, -1]
        np.testing.assert_allclose(more.column("stepsize__")[:, 0], sizes, rtol=1e-4)
        assert more.adapted == first.adapted
        for at in range(2):
            found, error = errors(more, f"z.{at + 1}")
            assert abs(found - mean[at]) < 5 * error

    def test_without_warm_up_it_samples_too(self, gauss: CmdStanProgram) -> None:
        draws = gauss.sample(DATA, STARTS[:1], Settings(draws=5, warmup=0))
        assert draws.values.shape[:2] == (1, 5)

    def test_a_short_warm_up_learns_a_diagonal_metric(self, gauss: CmdStanProgram) -> None:
        short, long = Settings(draws=5, warmup=60), Settings(draws=5, warmup=400)
        assert {"metric=diag_e", "window=45"} <= set(nuts_arguments(short, 30))
        assert {"metric=dense_e", "window=275"} <= set(nuts_arguments(long, 30))
        assert {"metric=dense_e", "window=150"} <= set(nuts_arguments(Settings(), 30))
        wide = {"D": 30, "mean": np.zeros(30), "cov": np.eye(30)}
        for settings in (short, long):
            draws = gauss.sample(wide, [np.zeros(30)], settings)
            assert draws.block("z").shape == (1, 5, 30)
            assert draws.messages == ()

    def test_wrong_data_are_refused_in_stans_words(
        self, gauss: CmdStanProgram, temporary: Path
    ) -> None:
        wrong = DATA | {"cov": -COV}
        for call in (
            lambda: gauss.sample(wrong, STARTS, Settings(draws=5, warmup=5)),
            lambda: gauss.log_density(wrong, np.zeros((1, 2))),
        ):
            with pytest.raises(WolvesError, match="cov"):
                call()
        assert list(temporary.iterdir()) == []

    def test_a_start_without_density_is_refused_in_stans_words(self, gauss: CmdStanProgram) -> None:
        with pytest.raises(WolvesError, match="too far"):
            gauss.sample(DATA, [np.array([1e7, 0.0])], Settings(draws=5, warmup=5))

    def test_a_compiled_program_is_taken_from_the_cache(
        self, gauss: CmdStanProgram, source: Path
    ) -> None:
        again = CmdStanProgram.load(source)
        assert (again.path, again.compile_seconds) == (gauss.path, 0.0)

    def test_a_fault_in_an_included_file_is_placed_there(self, tmp_path: Path) -> None:
        (tmp_path / "shared.stanfunctions").write_text(SHARED.replace("vector mean", "vector"))
        (tmp_path / "gauss.stan").write_text(PROGRAM)
        with pytest.raises(WolvesError, match="does not compile") as raised:
            CmdStanProgram.load(tmp_path / "gauss.stan")
        assert raised.value.where == str(tmp_path / "shared.stanfunctions")
        assert raised.value.line == 1

    def test_it_is_taken_first_where_it_is_found(self) -> None:
        assert choose("auto").name == "cmdstan"


@pytest.mark.stan
@needs_cmdstan
class TestPoliteness:
    """People's choices, with theta fixed, so that httpstan's diagonal metric is quick too."""

    def test_both_engines_find_the_same_posterior(self) -> None:
        problem = build(human.human_table(), literal="fixed")
        rng = np.random.default_rng(1)
        size = problem.size
        data = {**problem.data, **unconditioned(size), "keep": 0}
        ours, theirs = CmdStanProgram.load(problem.program), HttpstanProgram.load(problem.program)
        z = rng.normal(0, 0.5, (20, size))
        np.testing.assert_allclose(
            ours.log_density(data, z), theirs.log_density(data, z), rtol=1e-11
        )
        with ours.opened(data) as one, theirs.opened(data) as other:
            np.testing.assert_allclose(one.gradients(z)[1], other.gradients(z)[1], rtol=1e-7)
        mode = gaussian_at_modes(ours, data, size, rng, starts=1).centre
        assert ours.log_density(data, mode)[0] > ours.log_density(data, z).max()
        starts = [mode + rng.normal(0, 0.02, size) for _ in range(4)]
        few = Settings(warmup=400, draws=400)
        found = [program.sample(data, starts, few) for program in (ours, theirs)]
        assert found[0].columns == found[1].columns
        for name in found[0].columns[7:]:
            if found[0].column(name).std() == 0:
                continue
            (mean_a, error_a), (mean_b, error_b) = (errors(draws, name) for draws in found)
            assert abs(mean_a - mean_b) < 5 * np.hypot(error_a, error_b), name


def of_places():
    """Choices of a speaker with a bias of place, theta fixed."""
    return build(simulated(24)[1], literal="fixed", position_bias=True), PoliteSpeaker


def pooled():
    """Three checkpoints with partial pooling."""
    return PoliteHierarchy().problem(checkpoints(3, 20)[0]), PoliteHierarchy


@pytest.mark.slow
@pytest.mark.stan
@needs_cmdstan
@pytest.mark.parametrize("made", [of_places, pooled])
def test_places_and_pooling_are_fitted_alike_by_both_engines(made) -> None:
    problem, model = made()
    data = {**problem.data, **unconditioned(problem.size), "keep": 0}
    theirs, ours = CmdStanProgram.load(problem.program), HttpstanProgram.load(problem.program)
    z = np.random.default_rng(2).normal(0, 0.5, (10, problem.size))
    with theirs.opened(data) as one, ours.opened(data) as other:
        (a, slopes), (b, expected) = one.gradients(z), other.gradients(z)
    np.testing.assert_allclose(a, b, rtol=1e-11)
    np.testing.assert_allclose(slopes, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())
    settings = Settings(warmup=500, draws=500, adapt_delta=0.9)
    fits = [fit(problem, engine, model.parameters, settings) for engine in (theirs, ours)]
    first, second = (done.summary.set_index(["parameter", "condition"]) for done in fits)
    apart = (first["mean"] - second["mean"]) / np.hypot(
        first["sd"] / np.sqrt(first["ess_bulk"]), second["sd"] / np.sqrt(second["ess_bulk"])
    )
    assert apart.abs().max() < 5
    assert max(done.diagnostics.max_r_hat for done in fits) < 1.03
