import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.evaluation.retrieval import retrieval_accuracy

RANDOM = np.random.default_rng(0)


def accuracy(images: np.ndarray, texts: np.ndarray, num_candidates: int = 100) -> float:
    """R-precision where each picture is its own and no two captions are equal."""
    numbers = np.arange(len(images))
    return float(retrieval_accuracy(images, texts, numbers, numbers, num_candidates).mean())


def test_retrieval_of_perfect_codes_is_one() -> None:
    assert accuracy(np.eye(150), np.eye(150)) == 1


def test_retrieval_of_random_codes_is_near_chance() -> None:
    images, texts = RANDOM.normal(size=(400, 16)), RANDOM.normal(size=(400, 16))
    assert accuracy(images, texts) == pytest.approx(0.01, abs=0.01)
    assert accuracy(images, texts, num_candidates=4) == pytest.approx(0.25, abs=0.06)


@given(st.integers(3, 8), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_rates_are_the_share_of_all_possible_draws(num: int, num_candidates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images, texts = rng.integers(-2, 3, (num, 2)), rng.integers(-2, 3, (num, 2))
    owners, captions = rng.integers(0, num, num), rng.integers(0, num, num)
    expected = []
    for i in range(num):
        others = [j for j in range(num) if owners[j] != owners[i] and captions[j] != captions[i]]
        score = images[i] @ texts[i]
        draws = list(itertools.combinations(others, min(num_candidates - 1, len(others))))
        expected.append(np.mean([all(images[i] @ texts[j] < score for j in draw) for draw in draws]))
    rates = retrieval_accuracy(images.astype(float), texts.astype(float), owners, captions, num_candidates)
    np.testing.assert_allclose(rates, expected)


def test_retrieval_is_among_so_many_candidates() -> None:
    """Of 10 captions 4 beat the right one: it wins if none of them is drawn among the other candidates."""
    images = np.zeros((10, 10))
    images[0] = [5.0, *[9.0] * 4, *[1.0] * 5]
    rates = retrieval_accuracy(images, np.eye(10), np.arange(10), np.arange(10), num_candidates=3)
    assert rates[0] == pytest.approx(math.comb(5, 2) / math.comb(9, 2))
    assert not rates[1:].any()  # all their scores are equal, and different captions win a tie


def test_other_captions_of_the_same_photo_never_stand_against_it() -> None:
    owners = np.arange(60).repeat(2)
    codes = np.eye(60)[owners]
    assert retrieval_accuracy(codes, codes, owners, np.arange(120)).mean() == 1
    # The same codes, were each caption another photo's: the twin always stands against it.
    rates = retrieval_accuracy(codes, codes, np.arange(120), np.arange(120), num_candidates=120)
    assert rates.mean() == 0


def test_another_photo_of_the_same_words_never_stands_against_it() -> None:
    """91% of the birds' short captions belong to another photo too, and each of those was a certain miss."""
    captions = [f"a {colour} bird" for colour in ("red", "blue", "green")] * 40
    codes = np.eye(3)[np.arange(120) % 3]
    assert retrieval_accuracy(codes, codes, np.arange(120), captions).mean() == 1


def test_captions_that_all_are_the_same_say_nothing_against_any_picture() -> None:
    codes = RANDOM.normal(size=(20, 4))
    assert retrieval_accuracy(codes, codes, np.arange(20), ["a bird"] * 20).tolist() == [1.0] * 20


def test_rates_of_many_pictures_are_those_of_few() -> None:
    """More pictures than are compared at once."""
    images, texts = RANDOM.normal(size=(1100, 8)), RANDOM.normal(size=(1100, 8))
    numbers = np.arange(1100)
    rates = retrieval_accuracy(images, texts, numbers, numbers, num_candidates=5)
    for i in (0, 511, 512, 1099):
        better = int((np.delete(texts, i, 0) @ images[i] >= texts[i] @ images[i]).sum())
        assert rates[i] == pytest.approx(math.comb(1099 - better, 4) / math.comb(1099, 4))


def test_codes_without_captions_are_refused() -> None:
    with pytest.raises(ValueError, match="as many captions, owners and codes as pictures"):
        retrieval_accuracy(np.eye(3), np.eye(3), np.arange(3), ["a bird"] * 2)
    with pytest.raises(ValueError, match="at least two candidates"):
        accuracy(np.eye(3), np.eye(3), num_candidates=1)
