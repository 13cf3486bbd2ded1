"""The matcher on made-up photos: each description says outright which two colours its caption names."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from creativeai.data import CaptionRecord
from creativeai.errors import TrainingError
from creativeai.evaluation.matcher import Matcher, MatcherFacts, load_matcher, read_captions, reader_of
from creativeai.evaluation.matcher_training import (
    DescribedPhotos,
    MatcherTraining,
    described_photos,
    train_matcher,
    words_of_captions,
)
from creativeai.evaluation.weights_file import write_weights
from creativeai.models.conditioning import TextTensors, text_tensors
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.text_image_matcher import DescriptionLayout
from creativeai.text import load_text_encoder
from creativeai.text.features import stack_encodings

COLOURS = ("red", "green", "blue", "yellow", "black", "white")
PAIRS = [(a, b) for a in COLOURS for b in COLOURS if a != b]
CAPTIONS = [f"a {body} bird with a {head} head" for body, head in PAIRS]
LAYOUT = DescriptionLayout(thumbnail=1, grids=(1, 1, 1, 1))
FACTS = MatcherFacts("toys", 0, 64, LAYOUT, (), ("toys",), text_dim=26)


def bag_of_letters(captions: Sequence[str]) -> TextTensors:
    """Sentence vectors that can't tell a caption from its colour-swapped form; words as their letters."""

    def letters(text: str) -> NDArray[np.float32]:
        counts = np.array([text.count(chr(97 + i)) for i in range(26)], np.float32)
        return (counts / np.linalg.norm(counts)).astype(np.float32)

    encodings = [(letters(text), np.stack([letters(word) for word in text.split()])) for text in captions]
    return text_tensors(stack_encodings(encodings, 8, 26))


def photos(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    one_hot = [
        [c == body for c in COLOURS] + [c == head for c in COLOURS] + [True, False] for body, head in PAIRS
    ]
    return (np.array(one_hot) * 3 + rng.normal(size=(len(PAIRS), 14)) * 0.3).astype(np.float32)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    described = DescribedPhotos(
        "toys", (photos(1), photos(2)), ([[c] for c in CAPTIONS],) * 2, ([()] * len(PAIRS),) * 2
    )
    training = MatcherTraining(num_steps=150)
    network = train_matcher([described], FACTS, seed=3, training=training, read=bag_of_letters)
    return Matcher(network, FACTS, "0" * 64, bag_of_letters)


def test_every_other_view_has_mirrored_captions() -> None:
    record = CaptionRecord("1.jpg", ("a bird looking left",), "train", short_captions=("a left one",))
    described = described_photos("toys", [photos(1), photos(2), photos(3)], [record])
    assert [texts[0][0][-5:].strip() for texts in described.written] == ["left", "right", "left"]
    assert [texts[0] for texts in described.others] == [("a left one",), ("a right one",), ("a left one",)]


def test_it_finds_the_caption_and_prefers_it_over_its_swapped_form(matcher: Matcher) -> None:
    pictures, texts = matcher.picture_codes(photos(3)), matcher.text_codes(CAPTIONS)
    scores = pictures @ texts.T
    assert (scores.argmax(1) == np.arange(len(PAIRS))).mean() > 0.9
    swapped = matcher.text_codes([f"a {head} bird with a {body} head" for body, head in PAIRS])
    assert (scores.diagonal() > (pictures * swapped).sum(1)).mean() > 0.9


def test_same_seed_gives_the_same_weights_and_leaves_torch_alone() -> None:
    described = DescribedPhotos("toys", (photos(1),), ([[c] for c in CAPTIONS],), ([()] * len(PAIRS),))

    def train(seed: int) -> torch.Tensor:
        training = MatcherTraining(num_steps=2)
        network = train_matcher([described], FACTS, seed=seed, training=training, read=bag_of_letters)
        return next(network.caption_tower.tower[2].parameters())

    state = torch.get_rng_state()
    assert torch.equal(train(1), train(1)) and not torch.equal(train(1), train(2))
    assert torch.equal(torch.get_rng_state(), state)


def test_codes_do_not_depend_on_the_company(matcher: Matcher) -> None:
    together = matcher.text_codes(CAPTIONS[:5])
    alone = Matcher(matcher.network, matcher.facts, "0" * 64, bag_of_letters).text_codes(CAPTIONS[:1])
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)


def test_text_codes_are_as_exact_within_a_steps_autocast(matcher: Matcher) -> None:
    fresh = Matcher(matcher.network, matcher.facts, "0" * 64, bag_of_letters)
    with torch.autocast("cpu", torch.bfloat16):
        codes = fresh.text_codes(CAPTIONS[:3])
    np.testing.assert_allclose(codes, matcher.text_codes(CAPTIONS)[:3], atol=1e-5)


def test_saved_matcher_is_loaded_with_its_facts(matcher: Matcher, tmp_path: Path) -> None:
    matcher.save(tmp_path / "m.safetensors")
    loaded = load_matcher(tmp_path / "m.safetensors")
    assert loaded.facts == matcher.facts and loaded.datasets == ("toys",)
    ours, theirs = (one.picture_codes(photos(3)) for one in (matcher, loaded))
    assert (ours * theirs).sum(1).min() > 0.999


def test_file_of_something_else_is_no_matcher(matcher: Matcher, tmp_path: Path) -> None:
    write_weights(tmp_path / "other", {"a": torch.ones(2)}, {"name": "x"})
    with pytest.raises(TrainingError, match="is no text-image matcher"):
        load_matcher(tmp_path / "other")
    facts = replace(matcher.facts, hidden_dim=matcher.facts.hidden_dim - 1)
    Matcher(matcher.network, facts, "0" * 64).save(tmp_path / "narrow")
    with pytest.raises(TrainingError, match="is no text-image matcher"):
        load_matcher(tmp_path / "narrow")


def test_image_codes_have_a_gradient(matcher: Matcher) -> None:
    images = torch.rand(2, 3, 64, 64, requires_grad=True)
    features = [images.mean() * torch.ones(2, width, 2, 2) for width in FEATURE_CHANNELS]
    layout_length = LAYOUT.length(FEATURE_CHANNELS)
    described = matcher.describe(images, features)
    assert described.shape == (2, layout_length)
    described.sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_caption_that_minilm_can_not_read_has_empty_vectors() -> None:
    captions = ["a red bird", "\N{BIRD}", "bird"]
    features = read_captions(captions)
    expected = load_text_encoder("minilm").encode(["a red bird", "bird"])
    np.testing.assert_array_equal(features.sentence[[0, 2]], expected.sentence)
    np.testing.assert_array_equal(features.words[[0, 2]], expected.words)
    assert not features.mask[1].any() and not features.sentence[1].any() and not features.words[1].any()


def test_words_of_a_vocabulary_are_numbered_in_order_and_unknown_ones_left_out() -> None:
    read = reader_of(replace(FACTS, words=("<end>", "bird", "red")))
    text = read(["a Red bird", "bird", "???"])
    assert text.words.tolist() == [[2, 1], [1, 0], [0, 0]]
    assert text.mask.tolist() == [[True, True], [True, False], [False, False]]


def test_matcher_learns_by_words_of_its_own_too(matcher: Matcher) -> None:
    described = DescribedPhotos("toys", (photos(1),), ([[c] for c in CAPTIONS],), ([()] * len(PAIRS),))
    facts = replace(FACTS, words=words_of_captions(CAPTIONS, 1), text_dim=384)
    network = train_matcher([described], facts, seed=3, training=MatcherTraining(num_steps=150))
    own = Matcher(network, facts, "1" * 64)
    scores = own.picture_codes(photos(3)) @ own.text_codes(CAPTIONS).T
    assert (scores.argmax(1) == np.arange(len(PAIRS))).mean() > 0.9
