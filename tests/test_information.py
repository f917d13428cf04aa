"""Expected information: against all answers enumerated, on models of one and two parameters."""

from itertools import product

import numpy as np
import pytest
from scipy.special import gammaln, softmax

from many_wolves.inference.evaluation.information import (
    Knowledge,
    Values,
    allocate,
    next_answer,
)

U = 3


def _urn_log_lik(answers, p, icc):
    """Log-likelihood of answers in their order, by the urn."""
    seen = np.zeros(len(p))
    total = 0.0
    for n, u in enumerate(answers):
        total += np.log((p[u] * (1 - icc) + seen[u] * icc) / (1 - icc + n * icc))
        seen[u] += 1
    return total


def _p(x):
    """Probabilities of three answers and the correlation, from three parameters."""
    return softmax([0.0, x[0], x[1]]), 1 / (1 + np.exp(-x[2]))


def _by_enumeration(x, n):
    """Fisher information of n answers, from the scores of all their sequences."""
    step, total = 1e-5, np.zeros((3, 3))
    for answers in product(range(U), repeat=n):
        score = [
            (_urn_log_lik(answers, *_p(x + e)) - _urn_log_lik(answers, *_p(x - e))) / (2 * step)
            for e in step * np.eye(3)
        ]
        total += np.exp(_urn_log_lik(answers, *_p(x))) * np.outer(score, score)
    return total


@pytest.mark.parametrize("x", [(0.3, -0.5, -1.0), (2.0, 1.0, 0.5), (-1.0, 0.0, -4.0)])
def test_the_information_of_each_further_answer_is_that_of_all_sequences(x):
    x, step = np.array(x), 1e-5
    slopes = []
    for e in step * np.eye(3):
        (p, icc), (other, lower) = _p(x + e), _p(x - e)
        slopes.append(np.append(p * (1 - icc) - other * (1 - lower), icc - lower) / (2 * step))
    p, icc = _p(x)
    at, total = np.array(slopes), np.zeros((3, 3))
    for n in range(4):
        total += at @ next_answer(p, np.array(icc), n) @ at.T
        assert np.allclose(total, _by_enumeration(x, n + 1), rtol=1e-4, atol=1e-7)


def test_a_second_answer_to_one_prompt_informs_less_than_one_to_another():
    p = np.array([0.5, 0.3, 0.2])
    first, second = (next_answer(p, np.array(0.4), n)[:U, :U] for n in (0, 1))
    assert np.trace(second) < 0.7 * np.trace(first)
    independent = [next_answer(p, np.array(0.0), n)[:U, :U] for n in (0, 5)]
    assert np.allclose(*independent)


ICC = 0.2
KINDS = (
    lambda x: softmax(np.stack([0 * x[:, 0], 1.5 * x[:, 0], -x[:, 0]], axis=1), axis=1),
    lambda x: softmax(np.stack([0 * x[:, 0], x[:, 0] + x[:, 1], x[:, 1]], axis=1), axis=1),
    lambda x: softmax(np.stack([0 * x[:, 0], x[:, 1], -x[:, 1]], axis=1), axis=1),
)


def _evaluate(x):
    return Values(x[:, :1], [kind(x) for kind in KINDS], [np.full(len(x), ICC)] * len(KINDS))


def _evaluate_both(x):
    return Values(x, _evaluate(x).answers, _evaluate(x).correlations)


@pytest.fixture(scope="module")
def posterior():
    """A grid of two parameters, with the posterior of 30 prompts of each of the last kinds."""
    line = np.linspace(-2, 2, 161)
    x = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    log_p = -0.5 * (x**2).sum(axis=1)
    rng = np.random.default_rng(5)
    truth = np.array([[0.4, -0.3]])
    for kind in KINDS[1:]:
        log_p = log_p + np.log(kind(x)) @ rng.multinomial(30, kind(truth)[0])
    weights = np.exp(log_p - log_p.max())
    return x, weights / weights.sum()


def _known(x, weights, draws=60):
    mean = weights @ x
    covariance = (x - mean).T @ (weights[:, None] * (x - mean))
    rng = np.random.default_rng(1)
    rows = x[rng.choice(len(x), draws, p=weights)]
    return Knowledge(rows, covariance, _evaluate, np.sqrt(np.diag(covariance)[:1]))


def _exact(x, weights, kind, n):
    """Mutual information of the first parameter and n answers to one prompt, all enumerated."""
    p = KINDS[kind](x)
    _, at = np.unique(x[:, 0], return_inverse=True)
    own = np.bincount(at, weights)
    total = 0.0
    a = p * (1 - ICC) / ICC
    for counts in product(range(n + 1), repeat=U):
        if sum(counts) != n:
            continue
        c = np.array(counts)
        log_lik = gammaln(n + 1) - gammaln(c + 1).sum() + gammaln(a.sum(axis=1))
        log_lik = log_lik - gammaln(a.sum(axis=1) + n) + (gammaln(a + c) - gammaln(a)).sum(axis=1)
        joint = np.bincount(at, weights * np.exp(log_lik))
        seen = own > 1e-15
        total += (joint[seen] * np.log(joint[seen] / own[seen] / joint.sum())).sum()
    return total


@pytest.mark.parametrize("n", [1, 3])
def test_the_laplace_form_is_near_the_information_of_all_answers_enumerated(posterior, n):
    exact = [_exact(posterior[0], posterior[1], kind, n) for kind in range(len(KINDS))]
    laplace = []
    for kind in range(len(KINDS)):
        known = _known(*posterior)
        total = 0.0
        for before in range(n):
            total += known.gains([(kind, before)], np.array([True]))[0]
            known.add((kind, before))
        laplace.append(total)
    assert np.allclose(laplace, exact, rtol=0.12, atol=5e-4), (laplace, exact)
    assert list(np.argsort(laplace)) == list(np.argsort(exact))


def test_answers_so_far_count_as_answers_that_are_added(posterior):
    known = _known(*posterior)
    for option in [(1, 0), (1, 1), (1, 0), (2, 0)]:
        known.add(option)
    again = Knowledge(
        known.x, known.covariance, _evaluate, known.width, levels=[[0], [2, 1, 0], [1]]
    )
    options = [(0, 0), (1, 2), (2, 1)]
    counted = np.array([True])
    assert np.allclose(known.gains(options, counted), again.gains(options, counted))
    assert again.expected == known.width


def test_new_prompts_come_before_repeated_ones_and_the_best_kind_first(posterior):
    known = _known(*posterior)
    before = float(known.expected[0])
    chosen = allocate(known, [[0] * 5, [0] * 5, [0] * 5], 8)
    assert chosen[:5] == [(0, 0)] * 5
    assert known.expected[0] < before


def test_no_more_is_chosen_than_the_wanted_width_needs(posterior):
    known = _known(*posterior)
    wanted = 0.8 * known.expected[0]
    chosen = allocate(known, [[0] * 100], 100, wanted=wanted)
    assert 0 < len(chosen) < 100
    assert known.expected[0] <= wanted
    again = _known(*posterior)
    allocate(again, [[0] * 100], len(chosen) - 1)
    assert again.expected[0] > wanted
    assert allocate(known, [[0] * 100], 100, wanted=wanted) == []


def test_a_target_that_follows_another_counts_as_long_as_that_one_is_too_wide(posterior):
    known = _known(*posterior)
    pair = Knowledge(known.x, known.covariance, _evaluate_both, np.array([1.0, 0.1]), leads=(0, 0))
    assert pair.counted(0.5).tolist() == [True, True]
    assert pair.counted(2.0).tolist() == [False, False]
    alone = Knowledge(known.x, known.covariance, _evaluate_both, np.array([1.0, 0.1]))
    assert alone.counted(0.5).tolist() == [True, False]
    both = pair.gains([(0, 0), (1, 0)], pair.counted(0.5))
    assert (both > alone.gains([(0, 0), (1, 0)], alone.counted(0.5))).all()


def test_the_largest_number_of_answers_to_a_prompt_is_kept(posterior):
    assert len(allocate(_known(*posterior), [[0, 1]], 10, most=2)) == 3
