import numpy as np
import pytest

from creativeai.evaluation.memorisation import memorisation, nearest_photos

RANDOM = np.random.default_rng(0)


def test_nearest_photos_are_those_of_a_search_one_by_one() -> None:
    pictures, photos = RANDOM.normal(size=(600, 5)), RANDOM.normal(size=(40, 5)) * 3
    nearest, distance = nearest_photos(pictures, photos)
    for i in (0, 17, 511, 512, 599):
        distances = [
            1 - pictures[i] @ photo / (np.linalg.norm(pictures[i]) * np.linalg.norm(photo))
            for photo in photos
        ]
        assert nearest[i] == np.argmin(distances)
        assert distance[i] == pytest.approx(min(distances), abs=1e-9)


def test_fresh_pictures_are_no_nearer_than_held_out_photos() -> None:
    found = memorisation(*(RANDOM.normal(size=(size, 6)) for size in (2000, 500, 2000)))
    assert found.share_nearer == pytest.approx(0.01, abs=0.01)
    assert found.generated_median == pytest.approx(found.held_out_median, rel=0.05)


def test_copies_are_found_and_say_of_what() -> None:
    training, held_out = RANDOM.normal(size=(300, 16)), RANDOM.normal(size=(200, 16))
    generated = RANDOM.normal(size=(100, 16))
    generated[:20] = 2 * training[40:60] + RANDOM.normal(size=(20, 16)) * 1e-3
    found = memorisation(generated, training, held_out)
    assert found.is_nearer[:20].all()
    assert found.nearest[:20].tolist() == list(range(40, 60))
    assert found.share_nearer == pytest.approx(0.2, abs=0.03)
    assert found.threshold == np.percentile(nearest_photos(held_out, training)[1], 1)


def test_nothing_to_compare_with_is_refused() -> None:
    good = RANDOM.normal(size=(5, 3))
    for parts in ((good[:0], good, good), (good, good[:0], good), (good, good, np.full((5, 3), np.nan))):
        with pytest.raises(ValueError, match="finite vectors of generated, training and held-out"):
            memorisation(*parts)
