import pytest
import torch

from creativeai.models.conditioning import sentence_tensors
from creativeai.models.stackgan_v2 import StackGanV2Generator, stackgan_v2_discriminator


def small_generator(num_stages: int) -> StackGanV2Generator:
    return StackGanV2Generator(6, 10, 4, 4, num_stages, num_residual=1)


@pytest.mark.parametrize(("num_stages", "resolutions"), [(1, (64,)), (2, (64, 128)), (3, (64, 128, 256))])
def test_every_stage_draws_its_picture(num_stages: int, resolutions: tuple[int, ...]) -> None:
    generator = small_generator(num_stages)
    assert generator.resolutions == resolutions
    images = generator(torch.randn(2, 10), sentence_tensors(torch.randn(2, 10))).images
    assert tuple(image.shape[-1] for image in images) == resolutions


def test_pictures_are_their_formula() -> None:
    generator = small_generator(2).eval()
    noise, sentence = torch.randn(3, 10), torch.randn(3, 10)
    output = generator(noise, sentence_tensors(sentence))
    code, mean, log_variance = generator.augment(sentence, noise[:, 6:])
    assert torch.equal(output.mean, mean) and torch.equal(output.log_variance, log_variance)
    # The condition comes before the noise and before the map, as in the published weights.
    x = generator.initial(torch.cat([code, noise[:, :6]], dim=1))
    torch.testing.assert_close(output.images[0], generator.to_image[0](x))
    stage = generator.refine[0]
    joined = torch.cat([code.view(3, 4, 1, 1).repeat(1, 1, 64, 64), x], dim=1)
    x = stage.upsample(stage.residual(stage.joint(joined)))
    assert x.shape == (3, 2, 128, 128)  # half the channels
    torch.testing.assert_close(output.images[1], generator.to_image[1](x))


def test_discriminator_takes_the_condition_first() -> None:
    discriminator = stackgan_v2_discriminator(64, 2, 4)
    assert discriminator.condition_first and discriminator.has_unconditional
