"""Scores by walking texts: against a table of next-token probabilities that is known."""

import importlib.util
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.speakers.local import prefix_tree
from small_trials import trials, write_trials

ENDS = (0, 1)
TEXTS = st.lists(
    st.lists(st.integers(2, 6), min_size=1, max_size=5).map(tuple), min_size=1, max_size=8
)


def next_logprobs(beginning):
    """Some distribution over seven tokens, another one after each beginning."""
    chance = random.Random(str(beginning))
    p = [chance.random() + 1e-6 for _ in range(7)]
    return [math.log(x / sum(p)) for x in p]


@given(TEXTS)
def test_a_walk_gives_the_probability_of_each_text_and_its_end(texts):
    asked = prefix_tree.questions(texts, ENDS)
    assert len(asked) <= sum(len(set(t)) for t in texts) + sum(len(t) + 1 for t in texts)
    assert set(asked) == {t[:i] for t in texts for i in range(len(t) + 1)}
    found = {
        begun: {token: next_logprobs(begun)[token] for token in tokens}
        for begun, tokens in asked.items()
    }
    for text, total in zip(texts, prefix_tree.sums(texts, ENDS, found), strict=True):
        p = math.prod(math.exp(next_logprobs(text[:i])[t]) for i, t in enumerate(text))
        p *= sum(math.exp(next_logprobs(text)[end]) for end in ENDS)
        assert total == pytest.approx(math.log(p))


@given(st.lists(st.integers()), st.integers(1, 9))
def test_parts_hold_every_token_once(tokens, most):
    parts = prefix_tree.parts(tokens, most)
    assert [t for part in parts for t in part] == tokens
    assert all(1 <= len(part) <= most for part in parts)


@pytest.mark.skipif(
    importlib.util.find_spec("vllm") is not None, reason="vLLM is installed, so it is found"
)
def test_a_missing_vllm_is_one_clear_error(tmp_path, capfd):
    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--provider", "vllm", "--model_name", "org/m"]
    assert run(command, [*words, "--out", str(tmp_path / "out")]) == 2
    err = capfd.readouterr().err
    assert "the speaker `vllm` needs packages that are not installed" in err
    assert "uv sync --extra vllm" in err
    assert not (tmp_path / "out").exists()
    assert run(command, [*words[:-3], "hf", *words[-2:], "--tensor_parallel_size", "2"]) == 2
    assert "use --provider vllm" in capfd.readouterr().err
