import math

import numpy as np
import pytest

from creativeai.evaluation.inception_score import inception_score

RANDOM = np.random.default_rng(0)


def by_loops(probabilities: np.ndarray) -> float:
    """exp of the mean Kullback-Leibler divergence, class by class."""
    marginal = probabilities.mean(0)
    divergences = [
        sum(p * math.log(p / q) for p, q in zip(row, marginal, strict=True) if p > 0) for row in probabilities
    ]
    return math.exp(np.mean(divergences))


def test_score_is_the_formula_over_consecutive_splits() -> None:
    probabilities = RANDOM.dirichlet(np.full(6, 0.3), 23)
    splits = [probabilities[0:5], probabilities[5:11], probabilities[11:17], probabilities[17:23]]
    scores = [by_loops(part) for part in splits]
    found = inception_score(probabilities, num_splits=4)
    assert found.mean == pytest.approx(np.mean(scores))
    assert found.deviation == pytest.approx(np.std(scores))


def test_score_knows_the_extremes() -> None:
    sure_and_diverse = np.eye(8)[np.arange(160) % 8]
    assert inception_score(sure_and_diverse) == pytest.approx((8, 0))
    assert inception_score(np.full((160, 8), 1 / 8)) == pytest.approx((1, 0))
    assert inception_score(np.eye(8)[np.zeros(160, int)]) == pytest.approx((1, 0))


def test_what_is_no_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="at least as many pictures as splits"):
        inception_score(np.eye(8))
    for logits in (np.ones((20, 4)), np.array([[2.0, -1.0]] * 20), np.full((20, 2), np.nan)):
        with pytest.raises(ValueError, match="needs probabilities"):
            inception_score(logits)
