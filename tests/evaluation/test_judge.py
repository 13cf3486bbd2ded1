"""The judge on 64 drawn birds: 48 to learn from, 16 held out; seen at 64 px, which is quick."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from creativeai.data import CaptionedImages, prepare
from creativeai.evaluation.features import FeatureExtractor, join_features
from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.judge import COLLAPSE_RATIO, Judge
from creativeai.evaluation.matcher_training import train_matcher
from creativeai.models.conditioning import text_tensors
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import TextImageMatcher
from creativeai.text import load_text_encoder
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.captions import BankedCaptions, banked_captions

CPU = torch.device("cpu")
NUM_GENERATED = 32


@dataclass
class Birds:
    images: np.ndarray
    captions: BankedCaptions
    train: np.ndarray
    held_out: np.ndarray
    extractor: FeatureExtractor

    def describe(self, images: Tensor) -> Tensor:
        return self.extractor(images).descriptions

    def judge(self, matcher: TextImageMatcher) -> Judge:
        return Judge(
            self.extractor, matcher, self.images, self.captions, self.captions, self.held_out, NUM_GENERATED
        )


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Birds:
    folder = prepare(
        "toybirds", tmp_path_factory.mktemp("data") / "birds", num_pictures=64, resolutions=(32,)
    )
    dataset = CaptionedImages.open(folder.path)
    order = np.random.default_rng(0).permutation(64)
    captions = banked_captions(dataset, CaptionBank(load_text_encoder("minilm"), folder.path))
    network = load_efficientnet_lite0().to(memory_format=torch.channels_last)
    return Birds(dataset.images(32), captions, order[:48], order[48:], FeatureExtractor(network, side=64))


@pytest.fixture(scope="module")
def matcher(birds: Birds) -> TextImageMatcher:
    return train_matcher(
        birds.images, birds.captions, birds.train, birds.describe, seed=2, num_views=2, num_steps=60
    )


@pytest.fixture(scope="module")
def judge(birds: Birds, matcher: TextImageMatcher) -> Judge:
    return birds.judge(matcher)


class Album(nn.Module):
    """Returns the photo whose caption it is asked for, whatever the noise; or always the first one."""

    def __init__(self, birds: Birds, always: int | None = None) -> None:
        super().__init__()
        self.birds, self.always = birds, always

    def forward(self, noise: Tensor, text: Any) -> GeneratorOutput:
        captions = self.birds.captions
        sentences = torch.from_numpy(captions.features(np.arange(len(captions.captions))).sentence)
        rows = (text.sentence[:, None] - sentences).abs().sum(2).argmin(1).numpy()
        pictures = np.searchsorted(captions.offsets, rows, "right") - 1
        if self.always is not None:
            pictures = np.full_like(pictures, self.always)
        return GeneratorOutput((pixels_to_tensor(self.birds.images[pictures]),))


class Lottery(Album):
    """Returns a photo drawn by the noise, whatever the caption."""

    def forward(self, noise: Tensor, text: Any) -> GeneratorOutput:
        drawn = (noise[:, 0].abs() * 1e4).long().numpy() % len(self.birds.held_out)
        return GeneratorOutput((pixels_to_tensor(self.birds.images[self.birds.held_out[drawn]]),))


def test_generator_that_always_draws_one_picture_sets_off_the_alarm(birds: Birds, judge: Judge) -> None:
    result = judge.measure(Album(birds, always=3), 4, CPU)
    assert result.collapsed
    assert result.diversity == pytest.approx(0, abs=1e-3)
    assert result.seed_diversity == pytest.approx(0, abs=1e-3)


def test_generator_that_ignores_the_noise_sets_off_the_alarm(birds: Birds, judge: Judge) -> None:
    result = judge.measure(Album(birds), 4, CPU)
    assert result.diversity > COLLAPSE_RATIO
    assert result.seed_diversity == pytest.approx(0, abs=1e-3)
    assert result.collapsed


def test_photos_themselves_do_not(birds: Birds, judge: Judge) -> None:
    result = judge.measure(Lottery(birds), 4, CPU)
    assert not result.collapsed
    assert result.diversity == pytest.approx(1, abs=0.2)
    assert result.seed_diversity == pytest.approx(1, abs=0.3)
    worst = judge.measure(Album(birds, always=3), 4, CPU)
    assert result.fd_lite0 < worst.fd_lite0 / 2


def test_photos_of_the_captions_asked_for_are_as_near_as_can_be(birds: Birds, judge: Judge) -> None:
    """Each held-out photo twice, once for each of two captions: only the covariance's N - 1 differs."""
    result = judge.measure(Album(birds), 4, CPU)
    assert (result.num_generated, result.num_real) == (NUM_GENERATED, 16)
    features = judge.real_features
    assert result.fd_lite0 == pytest.approx(
        frechet_distance(np.concatenate([features, features]), features), abs=0.5
    )
    assert result.fd_lite0 < judge.split_half_distance() / 5


def test_text_match_hears_the_caption(birds: Birds, judge: Judge) -> None:
    chance = 1 / 16
    right = judge.measure(Album(birds), 4, CPU).text_match
    assert right > 3 * chance
    assert judge.measure(Lottery(birds), 4, CPU).text_match < right / 2


def test_held_out_photos_match_their_captions_better_than_chance(judge: Judge) -> None:
    assert judge.real_text_match() > 3 / 16


def test_measuring_twice_gives_the_same(birds: Birds, judge: Judge) -> None:
    torch.randn(3)
    first = judge.measure(Lottery(birds), 4, CPU)
    torch.randn(5)
    assert judge.measure(Lottery(birds), 4, CPU) == first
    assert first.as_dict()["fd_lite0"] == first.fd_lite0


def test_photos_that_are_all_the_same_do_not_stop_a_run(birds: Birds, matcher: TextImageMatcher) -> None:
    images = birds.images[:1].repeat(4, 0)
    captions = replace(birds.captions, offsets=np.arange(5))
    judge = Judge(birds.extractor, matcher, images, captions, captions, np.arange(4), 4)
    assert np.isfinite(judge.measure(Album(birds), 4, CPU).diversity)


def test_features_are_those_of_a_saved_picture_whatever_its_size(birds: Birds) -> None:
    photos = pixels_to_tensor(birds.images[[0, 1, 2]])
    features = birds.extractor(photos)
    assert features.pooled.shape == (3, 1280)
    assert FeatureExtractor(birds.extractor.network).side == 224
    beyond = torch.where(photos == photos.max(), photos + 0.5, photos) + 1e-3  # clipped, then rounded away
    assert torch.equal(birds.extractor(beyond).pooled, features.pooled)
    larger = birds.extractor(photos.repeat_interleave(7, 2).repeat_interleave(7, 3))
    assert larger.pooled.shape == (3, 1280)


def test_features_do_not_depend_on_how_pictures_are_batched(birds: Birds) -> None:
    photos = pixels_to_tensor(birds.images[np.arange(5)])
    together = birds.extractor(photos)
    apart = join_features([birds.extractor(photos[:2]), birds.extractor(photos[2:])])
    torch.testing.assert_close(together.pooled, apart.pooled, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(together.descriptions, apart.descriptions, atol=1e-4, rtol=1e-3)


def test_matcher_follows_from_its_seed_and_learns(birds: Birds, matcher: TextImageMatcher) -> None:
    descriptions = torch.stack([birds.describe(pixels_to_tensor(birds.images[birds.train]))] * 2)
    views = iter(descriptions.repeat(2, 1, 1))

    def train(seed: int) -> TextImageMatcher:
        return train_matcher(
            birds.images, birds.captions, birds.train, lambda _: next(views), seed, num_views=2, num_steps=2
        )

    first, second = train(1), train(1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not any(weight.requires_grad for weight in matcher.parameters()) and not matcher.training

    sentences = text_tensors(birds.captions.features(birds.captions.rows(birds.train))).sentence
    scores = matcher.image_codes(descriptions[0]) @ matcher.text_codes(sentences).T
    right = (scores.argmax(1) == torch.arange(48)).float().mean()
    assert right > 0.5


def test_matcher_sees_mirrored_pictures_with_mirrored_captions(birds: Birds) -> None:
    seen: list[np.ndarray] = []

    def describe(images: Tensor) -> Tensor:
        seen.append(images.numpy())
        return torch.randn(len(images), TextImageMatcher(384).image_norm.normalized_shape[0])

    progress: list[tuple[int, int]] = []
    train_matcher(
        birds.images,
        birds.captions,
        birds.train[:8],
        describe,
        seed=1,
        num_views=2,
        num_steps=1,
        on_progress=lambda *state: progress.append(state),
    )
    plain, mirrored = seen
    np.testing.assert_array_equal(mirrored, plain[:, :, :, ::-1])
    assert progress == [(8, 16), (16, 16)]
