import pytest
import torch

from creativeai.models.conditioning import sentence_tensors
from creativeai.models.df_gan import DfGanGenerator


@pytest.fixture
def generator() -> DfGanGenerator:
    return DfGanGenerator(z_dim=5, text_dim=7, width=2, num_blocks=4)


def test_picture_of_noise_and_sentence(generator: DfGanGenerator) -> None:
    noise, sentence = torch.randn(3, 5), torch.randn(3, 7)
    out = generator(noise, sentence_tensors(sentence))
    [image] = out.images
    assert image.shape == (3, 3, 64, 64) and generator.resolutions == (64,)
    assert generator.noise_dim == 5 and generator.text_dim == 7
    assert image.abs().max() <= 1 and out.attention == () and out.mean is None
    alone = generator(noise[1:2], sentence_tensors(sentence[1:2])).images[0]
    torch.testing.assert_close(alone[0], image[1], rtol=1e-4, atol=1e-5)


def test_channels_halve_from_the_eighth_fold_down() -> None:
    generator = DfGanGenerator(z_dim=5, text_dim=7, width=32, num_blocks=6)
    assert generator.fc.out_features == 16 * 256
    widths = [block.get_submodule("conv2").out_channels for block in generator.blocks]
    assert widths == [256, 256, 256, 128, 64, 32]
    assert sum(weight.numel() for weight in DfGanGenerator(100, 256, 32, 6).parameters()) == 9_744_131


def test_untrained_modulation_is_the_identity(generator: DfGanGenerator) -> None:
    """Scale 1 and shift 0 whatever the sentence, which so changes nothing before training."""
    noise = torch.randn(2, 5)
    one = generator(noise, sentence_tensors(torch.randn(2, 7))).images[0]
    other = generator(noise, sentence_tensors(torch.randn(2, 7))).images[0]
    torch.testing.assert_close(one, other)


def test_sentence_and_noise_reach_the_picture_and_gradient_every_weight(generator: DfGanGenerator) -> None:
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    noise, sentence = torch.randn(2, 5), torch.randn(2, 7)
    image = generator(noise, sentence_tensors(sentence)).images[0]
    assert not torch.allclose(generator(noise, sentence_tensors(sentence + 1)).images[0], image)
    assert not torch.allclose(generator(noise + 1, sentence_tensors(sentence)).images[0], image)
    image.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in generator.parameters())
