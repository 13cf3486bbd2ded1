"""What all generators of the classic family have in common."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from creativeai.models.attngan import AttnGanGenerator
from creativeai.models.conditioning import TextTensors
from creativeai.models.gan_cls import GanClsGenerator
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.conditioning_augmentation import kl_divergence
from creativeai.models.layers.norm import GeneratorNorm
from creativeai.models.layers.virtual_batch_norm import reference_rows
from creativeai.models.stackgan_stage1 import StackGanStage1Generator
from creativeai.models.stackgan_stage2 import StackGanStage2Generator
from creativeai.models.stackgan_v2 import StackGanV2Generator
from creativeai.models.wgan_cls import WganClsGenerator

Z_DIM, TEXT_DIM, CODE_DIM, NUM_WORDS = 6, 10, 4, 5


def gan_cls(norm: GeneratorNorm) -> nn.Module:
    return GanClsGenerator(Z_DIM, TEXT_DIM, CODE_DIM, width=2, norm=norm)


def wgan_cls(norm: GeneratorNorm) -> nn.Module:
    return WganClsGenerator(Z_DIM, TEXT_DIM, CODE_DIM, width=2, norm=norm)


def stackgan_stage1(norm: GeneratorNorm) -> nn.Module:
    return StackGanStage1Generator(Z_DIM, TEXT_DIM, CODE_DIM, width=4, norm=norm)


def stackgan_stage2(norm: GeneratorNorm) -> nn.Module:
    return StackGanStage2Generator(
        settled(wgan_cls("batch")), TEXT_DIM, CODE_DIM, width=2, num_residual=1, num_upsamplings=3, norm=norm
    )


def stackgan_v2(norm: GeneratorNorm) -> nn.Module:
    return StackGanV2Generator(Z_DIM, TEXT_DIM, CODE_DIM, width=4, num_stages=2, num_residual=1, norm=norm)


def attngan(norm: GeneratorNorm) -> nn.Module:
    return AttnGanGenerator(Z_DIM, TEXT_DIM, CODE_DIM, width=2, num_stages=2, num_residual=1, norm=norm)


def attndcgan(norm: GeneratorNorm) -> nn.Module:
    return AttnGanGenerator(
        Z_DIM, TEXT_DIM, CODE_DIM, width=2, num_stages=2, num_residual=0, norm=norm, last_image_only=True
    )


Make = Callable[[GeneratorNorm], nn.Module]
GENERATORS: dict[Make, tuple[int, tuple[int, ...]]] = {
    gan_cls: (Z_DIM, (64,)),
    wgan_cls: (Z_DIM + CODE_DIM, (64,)),
    stackgan_stage1: (Z_DIM + CODE_DIM, (64,)),
    stackgan_stage2: (Z_DIM + 2 * CODE_DIM, (64, 128)),
    stackgan_v2: (Z_DIM + CODE_DIM, (64, 128)),
    attngan: (Z_DIM + CODE_DIM, (64, 128)),
    attndcgan: (Z_DIM + CODE_DIM, (128,)),
}
every_generator = pytest.mark.parametrize("make", GENERATORS, ids=lambda make: make.__name__)
every_norm = pytest.mark.parametrize("norm", ["batch", "virtual"])


def random_inputs(generator: nn.Module, batch: int) -> tuple[Tensor, TextTensors]:
    lengths = torch.arange(batch) % NUM_WORDS + 1
    text = TextTensors(
        torch.randn(batch, TEXT_DIM),
        torch.randn(batch, NUM_WORDS, TEXT_DIM),
        torch.arange(NUM_WORDS) < lengths[:, None],
    )
    return torch.randn(batch, generator.noise_dim), text


def part(text: TextTensors, rows: slice) -> TextTensors:
    return TextTensors(*(tensor[rows] for tensor in text))


def settled(generator: nn.Module) -> nn.Module:
    """In evaluation mode, with the statistics of one batch."""
    for module in generator.train().modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None  # the average of all batches so far
    with torch.no_grad(), reference_rows(generator, 8):
        generator(*random_inputs(generator, 8))
    return generator.eval()


@every_generator
@every_norm
def test_output_is_what_the_generator_says(make: Make, norm: GeneratorNorm) -> None:
    generator = settled(make(norm))
    assert (generator.noise_dim, generator.resolutions) == GENERATORS[make]
    with torch.no_grad():
        output: GeneratorOutput = generator(*random_inputs(generator, 3))
    assert [image.shape for image in output.images] == [(3, 3, side, side) for side in generator.resolutions]
    assert all(0 < image.abs().max() <= 1 for image in output.images)
    if make is gan_cls:
        assert output.mean is None and output.log_variance is None
    else:
        assert output.mean.shape == output.log_variance.shape == (3, CODE_DIM)
    attends = make in (attngan, attndcgan)
    assert [attention.shape for attention in output.attention] == [(3, NUM_WORDS, 64, 64)] * attends


@every_generator
def test_gradients_reach_every_parameter(make: Make) -> None:
    generator = make("batch").train()
    output = generator(*random_inputs(generator, 6))
    loss = sum((image * torch.randn_like(image)).sum() for image in output.images)
    if output.mean is not None:
        loss = loss + kl_divergence(output.mean, output.log_variance)
    loss.backward()
    trained = {name: weight for name, weight in generator.named_parameters() if weight.requires_grad}
    assert trained
    without = [name for name, weight in trained.items() if weight.grad is None or not weight.grad.any()]
    assert not without


@every_generator
@every_norm
def test_picture_does_not_depend_on_its_companions(make: Make, norm: GeneratorNorm) -> None:
    generator = settled(make(norm))
    noise, text = random_inputs(generator, 4)
    with torch.no_grad():
        together = generator(noise, text)
        alone = generator(noise[2:3], part(text, slice(2, 3)))
    for ours, theirs in zip(together.images, alone.images, strict=True):
        torch.testing.assert_close(ours[2:3], theirs, atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(together.attention, alone.attention, strict=True):
        torch.testing.assert_close(ours[2:3], theirs, atol=1e-5, rtol=1e-5)


@every_generator
def test_nothing_is_drawn_within(make: Make) -> None:
    generator = make("batch").train()
    inputs = random_inputs(generator, 4)
    with torch.no_grad():
        first, second = generator(*inputs), generator(*inputs)
    for ours, theirs in zip(first.images, second.images, strict=True):
        assert torch.equal(ours, theirs)


@every_generator
def test_sentence_and_every_number_of_the_noise_change_the_picture(make: Make) -> None:
    generator = settled(make("batch"))
    noise, text = random_inputs(generator, 1)
    num = generator.noise_dim
    changed = noise + torch.eye(num)
    with torch.no_grad():
        image = generator(noise, text).images[-1]
        of_noise = generator(changed, text.repeated(num)).images[-1]
        of_text = generator(noise, text._replace(sentence=-text.sentence)).images[-1]
    assert (of_noise - image).abs().amax((1, 2, 3)).min() > 1e-3
    assert (of_text - image).abs().max() > 1e-3


@every_generator
def test_compiler_takes_it_whole(make: Make) -> None:
    generator = settled(make("batch"))
    inputs = random_inputs(generator, 2)
    compiled = torch.compile(generator, backend="eager", fullgraph=True, dynamic=False)
    with torch.no_grad():
        for ours, theirs in zip(compiled(*inputs).images, generator(*inputs).images, strict=True):
            torch.testing.assert_close(ours, theirs)
