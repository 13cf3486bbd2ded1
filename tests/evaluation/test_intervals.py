import numpy as np
import pytest

from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.intervals import bootstrap_interval, resampled_interval

RANDOM = np.random.default_rng(0)


def test_interval_of_independent_values_is_the_normal_one() -> None:
    values = RANDOM.normal(3, 2, 2000)
    low, high = bootstrap_interval(values, seed=0, num=4000)
    error = values.std() / 2000**0.5
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(300):
        low, high = bootstrap_interval(RANDOM.random(100) < 0.3, seed, num=100, level=0.8)
        held += low <= 0.3 <= high
    assert held / 300 == pytest.approx(0.8, abs=0.08)


def test_pictures_of_one_caption_count_as_one_draw() -> None:
    """Ten pictures of each caption, all found or none: as uncertain as the captions alone."""
    captions = RANDOM.random(100) < 0.5
    each = bootstrap_interval(captions, seed=3)
    values, groups = captions.repeat(10), np.arange(100).repeat(10) + 7
    assert bootstrap_interval(values, seed=3, groups=groups) == pytest.approx(each)
    alone = bootstrap_interval(values, seed=3)
    assert alone.high - alone.low < 0.5 * (each.high - each.low)


def test_larger_groups_weigh_more() -> None:
    values, groups = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1])
    assert bootstrap_interval(values, seed=0, groups=groups, level=1) == (0, 1)
    assert bootstrap_interval(values, seed=0, groups=groups, level=0.2).low == 0.75


def test_interval_follows_from_its_seed() -> None:
    values = RANDOM.random(50)
    assert bootstrap_interval(values, 1) == bootstrap_interval(values, 1) != bootstrap_interval(values, 2)
    for bad in (np.zeros(0), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="finite values"):
            bootstrap_interval(bad, 0)


def test_resampled_interval_is_about_the_figure_though_resamples_are_biased() -> None:
    a, b = RANDOM.normal(size=(80, 20)), RANDOM.normal(size=(80, 20))
    value = frechet_distance(a, b)

    def of(items: np.ndarray) -> float:
        return frechet_distance(a[items], b[items])

    interval = resampled_interval(of, value, 80, seed=0)
    assert interval.low < value < interval.high
    assert (interval.low + interval.high) / 2 == pytest.approx(value)
    assert of(RANDOM.integers(80, size=80)) > interval.high  # where percentiles would lie


def test_resampled_interval_of_a_mean_is_the_normal_one() -> None:
    values = RANDOM.normal(size=400)

    def mean(items: np.ndarray) -> float:
        return float(values[items].mean())

    low, high = resampled_interval(mean, values.mean(), 400, seed=0, num=600)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    narrow = resampled_interval(mean, values.mean(), 400, seed=0, num=600, level=0.5)
    assert narrow.high - narrow.low == pytest.approx((high - low) * 0.6745 / 1.96, rel=1e-3)
    with pytest.raises(ValueError, match="at least two draws"):
        resampled_interval(mean, 0.0, 400, seed=0, num=1)
