from dataclasses import replace

import numpy as np
import pytest
import torch

from creativeai.recipes.contract import Batch
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.training.feed import Feed

CPU = torch.device("cpu")
NUM_PICTURES, SIDE = 12, 4
NUM_CAPTIONS = np.array([1, 3, 2] * 4)


@pytest.fixture(scope="module")
def feed() -> Feed:
    """Ten of twelve pictures; a sentence vector holds its row and whether it tells of the mirror image."""
    images = np.random.default_rng(0).integers(0, 256, (NUM_PICTURES, SIDE, SIDE, 3), dtype=np.uint8)
    offsets = np.concatenate([[0], np.cumsum(NUM_CAPTIONS)])
    rows = np.arange(offsets[-1], dtype=np.float32)
    sentences = np.stack([np.stack([rows, np.full_like(rows, mirrored)], 1) for mirrored in (0, 1)], 1)
    pictures = np.delete(np.arange(NUM_PICTURES), [3, 7])
    labels = np.arange(NUM_PICTURES) // 2
    return Feed(
        images, CaptionVectors(sentences, offsets), labels, pictures, batch_size=5, noise_dim=6, seed=7
    )


def owners(feed: Feed, sentence: torch.Tensor) -> list[int]:
    """Pictures whose captions these are."""
    return [int(i) for i in np.searchsorted(feed.captions.offsets, sentence[:, 0].numpy(), "right") - 1]


def assert_same(ours: Batch, theirs: Batch) -> None:
    assert torch.equal(ours.images, theirs.images)
    assert torch.equal(ours.text.sentence, theirs.text.sentence)
    assert torch.equal(ours.mismatched_sentence, theirs.mismatched_sentence)
    assert torch.equal(ours.noise, theirs.noise)
    assert ours.num_seen == theirs.num_seen


def test_a_batch_follows_from_its_step_alone(feed: Feed) -> None:
    forwards = [feed.batch(step, CPU) for step in range(5)]
    torch.randn(9)
    for step in reversed(range(5)):
        assert_same(feed.batch(step, CPU), forwards[step])
    assert not torch.equal(forwards[0].noise, forwards[1].noise)


def test_noise_after_a_batch_follows_from_its_step_too(feed: Feed) -> None:
    feed.batch(3, CPU)
    first = torch.randn(4)
    torch.randn(100)
    feed.batch(3, CPU)
    assert torch.equal(torch.randn(4), first)


def test_labels_are_those_of_the_pictures(feed: Feed) -> None:
    batch = feed.batch(2, CPU)
    assert batch.labels.tolist() == [picture // 2 for picture in owners(feed, batch.text.sentence)]


def test_words_come_with_their_caption(feed: Feed) -> None:
    captions = feed.captions
    num_words = np.arange(len(captions.sentences)) % 3 + 1
    mask = (np.arange(3) < num_words[:, None])[:, None].repeat(2, 1)
    words = (captions.sentences[:, :, None] * mask[..., None]).astype(np.float16)
    batch = replace(feed, captions=replace(captions, words=words, mask=mask)).batch(1, CPU)
    assert torch.equal(batch.text.sentence, feed.batch(1, CPU).text.sentence)
    rows = batch.text.sentence[:, 0].long()
    assert batch.text.mask.sum(1).tolist() == num_words[rows].tolist()
    assert torch.equal(batch.text.words, batch.text.sentence[:, None] * batch.text.mask[:, :, None])


def test_another_seed_gives_other_batches(feed: Feed) -> None:
    other = replace(feed, seed=8)
    assert not torch.equal(other.batch(0, CPU).images, feed.batch(0, CPU).images)
    assert not torch.equal(other.batch(0, CPU).noise, feed.batch(0, CPU).noise)


def test_every_epoch_shows_every_picture_once_in_a_new_order(feed: Feed) -> None:
    epochs = []
    for epoch in range(4):
        batches = [feed.batch(2 * epoch + place, CPU) for place in range(2)]
        epochs.append([owner for batch in batches for owner in owners(feed, batch.text.sentence)])
        assert sorted(epochs[-1]) == feed.pictures.tolist()
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_pictures_that_do_not_fill_a_batch_wait_for_another_epoch(feed: Feed) -> None:
    uneven = replace(feed, batch_size=4)
    shown = set()
    for epoch in range(8):
        batches = [uneven.batch(2 * epoch + place, CPU) for place in range(2)]
        pictures = [owner for batch in batches for owner in owners(uneven, batch.text.sentence)]
        assert len(set(pictures)) == 8
        shown |= set(pictures)
    assert shown == set(feed.pictures.tolist())


def test_a_batch_larger_than_the_dataset_repeats_pictures(feed: Feed) -> None:
    larger = replace(feed, pictures=feed.pictures[:3], batch_size=8)
    shown = owners(larger, larger.batch(5, CPU).text.sentence)
    assert len(shown) == 8 and set(shown) == set(feed.pictures[:3].tolist())


def test_mirrored_pictures_get_the_mirrored_caption(feed: Feed) -> None:
    num_mirrored = 0
    for step in range(40):
        batch = feed.batch(step, CPU)
        pixels = ((batch.images.permute(0, 2, 3, 1) + 1) * 127.5).round().numpy().astype(np.uint8)
        shown = owners(feed, batch.text.sentence)
        for picture, image, mirrored in zip(shown, pixels, batch.text.sentence[:, 1], strict=True):
            original = feed.images[picture]
            np.testing.assert_array_equal(image, original[:, ::-1] if mirrored else original)
            num_mirrored += int(mirrored)
    assert 70 < num_mirrored < 130  # of 200


def test_every_caption_of_a_picture_is_used(feed: Feed) -> None:
    rows = {int(row) for step in range(60) for row in feed.batch(step, CPU).text.sentence[:, 0]}
    expected = {row for i in feed.pictures for row in range(*feed.captions.offsets[i : i + 2])}
    assert rows == expected


def test_mismatched_captions_are_of_other_pictures(feed: Feed) -> None:
    for step in range(10):
        batch = feed.batch(step, CPU)
        right, wrong = owners(feed, batch.text.sentence), owners(feed, batch.mismatched_sentence)
        assert all(a != b for a, b in zip(right, wrong, strict=True))


def test_batch_has_the_shapes_of_its_contract(feed: Feed) -> None:
    batch = feed.batch(3, CPU)
    assert batch.images.shape == (5, 3, SIDE, SIDE)
    assert batch.images.min() >= -1 and batch.images.max() <= 1
    assert batch.text.words.shape == (5, 0, 2) and batch.text.mask.shape == (5, 0)
    assert batch.noise.shape == (5, 6)
    assert batch.num_seen == 15


def test_dataset_is_not_written_to(feed: Feed) -> None:
    before = feed.images.copy()
    for step in range(6):
        feed.batch(step, CPU)
    np.testing.assert_array_equal(feed.images, before)
