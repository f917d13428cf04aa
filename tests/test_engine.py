"""The embedded engine: chains in threads that go on, end together, and name what is wrong."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compile_programs import SMALL
from many_wolves import inference
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.inference.engines import embedded_build
from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Whitening
from many_wolves.inference.engines.embedded import EmbeddedProgram, in_threads
from many_wolves.inference.engines.embedded_build import compiled, library_of
from many_wolves.inference.engines.embedded_library import open_model
from many_wolves.inference.engines.programs import Source
from many_wolves.inference.sampling.modes import gaussian_at_modes
from many_wolves.inference.settings import Settings
from many_wolves.processes import Children

FEW = Settings(chains=2, warmup=150, draws=40, seed=5)


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


@pytest.fixture(scope="module")
def data():
    """People's choices with theta fixed."""
    return build(human_table(), literal="fixed").data


@pytest.fixture(scope="module")
def gaussian(program, data):
    with program.open(data) as model:
        return gaussian_at_modes(model, np.random.default_rng(1))


@pytest.fixture(scope="module")
def starts(gaussian):
    return gaussian.starts(2, np.random.default_rng(2))


@pytest.fixture
def sample(program, data, starts, gaussian):
    """Chains from the starts, with other settings."""

    def sampled(data=data, starts=starts, **settings):
        own = replace(FEW, **settings).chain
        return program.sample(data, starts, own, gaussian.whitening)

    return sampled


@pytest.mark.stan
def test_chains_go_on_where_they_ended_and_as_they_were_adapted(program, data, gaussian, sample):
    first = sample()
    assert first.sampler.shape == (2, 40, len(SAMPLER_COLUMNS))
    assert [one.metric.shape for one in first.adapted] == [gaussian.centre.shape] * 2
    settings = replace(FEW, draws=600, seed=6)
    more = program.extend(data, first, settings.chain, gaussian.whitening)
    step = more.statistic("stepsize__")
    np.testing.assert_array_equal(step, np.tile(first.statistic("stepsize__")[:, -1:], (1, 600)))
    assert not np.isin(more.x, first.x).any()
    long = sample(warmup=300, draws=600, seed=7)
    a, b = (draws.x[:, :, 0] for draws in (more, long))
    assert abs(a.mean() - b.mean()) < 0.4 * b.std()
    assert abs(np.log(a.std() / b.std())) < 0.4


@pytest.mark.stan
def test_one_core_and_two_give_the_same_draws(sample, monkeypatch):
    both = sample()
    monkeypatch.setenv("MANY_WOLVES_ONE_CORE", "1")
    alone = sample()
    np.testing.assert_array_equal(both.x, alone.x)
    np.testing.assert_array_equal(both.sampler, alone.sampler)
    assert not np.array_equal(both.x[0], both.x[1])


@pytest.mark.stan
def test_a_scale_with_few_entries_gives_the_draws_of_the_same_scale_without_zeros(program, data):
    with program.open(data) as model:
        size = model.param_unc_num
    few = np.diag(np.linspace(0.5, 1.0, size))
    few[1:, 0] = 0.1
    starts = [np.zeros(size), np.full(size, 0.1)]
    settings = replace(FEW, warmup=20, draws=8).chain
    drawn = [
        program.sample(data, starts, settings, Whitening(np.zeros(size), scale)).x
        for scale in (few, few + np.tril(np.full((size, size), 1e-200)))
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-6)
    assert np.unique(drawn[0]).size > 8 * size


@pytest.mark.stan
def test_draws_are_on_the_models_own_scale_with_the_density_of_the_sampler(program, data, sample):
    """A draw is x, not the z in which it was sampled; lp__ lacks constants alone."""
    draws = sample()
    with program.open(data) as model:
        apart = model.log_density(draws.flat) - draws.statistic("lp__").ravel()
    np.testing.assert_allclose(apart, apart[0], atol=1e-8)


@pytest.mark.stan
def test_parameters_come_back_from_their_own_scale():
    """Constraints, and names in Stan's order: x to parameters, parameters to x."""
    x = np.random.default_rng(3).normal(size=(5, 7))
    with EmbeddedProgram.load(SMALL).open({}) as model:
        assert model.param_unc_num == 7
        assert model.param_unc_names[:3] == ("s", "w.1", "w.2")
        assert model.param_names == (
            "s", "w.1", "w.2", "w.3", "p.1.1", "p.2.1", "p.1.2", "p.2.2",
        )  # fmt: skip
        own = model.param_constrain(x)
        np.testing.assert_allclose(own[:, 0], np.exp(x[:, 0]))
        np.testing.assert_allclose(own[:, 1:4].sum(axis=1), 1)
        np.testing.assert_allclose(model.param_unconstrain(own), x, atol=1e-12)
        everything = model.quantities(x, seed=1)
        assert model.quantity_names[-1] == "t"
        np.testing.assert_array_equal(everything[:, :-1], own)
        np.testing.assert_array_equal(everything[:, -1], 2 * own[:, 0])
        # Normalised: exponential(2) with its Jacobian, uniform w and p with theirs.
        first = np.log(2) - 2 * own[:, 0] + x[:, 0]
        half = model.log_density(x) - first
        other = x.copy()
        other[:, 0] = 0.3
        np.testing.assert_allclose(
            model.log_density(other) - half, np.log(2) - 2 * np.exp(0.3) + 0.3
        )


@pytest.mark.stan
def test_wrong_data_are_refused_in_stans_words(program, data, starts, sample):
    wrong = {**data, "value": [0.0, 1.0]}
    with pytest.raises(WolvesError, match="value"):
        sample(data=wrong)
    size = starts[0].size
    refused = pytest.raises(WolvesError, match=f"expected points of {size} parameters, found 2")
    with program.open(data) as model, refused:
        model.log_density(np.zeros((1, 2)))
    with pytest.raises(WolvesError, match="stopped with an error"):
        sample(starts=[np.full(size, np.nan)])


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
        compiled(
            Source("tiny.stan", "parameters { vector[2] z; } model { z ~ std_normal(); }"), None
        )
    assert not list(Path(tmp_path).rglob("*.so"))


def test_a_compiler_may_have_options_and_its_path_blanks(monkeypatch, tmp_path):
    compiler = tmp_path / "my tools" / "c++"
    compiler.parent.mkdir()
    compiler.symlink_to("/bin/true")
    for named, words in (
        (str(compiler), [str(compiler)]),
        ("true g++ -m64", [shutil.which("true"), "g++", "-m64"]),
    ):
        monkeypatch.setenv("CXX", named)
        assert embedded_build._compiler() == words


def test_a_compiler_that_writes_nothing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "true")
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    with pytest.raises(WolvesError, match=r"wrote nothing\n  Fix: .*/true --version`, or set CXX"):
        compiled(Source("tiny.stan", "parameters { real z; } model { z ~ std_normal(); }"), None)


@pytest.mark.stan
def test_a_program_that_does_not_compile_is_refused_in_stans_words(program):
    with pytest.raises(WolvesError, match=r"does not compile: .*Syntax error"):
        compiled(Source("tiny.stan", "parameters { vector[2] z }"), None)


@pytest.mark.stan
def test_a_damaged_program_is_compiled_again(monkeypatch, tmp_path):
    kept, _ = compiled(SMALL, None)
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    path = library_of(SMALL)
    path.parent.mkdir()
    for file in (kept, kept.with_suffix(".json")):
        shutil.copy(file, path.parent)
    whole = path.read_bytes()
    assert compiled(SMALL, None) == (path, 0.0)
    heard: list[str] = []

    def built(_source, _folder, work, _progress):
        """What the compiler would give again, without its minute."""
        (work / "built.so").write_bytes(whole)
        return work / "built.so"

    monkeypatch.setattr("many_wolves.inference.engines.embedded_build._built", built)
    for damaged in (whole[: len(whole) // 2], whole[:-9] + b"x" * 9, b""):
        path.unlink()
        path.write_bytes(damaged)
        _, seconds = compiled(SMALL, heard.append)
        assert seconds > 0
    with open_model(path, {}) as program:
        assert np.isfinite(program.log_density(np.zeros((1, 7)))).all()
    assert len(heard) == 3 and all("damaged" in words for words in heard)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiled(SMALL, None) == (path, 0.0)


@pytest.mark.stan
def test_an_interrupt_ends_the_compilers(tmp_path):
    script = (
        "from pathlib import Path; from many_wolves import inference;"
        "from many_wolves.families.politeness.model.problem import PROGRAM;"
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
        command.wait(60)
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


def test_headers_are_compiled_once_and_removed_at_the_end(monkeypatch, tmp_path):
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    made = []

    def compiled(source, target, children, *options):
        made.append((source.suffix, options))
        target.write_text("")

    monkeypatch.setattr(embedded_build, "_compile", compiled)
    with pytest.raises(KeyboardInterrupt), embedded_build.headers_compiled():
        assert len(list(tmp_path.rglob("*.hpp.gch"))) == 1
        embedded_build._services(tmp_path, Children())
        raise KeyboardInterrupt
    assert not list(tmp_path.rglob("*.gch")) and not list(tmp_path.rglob("*.part"))
    (headers,) = tmp_path.rglob("headers_*.hpp")
    assert made == [(".hpp", ("-x", "c++-header")), (".cpp", ("-include", str(headers)))]
