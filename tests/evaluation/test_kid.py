import itertools

import numpy as np
import pytest

from creativeai.evaluation.kid import kernel_distance, squared_mmd

RANDOM = np.random.default_rng(0)


def by_loops(a: np.ndarray, b: np.ndarray) -> float:
    """Equation 4 of Binkowski et al., pair by pair."""

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    def within(x: np.ndarray) -> float:
        return float(np.mean([kernel(one, other) for one, other in itertools.permutations(x, 2)]))

    across = np.mean([kernel(one, other) for one in a for other in b])
    return within(a) + within(b) - 2 * float(across)


@pytest.mark.parametrize(("num_a", "num_b"), [(7, 7), (2, 9), (12, 5)])
def test_squared_mmd_is_the_formula(num_a: int, num_b: int) -> None:
    a, b = RANDOM.normal(size=(num_a, 6)), RANDOM.normal(size=(num_b, 6)) * 2 + 0.5
    assert squared_mmd(a, b) == pytest.approx(by_loops(a, b), rel=1e-12)


def test_kernel_distance_is_the_mean_over_subsets() -> None:
    """In subsets of two out of four there are but 36 to meet: many draws come near the mean of them all."""
    a, b = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(4, 3)) + 1
    subsets = list(itertools.combinations(range(4), 2))
    each = [by_loops(a[list(i)], b[list(j)]) for i in subsets for j in subsets]
    found = kernel_distance(a, b, seed=0, num_subsets=4000)
    assert found.value == pytest.approx(1000 * np.mean(each), abs=5 * 1000 * np.std(each) / 4000**0.5)
    assert found.standard_error == pytest.approx(1000 * np.std(each), rel=0.05)


def test_kernel_distance_has_no_bias() -> None:
    distances = [
        kernel_distance(RANDOM.normal(size=(30, 8)), RANDOM.normal(size=(50, 8)), 0, 30).value
        for _ in range(200)
    ]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / 200**0.5


@pytest.mark.parametrize("subset_size", [20, 1000])
def test_standard_error_is_how_far_repetitions_scatter(subset_size: int) -> None:
    found = [
        kernel_distance(
            RANDOM.normal(size=(120, 4)), RANDOM.normal(size=(120, 4)) + 0.7, seed, 50, subset_size
        )
        for seed in range(150)
    ]
    scatter = np.std([one.value for one in found])
    assert np.mean([one.standard_error for one in found]) == pytest.approx(scatter, rel=0.25)


def test_kernel_distance_follows_from_its_seed_and_is_computed_in_double() -> None:
    a, b = RANDOM.normal(size=(60, 5)), RANDOM.normal(size=(40, 5)) + 1
    assert kernel_distance(a, b, 1) == kernel_distance(a, b, 1) != kernel_distance(a, b, 2)
    single = kernel_distance(a.astype(np.float32), b.astype(np.float32), 1)
    assert single.value == pytest.approx(kernel_distance(a, b, 1).value, rel=1e-5)


def test_kernel_distance_refuses_what_has_none() -> None:
    good = RANDOM.normal(size=(9, 3))
    for bad in (good[:3], np.full((9, 3), np.nan)):
        with pytest.raises(ValueError, match="at least four finite vectors"):
            kernel_distance(good, bad, 0)
    with pytest.raises(ValueError, match="at least two subsets of at least two"):
        kernel_distance(good, good, 0, num_subsets=1)
