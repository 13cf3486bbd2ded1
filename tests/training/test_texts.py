from collections import Counter
from types import SimpleNamespace
from typing import cast

import numpy as np

from creativeai.data import CaptionedImages
from creativeai.data.captioned_images import CaptionRecord
from creativeai.text.augmentation import PLAIN, TextAugmentation
from creativeai.text.part_colours import part_colours
from creativeai.training.texts import (
    TrainingTexts,
    swapped_text,
    training_texts,
    unreadable_captions,
)

KINDS = (("a red bird with black wings, left", "a bird"), ("a red bird",), ("a cardinal",))
NAMED = ((), (), ("a flamingo", "a tall flamingo"))


def texts(augmentation: TextAugmentation, unusable: str = "") -> TrainingTexts:
    return TrainingTexts([KINDS, NAMED], augmentation, lambda text: text != unusable)  # type: ignore[list-item]


def drawn(shown: TrainingTexts, picture: int = 0, num: int = 2000, mirrored: bool = False) -> Counter[str]:
    choices = shown.draw(np.random.default_rng(0), num)
    assert choices.shape == (num, 3) and choices.min() >= 0 and choices.max() < 1
    return Counter(shown.text(picture, row, mirrored) for row in choices)


def test_kinds_come_by_their_weights() -> None:
    weights = TextAugmentation(written=2, short=1, name=1, variants=1)
    counts = drawn(texts(weights))
    assert {text: round(num / 100) for text, num in counts.items()} == {
        "a red bird with black wings, left": 5,
        "a bird": 5,
        "a red bird": 5,
        "a cardinal": 5,
    }


def test_plain_shows_what_was_written() -> None:
    assert set(drawn(texts(PLAIN))) == set(KINDS[0])


def test_picture_without_the_kind_shows_what_it_has() -> None:
    assert set(drawn(texts(PLAIN), picture=1)) == set(NAMED[2])
    assert texts(PLAIN).first(1) == "a flamingo"
    assert texts(PLAIN).first(0) == KINDS[0][0]


def test_wordings_are_few_and_one_is_the_caption_itself() -> None:
    augmentation = TextAugmentation(written=1, short=0, name=0, variants=3, synonyms=1)
    counts = drawn(texts(augmentation), num=600)
    of_first = [text for text in counts if "wings" in text]
    assert KINDS[0][0] in counts and 2 <= len(of_first) <= 3
    assert len(counts) <= 6


def test_mirrored_picture_gets_the_mirrored_text() -> None:
    counts = drawn(texts(PLAIN), mirrored=True)
    assert set(counts) == {"a red bird with black wings, right", "a bird"}


def test_wording_that_the_encoder_can_not_read_gives_way_to_the_caption() -> None:
    augmentation = TextAugmentation(written=0, short=1, name=0, variants=2, synonyms=1)
    changed = augmentation.variant("a red bird", 1)
    assert set(drawn(texts(augmentation))) == {"a red bird", changed}
    assert set(drawn(texts(augmentation, unusable=changed))) == {"a red bird"}


def test_swapped_text_asks_for_other_colours() -> None:
    assert swapped_text("a red bird with black wings") == "a black bird with red wings"
    recoloured = swapped_text("a red bird")
    assert recoloured is not None and part_colours(recoloured) != part_colours("a red bird")
    assert swapped_text("a red bird") == recoloured
    assert swapped_text("a bird") is None


def dataset_of(*captions: tuple[str, ...]) -> CaptionedImages:
    records = [CaptionRecord(f"{i}.png", texts, "train") for i, texts in enumerate(captions)]
    return cast(CaptionedImages, SimpleNamespace(records=records))


def test_captions_that_the_encoder_cannot_use_are_left_out_and_told() -> None:
    def is_usable(text: str) -> bool:
        return text.isascii()

    dataset = dataset_of(("a red bird", "红鸟"), ("红鸟",), ("a bird",))
    shown = training_texts(dataset, PLAIN, is_usable)
    assert [kinds[0] for kinds in shown.captions] == [("a red bird",), (), ("a bird",)]
    assert unreadable_captions(dataset, is_usable) == (
        "2 of 4 captions, which are left out: '红鸟' of 0.png, '红鸟' of 1.png"
    )
    assert unreadable_captions(dataset, lambda text: True) is None
