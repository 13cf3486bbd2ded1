import itertools

import numpy as np
import pytest
from scipy.linalg import sqrtm

from creativeai.evaluation.frechet import frechet_distance

RANDOM = np.random.default_rng(0)


def gaussian(num: int, dim: int, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    return RANDOM.normal(size=(num, dim)) @ RANDOM.normal(size=(dim, dim)) * scale + shift


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al.'s formula with scipy's matrix root."""
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return float(means + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root))


@pytest.mark.parametrize(("num_a", "num_b"), [(50, 80), (200, 30), (11, 300), (12, 12)])
def test_frechet_distance_is_the_definition(num_a: int, num_b: int) -> None:
    a, b = gaussian(num_a, 10), gaussian(num_b, 10, 2.0, 0.5)
    assert frechet_distance(a, b) == pytest.approx(by_definition(a, b), rel=1e-6)


@pytest.mark.parametrize(("num_a", "num_b"), [(5, 7), (5, 60), (60, 9), (10, 11)])
def test_frechet_distance_of_fewer_vectors_than_dimensions_is_the_definition(num_a: int, num_b: int) -> None:
    """A singular covariance has no accurate root by scipy; its eigenvalues do for the trace."""
    a, b = gaussian(num_a, 10), gaussian(num_b, 10, 2.0, 0.5)
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    eigenvalues = np.linalg.eigvals(covariances[0] @ covariances[1]).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + sum(map(np.trace, covariances))
    expected -= 2 * np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


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
