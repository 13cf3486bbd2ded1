import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from creativeai.data import CaptionedImages
from creativeai.text import TextFeatures
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.training.captions import encode_captions, mirrored_caption


class CountingEncoder:
    """A vector of a text's own letters, and how many texts were encoded."""

    name, dim, max_words = "counting", 4, 8

    def __init__(self, digest: str = "a" * 64) -> None:
        self.digest = digest
        self.encoded: list[str] = []

    def encode(self, captions: list[str]) -> TextFeatures:
        self.encoded += captions
        vectors = [[len(c), c.count("left"), c.count("right"), ord(self.digest[0])] for c in captions]
        sentence = np.array(vectors, np.float32)
        return TextFeatures(sentence, sentence[:, None], np.ones((len(captions), 1), bool))

    def unknown_words(self, text: str) -> list[str]:
        return []

    def num_known_words(self, text: str) -> int:
        return len(text.split())


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


def test_rows_are_each_caption_and_its_mirror_image(dataset: CaptionedImages) -> None:
    encoder = CountingEncoder()
    progress: list[tuple[int, int]] = []
    vectors = encode_captions(dataset, encoder, lambda *state: progress.append(state))

    captions = [caption for record in dataset.records for caption in record.captions]
    assert vectors.sentences.shape == (len(captions), 2, 4)
    for caption, (plain, mirrored) in zip(captions, vectors.sentences, strict=True):
        np.testing.assert_array_equal(plain, encoder.encode([caption]).sentence[0])
        np.testing.assert_array_equal(mirrored, encoder.encode([mirrored_caption(caption)]).sentence[0])
    assert progress[0] == (0, len(captions))

    last = len(dataset.records) - 1
    assert vectors.offsets[last + 1] - vectors.offsets[last] == len(dataset.records[last].captions)


def test_second_time_reads_what_the_first_left(dataset: CaptionedImages) -> None:
    first = encode_captions(dataset, CountingEncoder())
    encoder = CountingEncoder()
    second = encode_captions(dataset, encoder)
    assert encoder.encoded == []
    np.testing.assert_array_equal(second.sentences, first.sentences)
    np.testing.assert_array_equal(second.offsets, first.offsets)


def test_other_encoder_or_captions_are_encoded_anew(dataset: CaptionedImages) -> None:
    encode_captions(dataset, CountingEncoder())
    other = CountingEncoder(digest="b" * 64)
    assert encode_captions(dataset, other).sentences[0, 0, 3] == ord("b")
    assert other.encoded
    dataset.meta = replace(dataset.meta, digest="f" * 64)
    encoder = CountingEncoder()
    encode_captions(dataset, encoder)
    assert encoder.encoded


@pytest.mark.parametrize("damage", ["truncated", "empty", "not numpy", "other type", "pickled"])
def test_damaged_cache_is_made_anew(dataset: CaptionedImages, damage: str) -> None:
    expected = encode_captions(dataset, CountingEncoder())
    [cache] = dataset.path.glob("text-*.npy")
    content = cache.read_bytes()
    cache.unlink()
    if damage == "other type":
        np.save(cache, expected.sentences.astype(np.float64))
    elif damage == "pickled":
        np.save(cache, np.array([{}], object), allow_pickle=True)
    else:
        cache.write_bytes({"truncated": content[:-5], "empty": b"", "not numpy": b"hello"}[damage])
    encoder = CountingEncoder()
    np.testing.assert_array_equal(encode_captions(dataset, encoder).sentences, expected.sentences)
    assert encoder.encoded
    np.testing.assert_array_equal(np.load(cache), expected.sentences)


def test_folder_that_can_not_be_written_to_is_no_obstacle(dataset: CaptionedImages) -> None:
    expected = encode_captions(dataset, CountingEncoder())
    [cache] = dataset.path.glob("text-*.npy")
    cache.unlink()
    cache.mkdir()  # stands in the way of the file, for root too
    np.testing.assert_array_equal(encode_captions(dataset, CountingEncoder()).sentences, expected.sentences)
    assert not list(dataset.path.glob("*.tmp"))


def test_caption_vectors_find_their_rows() -> None:
    sentences = np.arange(12, dtype=np.float32).reshape(6, 2, 1)
    vectors = CaptionVectors(sentences, np.array([0, 2, 3, 6]))
    pictures = np.array([2, 0])
    assert vectors.num_captions(pictures).tolist() == [3, 2]
    assert vectors.rows_of(pictures).tolist() == [3, 4, 5, 0, 1]
    assert vectors.rows(pictures).tolist() == [3, 0]
    rows = vectors.rows(pictures, np.array([2, 1]))
    assert vectors.features(rows).sentence.tolist() == [[10], [2]]
    features = vectors.features(rows, np.array([True, False]))
    assert features.sentence.tolist() == [[11], [2]]
    assert features.words.shape == (2, 0, 1) and features.mask.shape == (2, 0)
