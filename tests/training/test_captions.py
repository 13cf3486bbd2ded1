import shutil
from pathlib import Path

import numpy as np
import pytest

from caption_doubles import NumberEncoder
from creativeai.data import CaptionedImages
from creativeai.errors import TextError
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.captions import banked_captions, mirrored_caption


@pytest.fixture
def dataset(toybirds: Path, tmp_path: Path) -> CaptionedImages:
    ignore = shutil.ignore_patterns("text-*")
    return CaptionedImages.open(shutil.copytree(toybirds, tmp_path / "toybirds", ignore=ignore))


@pytest.mark.parametrize(
    ("caption", "mirrored"),
    [
        ("a bird facing left", "a bird facing right"),
        ("turned to the right, left wing up", "turned to the left, right wing up"),
        ("Left of a tree", "right of a tree"),
        ("a bright bird by a cleft", "a bright bird by a cleft"),
        ("a red bird", "a red bird"),
    ],
)
def test_left_and_right_change_places_in_the_mirror(caption: str, mirrored: str) -> None:
    assert mirrored_caption(caption) == mirrored


def test_captions_are_found_by_their_rows_and_encoded_when_asked_for(dataset: CaptionedImages) -> None:
    encoder = NumberEncoder()
    captions = banked_captions(dataset, CaptionBank(encoder, dataset.path))
    assert encoder.encoded == [] and captions.dim == 3
    pictures = np.array([2, 0])
    nums = [len(dataset.records[i].all_captions) for i in pictures]
    assert captions.num_captions(pictures).tolist() == nums
    rows = captions.rows(pictures, np.array(nums) - 1)
    captions.features(rows, np.array([True, False]))
    last = [dataset.records[i].all_captions[-1] for i in pictures]
    assert encoder.encoded == [mirrored_caption(last[0]), last[1]]
    encoder.encoded.clear()
    captions.features(captions.rows(pictures))
    assert set(encoder.encoded) <= {dataset.records[i].all_captions[0] for i in pictures}


def test_caption_without_a_known_word_is_told(dataset: CaptionedImages) -> None:
    bank = CaptionBank(NumberEncoder(), dataset.path)
    record = dataset.records[3]
    dataset.records[3] = type(record)(record.file_name, ("??? ???",), record.split)
    with pytest.raises(TextError, match=r"number knows no word of the caption '\?\?\? \?\?\?': mend"):
        banked_captions(dataset, bank)
