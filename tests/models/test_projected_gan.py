import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors, sentence_tensors
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.layers.text_standardiser import TextStandardiser
from creativeai.models.projected_gan import (
    ProjectedDiscriminator,
    ProjectedGenerator,
    RandomFeatureMixing,
)
from creativeai.recipes.projected_gan import PRESETS

NOISE_DIM, TEXT_DIM = 8, 12
SIDES = (16, 8, 4, 2)


def small_generator() -> ProjectedGenerator:
    return ProjectedGenerator(32, (16, 16, 8), (1, 2, 1), NOISE_DIM, TEXT_DIM, style_dim=16)


def small_discriminator() -> ProjectedDiscriminator:
    return ProjectedDiscriminator(TEXT_DIM, SIDES, width=16, code_dim=8)


def random_inputs(batch: int) -> tuple[Tensor, TextTensors]:
    return torch.randn(batch, NOISE_DIM), sentence_tensors(F.normalize(torch.randn(batch, TEXT_DIM)))


def random_features(batch: int) -> list[Tensor]:
    sizes = zip(FEATURE_CHANNELS, SIDES, strict=True)
    return [torch.randn(batch, channels, side, side) for channels, side in sizes]


def random_images(batch: int) -> Tensor:
    return torch.randn(batch, 3, 4 * SIDES[0], 4 * SIDES[0])


def test_standardiser_takes_out_mean_and_scale() -> None:
    standardiser = TextStandardiser(TEXT_DIM)
    sentences = torch.randn(50, TEXT_DIM) * 0.03 + 7
    standardiser.fit(sentences)
    standard = standardiser(sentences)
    torch.testing.assert_close(standard.mean(0), torch.zeros(TEXT_DIM), atol=1e-3, rtol=0)
    torch.testing.assert_close(standard.square().mean(), torch.tensor(1.0))


def test_standardiser_stands_captions_that_are_all_the_same() -> None:
    standardiser = TextStandardiser(TEXT_DIM)
    sentences = F.normalize(torch.randn(1, TEXT_DIM)).repeat(5, 1)
    standardiser.fit(sentences)
    assert standardiser(sentences).abs().max() < 0.1
    assert standardiser(torch.randn(3, TEXT_DIM)).isfinite().all()


def test_generator_makes_a_picture_of_its_resolution() -> None:
    [images] = small_generator()(*random_inputs(3)).images
    assert images.shape == (3, 3, 32, 32)
    assert images.isfinite().all()


def test_generator_refuses_widths_that_miss_the_resolution() -> None:
    with pytest.raises(ValueError, match="3 widths end at 32 px, not 64"):
        ProjectedGenerator(64, (16, 16, 8), (1, 1, 1), NOISE_DIM, TEXT_DIM, 16)


def test_picture_does_not_depend_on_its_companions() -> None:
    generator = small_generator().eval()
    noise, text = random_inputs(5)
    with torch.no_grad():
        [together] = generator(noise, text).images
        [alone] = generator(noise[2:3], TextTensors(*(tensor[2:3] for tensor in text))).images
    torch.testing.assert_close(together[2:3], alone, atol=1e-5, rtol=1e-5)


def test_noise_within_blocks_is_fixed_outside_training() -> None:
    generator = small_generator()
    inputs = random_inputs(2)
    with torch.no_grad():
        first, second = (generator(*inputs).images[0] for _ in range(2))
        assert not torch.equal(first, second)
        generator.eval()
        first, second = (generator(*inputs).images[0] for _ in range(2))
        assert torch.equal(first, second)


def test_noise_and_sentence_both_change_the_picture() -> None:
    generator = small_generator().eval()
    noise, text = random_inputs(2)
    other_noise, other_text = random_inputs(2)
    with torch.no_grad():
        [images] = generator(noise, text).images
        assert (generator(other_noise, text).images[0] - images).abs().mean() > 0.01
        assert (generator(noise, other_text).images[0] - images).abs().mean() > 0.01


def test_compact_generator_fits_in_12_mb_of_half_precision() -> None:
    config = PRESETS["compact"]
    generator = ProjectedGenerator(
        config.resolution,
        config.channels,
        config.num_blocks,
        config.noise_dim,
        384,
        config.style_dim,
    )
    assert generator.resolutions == (128,)
    num_weights = sum(tensor.numel() for tensor in generator.state_dict().values())
    assert num_weights <= 6_000_000


def test_mixing_is_frozen_and_random() -> None:
    mixing, other = RandomFeatureMixing(), RandomFeatureMixing()
    assert not any(weight.requires_grad for weight in mixing.parameters())
    assert not torch.equal(mixing.across_channels[0].weight, other.across_channels[0].weight)
    features = random_features(2)
    mixed = mixing(features)
    assert [tuple(x.shape) for x in mixed] == [(2, 64, side, side) for side in SIDES]
    # About as large as what comes in, at every scale: no head starts deaf or shouted at.
    assert all(0.5 < x.std() < 2 for x in mixed)


def test_coarse_features_reach_every_finer_map() -> None:
    mixing = RandomFeatureMixing()
    features = random_features(1)
    before = mixing(features)
    after = mixing([*features[:3], features[3] + 1])
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(after, before, strict=True))
    after = mixing([features[0] + 1, *features[1:]])
    changed = [bool((a - b).abs().max() > 1e-6) for a, b in zip(after, before, strict=True)]
    assert changed == [True, False, False, False]


def test_every_convolution_of_a_head_has_spectral_norm_one() -> None:
    discriminator = small_discriminator().train()
    for _ in range(30):  # each forward pass is one step of the power iteration
        discriminator.codes(random_images(1), random_features(1))
    discriminator.eval()
    convolutions = [module for module in discriminator.heads.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) > 5 * 3
    for convolution in convolutions:
        norm = torch.linalg.matrix_norm(convolution.weight.flatten(1), 2)
        assert math.isclose(norm.item(), 1, abs_tol=0.05)


def test_logits_of_a_pair_do_not_depend_on_the_others() -> None:
    discriminator = small_discriminator().eval()
    images, features, sentence = random_images(4), random_features(4), torch.randn(4, TEXT_DIM)
    with torch.no_grad():
        together = discriminator.logits(discriminator.codes(images, features), sentence)
        codes = discriminator.codes(images[1:2], [x[1:2] for x in features])
        alone = discriminator.logits(codes, sentence[1:2])
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(ours[1:2], theirs, atol=1e-5, rtol=1e-5)


def test_logit_is_the_unconditional_one_plus_the_projection() -> None:
    discriminator = small_discriminator().eval()
    codes = discriminator.codes(random_images(2), random_features(2))
    sentence = torch.randn(2, TEXT_DIM)
    logits = discriminator.logits(codes, sentence)
    for (logit, code), embed, ours in zip(codes, discriminator.embed_text, logits, strict=True):
        embedded = embed(sentence)
        projection = torch.einsum("bkhw,bk->bhw", code, embedded) / math.sqrt(8)
        torch.testing.assert_close(ours, (logit[:, 0] + projection).flatten(1))


def test_one_head_tells_a_fine_grid_by_the_pixels_alone() -> None:
    discriminator = small_discriminator().eval()
    images, features = random_images(1) * 0.1, random_features(1)
    rows = torch.arange(images.shape[-1])
    grid = 0.2 * (1 - 2.0 * ((rows[:, None] + rows) % 2))
    with torch.no_grad():
        before, after = (discriminator.codes(x, features) for x in (images, images + grid))
    changed = [not torch.equal(a[0], b[0]) for a, b in zip(before, after, strict=True)]
    assert changed == [False, False, False, False, True]


def test_resolution_of_a_preset_is_checked() -> None:
    with pytest.raises(ValueError, match="give 128 px, not resolution=64"):
        replace(PRESETS["compact"], resolution=64)
