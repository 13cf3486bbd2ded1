import numpy as np

from creativeai.engine.pictures import noise_of, seed_of


def test_noise_of_a_seed_never_changes() -> None:
    """Seeds are noted and shared: this array may only change with a new major version."""
    expected = [0.18170474469661713, -1.2426393032073975, -0.5515530109405518, 0.3664800226688385]
    np.testing.assert_array_equal(noise_of(42, 4, 1.0)[0], np.array(expected, np.float32))


def test_noise_is_normal_and_scaled_by_truncation() -> None:
    noise = noise_of(2**32 - 1, 10_000, 1.0)
    assert noise.shape == (1, 10_000) and noise.dtype == np.float32
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
    half = noise_of(2**32 - 1, 10_000, 0.5)
    assert half.dtype == np.float32
    np.testing.assert_array_equal(half, noise * np.float32(0.5))


def test_seeds_of_a_set_wrap_around() -> None:
    assert [seed_of(2**32 - 2, index) for index in range(4)] == [2**32 - 2, 2**32 - 1, 0, 1]
