import numpy as np
import pytest

from creativeai.evaluation.precision_recall import precision_recall

RANDOM = np.random.default_rng(0)


def is_inside(points: np.ndarray, manifold: np.ndarray, k: int) -> list[bool]:
    """Equation 1 of Kynkaanniemi et al., point by point."""
    answers = []
    for point in points:
        inside = False
        for i, centre in enumerate(manifold):
            distances = sorted(
                float(np.linalg.norm(centre - other)) for j, other in enumerate(manifold) if j != i
            )
            inside |= bool(np.linalg.norm(point - centre) <= distances[k - 1])
        answers.append(inside)
    return answers


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("num_real", "num_generated"), [(30, 20), (8, 40)])
def test_precision_and_recall_are_the_formula(num_real: int, num_generated: int, k: int) -> None:
    real, generated = RANDOM.normal(size=(num_real, 3)), RANDOM.normal(size=(num_generated, 3)) + 1.2
    found = precision_recall(real, generated, k)
    assert found.generated_is_inside.tolist() == is_inside(generated, real, k)
    assert found.real_is_covered.tolist() == is_inside(real, generated, k)
    assert 0 < found.precision < 1 and 0 < found.recall < 1
    assert found.precision == np.mean(is_inside(generated, real, k))
    assert found.recall == np.mean(is_inside(real, generated, k))


def test_more_vectors_than_are_compared_at_once() -> None:
    real, generated = RANDOM.normal(size=(700, 2)), RANDOM.normal(size=(600, 2)) + 2
    found = precision_recall(real, generated)
    distances = np.linalg.norm(generated[:, None] - real[None], axis=2)
    own = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)[:, 3]  # the first is itself
    np.testing.assert_array_equal(found.generated_is_inside, (distances <= own).any(1))
    own = np.sort(np.linalg.norm(generated[:, None] - generated[None], axis=2), axis=1)[:, 3]
    np.testing.assert_array_equal(found.real_is_covered, (own >= distances.T).any(1))


def test_a_generator_of_one_good_picture_is_precise_and_recalls_little() -> None:
    real = RANDOM.normal(size=(200, 4))
    generated = real[:1] + RANDOM.normal(size=(200, 4)) * 1e-3
    found = precision_recall(real, generated)
    assert found.precision == 1
    assert found.recall < 0.02


def test_noise_is_diverse_but_not_precise() -> None:
    """Diversity alone would praise it: GAN-CLS has .95 of the photos' at a precision of .03."""
    real = RANDOM.normal(size=(200, 4))
    assert precision_recall(real, RANDOM.normal(size=(200, 4)) + 40).precision == 0


def test_too_few_vectors_are_refused() -> None:
    good = RANDOM.normal(size=(9, 3))
    for bad in (good[:3], np.full((9, 3), np.inf)):
        with pytest.raises(ValueError, match="more than 3 finite vectors"):
            precision_recall(good, bad)
        with pytest.raises(ValueError, match="more than 3 finite vectors"):
            precision_recall(bad, good)
