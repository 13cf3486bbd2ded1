from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from caption_doubles import bank_in, numbered_texts
from creativeai.recipes.contract import Batch
from creativeai.training.feed import Feed, sentence_sample

CPU = torch.device("cpu")
NUM_PICTURES, SIDE = 12, 4
NUM_CAPTIONS = [1, 3, 2] * 4
OFFSETS = np.concatenate([[0], np.cumsum(NUM_CAPTIONS)])


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    """Ten of twelve pictures; a sentence vector holds its row and whether it tells of the mirror image."""
    images = np.random.default_rng(0).integers(0, 256, (NUM_PICTURES, SIDE, SIDE, 3), dtype=np.uint8)
    pictures = np.delete(np.arange(NUM_PICTURES), [3, 7])
    labels = np.arange(NUM_PICTURES) // 2
    texts, bank = numbered_texts(NUM_CAPTIONS), bank_in(tmp_path_factory.mktemp("bank"))
    return Feed(images, texts, bank, labels, pictures, batch_size=5, noise_dim=6, seed=7)


def owners(feed: Feed, sentence: torch.Tensor) -> list[int]:
    """Pictures whose captions these are."""
    return [int(i) for i in np.searchsorted(OFFSETS, sentence[:, 0].numpy(), "right") - 1]


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


def test_words_come_with_their_caption(feed: Feed, tmp_path: Path) -> None:
    batch = replace(feed, bank=bank_in(tmp_path, with_words=True)).batch(1, CPU)
    assert torch.equal(batch.text.sentence, feed.batch(1, CPU).text.sentence)
    numbers = batch.text.sentence[:, 0].long()
    assert batch.text.mask.sum(1).tolist() == (1 + numbers % 5).tolist()
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
    expected = {row for i in feed.pictures for row in range(*OFFSETS[i : i + 2])}
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
    assert batch.text.words.shape == (5, 0, 3) and batch.text.mask.shape == (5, 0)
    assert batch.noise.shape == (5, 6)
    assert batch.num_seen == 15


def test_dataset_is_not_written_to(feed: Feed) -> None:
    before = feed.images.copy()
    for step in range(6):
        feed.batch(step, CPU)
    np.testing.assert_array_equal(feed.images, before)


def test_swapped_captions_come_only_where_they_are_asked_for(feed: Feed) -> None:
    batch = feed.batch(0, CPU)
    assert batch.swapped_text is None and batch.has_swap is None


def test_swapped_captions_stand_beside_their_own(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    def swap(text: str) -> str | None:
        number = int(text.split()[1])
        return None if number % 3 == 0 else "???" if number % 3 == 1 else f"{text} swapped"

    monkeypatch.setattr("creativeai.training.feed.swapped_text", swap)
    swapping = replace(feed, with_swapped=True)
    for step in range(6):
        batch = swapping.batch(step, CPU)
        assert_same(batch, feed.batch(step, CPU))
        assert batch.swapped_text is not None and batch.has_swap is not None
        # Neither one without colours nor one that the encoder can't read counts as swapped.
        assert torch.equal(batch.has_swap, batch.text.sentence[:, 0] % 3 == 2)
        assert torch.equal(batch.swapped_text.sentence[:, :2], batch.text.sentence[:, :2])
        assert torch.equal(batch.swapped_text.sentence[:, 2] == 1, batch.has_swap)


def test_a_process_encodes_its_own_rows_alone(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(feed, batch_size=4).batch(1, CPU)
    rows = torch.tensor([0, 2])
    monkeypatch.setattr("creativeai.training.feed.own_rows", lambda size: rows)
    bank = bank_in(tmp_path)
    own = replace(feed, batch_size=4, bank=bank).batch(1, CPU)
    assert torch.equal(own.text.sentence, whole.text.sentence[rows])
    assert torch.equal(own.mismatched_sentence, whole.mismatched_sentence[rows])
    assert torch.equal(own.images, whole.images[rows])
    assert len(bank.encoder.encoded) == 4  # type: ignore[attr-defined]  # its two, and the two before them


def test_sample_is_of_the_texts_that_are_shown_first(feed: Feed) -> None:
    told: list[tuple[int, int]] = []
    sample = sentence_sample(
        feed.texts, feed.bank, feed.pictures, 5, seed=7, num=13, on_progress=lambda *state: told.append(state)
    )
    shown = torch.cat([feed.batch(step, CPU).text.sentence for step in range(3)])
    assert torch.equal(sample, shown[:13])
    assert told == [(0, 13)]
