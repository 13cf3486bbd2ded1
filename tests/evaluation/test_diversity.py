import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.evaluation.diversity import diversity, mean_pairwise_distance


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_mean_pairwise_distance_is_the_mean_over_all_pairs(num: int, dim: int, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(num, dim)) + 0.1
    distances = [
        1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in itertools.combinations(features, 2)
    ]
    assert mean_pairwise_distance(features) == pytest.approx(np.mean(distances), abs=1e-9)


def test_mean_pairwise_distance_knows_the_extremes() -> None:
    assert mean_pairwise_distance(np.ones((5, 3))) == pytest.approx(0)
    assert mean_pairwise_distance(np.eye(4)) == pytest.approx(1)
    assert mean_pairwise_distance(np.array([[1.0, 0], [-3.0, 0]])) == pytest.approx(2)
    assert math.isfinite(mean_pairwise_distance(np.zeros((3, 2))))
    with pytest.raises(ValueError, match="at least two vectors"):
        mean_pairwise_distance(np.ones((1, 3)))


def cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_diversity_is_the_mean_over_the_pairs_between_and_within() -> None:
    features = np.random.default_rng(0).normal(size=(5, 3, 4)) + 0.3
    between = [
        cosine_distance(one, other)
        for a, b in itertools.combinations(features, 2)
        for one, other in itertools.product(a, b)
    ]
    within = [
        np.mean([cosine_distance(one, other) for one, other in itertools.combinations(views, 2)])
        for views in features
    ]
    found = diversity(features)
    assert found.between == pytest.approx(np.mean(between), abs=1e-12)
    np.testing.assert_allclose(found.within_each, within, atol=1e-12)
    assert found.within == pytest.approx(np.mean(within))


def test_diversity_tells_which_of_words_and_noise_is_ignored() -> None:
    rng = np.random.default_rng(0)
    sentences, seeds = rng.normal(size=(64, 1, 32)), rng.normal(size=(1, 4, 32))
    noise_ignored = diversity(np.repeat(sentences, 4, axis=1))
    assert noise_ignored.within == pytest.approx(0, abs=1e-9)
    assert noise_ignored.between > 0.8
    words_ignored = diversity(np.repeat(seeds, 64, axis=0))
    assert words_ignored.between < words_ignored.within
    with pytest.raises(ValueError, match="at least two pictures of each of two sentences"):
        diversity(np.ones((64, 1, 8)))


def test_one_sentence_that_collapses_is_seen() -> None:
    """Four sentences, as the seed diversity was taken over once, may miss it; each of 64 has its own
    figure."""
    features = np.random.default_rng(1).normal(size=(64, 4, 16))
    features[37] = features[37, :1]
    within = diversity(features).within_each
    assert within.shape == (64,)
    assert within.argmin() == 37 and within[37] == pytest.approx(0, abs=1e-9)
    assert np.delete(within, 37).min() > 0.3
