import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.evaluation.metrics import frechet_distance, mean_pairwise_distance, retrieval_accuracy

RANDOM = np.random.default_rng(0)


def gaussian(num: int, dim: int, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    return RANDOM.normal(size=(num, dim)) @ RANDOM.normal(size=(dim, dim)) * scale + shift


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al.'s formula; the trace of the root by the eigenvalues of the product of covariances."""
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    eigenvalues = np.linalg.eigvals(covariances[0] @ covariances[1])
    root = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return float(means + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root)


@pytest.mark.parametrize(("num_a", "num_b"), [(50, 80), (200, 30), (5, 7)])
def test_frechet_distance_is_the_definition(num_a: int, num_b: int) -> None:
    a, b = gaussian(num_a, 10), gaussian(num_b, 10, 2.0, 0.5)
    assert frechet_distance(a, b) == pytest.approx(by_definition(a, b), rel=1e-6)


def test_frechet_distance_of_independent_features_has_a_closed_form() -> None:
    signs = np.array(list(itertools.product((-1, 1), repeat=4)), float)  # exactly uncorrelated
    deviations_a, deviations_b = np.array([1.0, 2.0, 3.0, 0.0]), np.array([2.0, 2.0, 0.5, 1.0])
    shift = np.array([1.0, 0.0, -2.0, 0.0])
    unbiased = 16 / 15  # covariances are divided by N - 1
    expected = np.square(shift).sum() + unbiased * np.square(deviations_a - deviations_b).sum()
    distance = frechet_distance(signs * deviations_a, signs * deviations_b + shift)
    assert distance == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_is_zero_for_equal_and_symmetric() -> None:
    a, b = gaussian(40, 60), gaussian(30, 60)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-6 * np.square(a).sum())
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, b) > 1


def test_frechet_distance_of_single_precision_features_is_computed_in_double() -> None:
    a, b = gaussian(40, 8) + 1e3, gaussian(40, 8) + 1e3
    single = frechet_distance(a.astype(np.float32), b.astype(np.float32))
    assert single == pytest.approx(frechet_distance(a, b), rel=1e-3)


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.full((4, 3), np.nan), np.full((4, 3), np.inf)])
def test_frechet_distance_refuses_what_has_none(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least two finite vectors"):
        frechet_distance(bad, np.ones((4, 3)))
    with pytest.raises(ValueError, match="at least two finite vectors"):
        frechet_distance(np.ones((4, 3)), bad)


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


def test_retrieval_of_perfect_codes_is_one() -> None:
    codes = np.eye(150)
    assert retrieval_accuracy(codes, codes, np.arange(150), seed=0) == 1


def test_retrieval_of_random_codes_is_near_chance() -> None:
    images, texts = RANDOM.normal(size=(400, 16)), RANDOM.normal(size=(400, 16))
    owners = np.arange(400)
    assert retrieval_accuracy(images, texts, owners, seed=0) == pytest.approx(0.01, abs=0.01)
    few = retrieval_accuracy(images, texts, owners, seed=0, num_candidates=4)
    assert few == pytest.approx(0.25, abs=0.06)


def test_retrieval_is_among_so_many_candidates() -> None:
    """Of 10 captions 4 beat the right one: it wins if none of them is drawn among the other candidates."""
    scores = np.array([5.0, *[9.0] * 4, *[1.0] * 5])
    images = np.zeros((10, 10))
    images[0] = scores
    texts = np.eye(10)
    # The other pictures never win: all their scores are equal.
    accuracy = retrieval_accuracy(images, texts, np.arange(10), seed=0, num_candidates=3, num_draws=4000)
    assert accuracy * 10 == pytest.approx(math.comb(5, 2) / math.comb(9, 2), abs=0.02)


def test_other_captions_of_the_same_photo_never_stand_against_it() -> None:
    owners = np.arange(60).repeat(2)
    codes = np.eye(60)[owners]
    assert retrieval_accuracy(codes, codes, owners, seed=0) == 1
    # The same codes, were each caption another photo's: the twin always stands against it.
    assert retrieval_accuracy(codes, codes, np.arange(120), seed=0, num_candidates=120) == 0


def test_retrieval_follows_from_its_seed() -> None:
    images, texts = RANDOM.normal(size=(120, 4)), RANDOM.normal(size=(120, 4))

    def accuracy(seed: int) -> float:
        return retrieval_accuracy(images, texts, np.arange(120), seed, num_candidates=5)

    assert accuracy(1) == accuracy(1)
    assert accuracy(1) != accuracy(2)
