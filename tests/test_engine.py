"""The embedded engine: chains in threads that go on, end together, and name what is wrong."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from many_wolves import inference
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.human import human_table
from many_wolves.families.politeness.problem import build
from many_wolves.inference.engine import SAMPLER_COLUMNS, Settings
from many_wolves.inference.httpstan_build import compiled
from many_wolves.inference.httpstan_engine import in_threads
from many_wolves.inference.laplace import gaussian_at_modes
from many_wolves.inference.programs import Source
from many_wolves.inference.served import served

pytestmark = pytest.mark.xdist_group("stan")
FEW = Settings(chains=2, warmup=150, draws=40, seed=5)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


@pytest.fixture(scope="module")
def data(program):
    """People's choices with theta fixed, preconditioned."""
    problem = build(human_table(), literal="fixed")
    gaussian = gaussian_at_modes(program, problem.data, problem.size, np.random.default_rng(1))
    return {**problem.data, **gaussian.data(), "keep": 0}


@pytest.fixture(scope="module")
def starts(data):
    return list(np.random.default_rng(2).normal(size=(2, data["D"])))


@pytest.mark.stan
def test_chains_go_on_where_they_ended_and_as_they_were_adapted(program, data, starts):
    first = program.sample(data, starts, FEW)
    assert first.columns[:7] == SAMPLER_COLUMNS
    assert [one.metric.shape for one in first.adapted] == [(data["D"],)] * 2
    settings = replace(FEW, draws=600, seed=6)
    more = program.go_on(data, first, settings)
    step = more.column("stepsize__")
    np.testing.assert_array_equal(step, np.tile(first.column("stepsize__")[:, -1:], (1, 600)))
    assert not np.isin(more.column("alpha"), first.column("alpha")).all(axis=1).any()
    long = program.sample(data, starts, replace(FEW, warmup=300, draws=600, seed=7))
    a, b = (draws.column("alpha") for draws in (more, long))
    assert abs(a.mean() - b.mean()) < 0.4 * b.std()
    assert abs(np.log(a.std() / b.std())) < 0.4


@pytest.mark.stan
def test_one_core_and_two_give_the_same_draws(program, data, starts, monkeypatch):
    both = program.sample(data, starts, FEW)
    monkeypatch.setenv("MANY_WOLVES_ONE_CORE", "1")
    alone = program.sample(data, starts, FEW)
    np.testing.assert_array_equal(both.values, alone.values)
    assert not np.array_equal(both.values[0], both.values[1])


@pytest.mark.stan
def test_what_is_written_of_a_point_is_what_a_draw_holds(program, data, starts):
    draws = program.sample(data, starts[:1], FEW)
    with program.opened(data) as opened:
        written = opened.quantities(draws.block("z")[0], seed=1, chain=1)
    np.testing.assert_array_equal(written, draws.values[0, :, len(SAMPLER_COLUMNS) :])


@pytest.mark.stan
def test_wrong_data_are_refused_in_stans_words(program, data, starts):
    wrong = {**data, "value": [0.0, 1.0]}
    for call in (
        lambda: program.sample(wrong, starts, FEW),
        lambda: program.log_density(wrong, starts[0]),
    ):
        with pytest.raises(WolvesError, match="value"):
            call()
    with pytest.raises(WolvesError, match=f"expected points of {data['D']} parameters, found 2"):
        program.log_density(data, np.zeros((1, 2)))
    with pytest.raises(WolvesError, match="could not go on"):
        program.sample(data, [np.full(data["D"], np.nan)], FEW)


def test_a_chain_that_fails_ends_the_others_and_is_the_one_named():
    def chain(number, meter):
        if number == 0:
            raise WolvesError("the first chain failed")
        while not meter.stop.value:
            time.sleep(0.01)
        raise AssertionError("not reached by the caller")

    began = time.monotonic()
    with pytest.raises(WolvesError, match="the first chain failed"):
        in_threads(chain, 2, 100, None)
    assert time.monotonic() - began < 30


def test_progress_is_told_in_tenths():
    heard: list[str] = []

    def chain(number, meter):
        for _ in range(10):
            meter.done.value += 1
            time.sleep(0.1)
        return number

    assert in_threads(chain, 2, 10, heard.append) == [0, 1]
    assert heard and all(words.startswith("sampling 2 chains: ") for words in heard)
    shares = [int(words.split()[3]) for words in heard]
    assert shares == sorted(set(shares)) and shares[-1] < 100


def test_a_missing_compiler_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    with pytest.raises(WolvesError, match=r"no C\+\+ compiler was found \(no-such-compiler\)"):
        compiled(Source("parameters { vector[2] z; } model { z ~ std_normal(); }"), None)
    assert not list(Path(tmp_path).rglob("*.so"))


@pytest.mark.stan
def test_a_program_that_does_not_compile_is_refused_in_stans_words(program):
    with pytest.raises(WolvesError, match=r"does not compile: .*Syntax error"):
        compiled(Source("parameters { vector[2] z }"), None)


TINY = Source("parameters { vector[2] z; } model { z ~ std_normal(); }")


@pytest.mark.stan
def test_a_damaged_program_is_compiled_again(monkeypatch, tmp_path):
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    path, _ = compiled(TINY, None)
    whole = path.read_bytes()
    assert compiled(TINY, None) == (path, 0.0)
    heard: list[str] = []

    def built(_source, _folder, work):
        """What the compiler would give again, without its minute."""
        (work / "built.so").write_bytes(whole)
        return work / "built.so"

    monkeypatch.setattr("many_wolves.inference.httpstan_build._built", built)
    for damaged in (whole[: len(whole) // 2], whole[:-9] + b"x" * 9, b""):
        path.unlink()
        path.write_bytes(damaged)
        _, seconds = compiled(TINY, heard.append)
        assert seconds > 0
    with served(path, {}) as program:
        np.testing.assert_allclose(program.densities(np.zeros((1, 2))), -np.log(2 * np.pi))
    assert len(heard) == 3 and all("damaged" in words for words in heard)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiled(TINY, None) == (path, 0.0)


@pytest.mark.stan
def test_an_interrupt_ends_the_compilers(tmp_path):
    script = (
        "from pathlib import Path; from many_wolves import inference;"
        "from many_wolves.families.politeness.problem import PROGRAM;"
        "from many_wolves.files import shipped;"
        "inference.load(shipped(PROGRAM), 'httpstan', print)"
    )
    environment = {**os.environ, "MANY_WOLVES_CACHE": str(tmp_path)}
    for how in (signal.SIGINT, signal.SIGKILL):
        command = subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL
        )
        assert wait_for(lambda: compilers(tmp_path))
        command.send_signal(how)
        command.wait(10)
        assert wait_for(lambda: not compilers(tmp_path))


def compilers(folder):
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def wait_for(condition, within_s=60):
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()
