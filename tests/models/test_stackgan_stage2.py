import pytest
import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors, sentence_tensors
from creativeai.models.gan_cls import GanClsGenerator
from creativeai.models.stackgan_stage1 import StackGanStage1Generator
from creativeai.models.stackgan_stage2 import StackGanStage2Generator, stackgan_stage2_discriminator
from creativeai.models.stackgan_v2 import StackGanV2Generator
from creativeai.models.wgan_cls import WganClsGenerator

TEXT_DIM, CODE_DIM = 10, 4


def make_stage1() -> StackGanStage1Generator:
    return StackGanStage1Generator(6, TEXT_DIM, CODE_DIM, width=2)


def over(stage1: nn.Module, num_upsamplings: int = 3) -> StackGanStage2Generator:
    return StackGanStage2Generator(stage1, TEXT_DIM, CODE_DIM, 4, 1, num_upsamplings)


def random_inputs(generator: StackGanStage2Generator, batch: int) -> tuple[Tensor, TextTensors]:
    return torch.randn(batch, generator.noise_dim), sentence_tensors(torch.randn(batch, TEXT_DIM))


@pytest.mark.parametrize(
    "stage1", [make_stage1(), WganClsGenerator(5, TEXT_DIM, 3, 2), GanClsGenerator(7, TEXT_DIM, 3, 2)]
)
def test_any_generator_of_64_px_can_be_the_first_stage(stage1: nn.Module) -> None:
    generator = over(stage1)
    noise, text = random_inputs(generator, 2)
    small, large = generator(noise, text).images
    # Its noise comes first, then this stage's epsilon.
    assert generator.noise_dim == stage1.noise_dim + CODE_DIM
    assert torch.equal(small, stage1(noise[:, : stage1.noise_dim], text).images[0])
    assert large.shape == (2, 3, 128, 128)


def test_four_upsamplings_end_at_256() -> None:
    generator = over(make_stage1(), num_upsamplings=4)
    assert generator.resolutions == (64, 256)
    assert generator(*random_inputs(generator, 1)).images[1].shape == (1, 3, 256, 256)


def test_first_stage_stays_as_it_is() -> None:
    stage1 = make_stage1()
    before = {name: tensor.clone() for name, tensor in stage1.state_dict().items()}
    generator = over(stage1).train().requires_grad_(True)
    assert generator.training and generator.encoder.training
    assert not any(module.training for module in stage1.modules())
    optimizer = torch.optim.SGD([weight for weight in generator.parameters() if weight.requires_grad], lr=1.0)
    for image in generator(*random_inputs(generator, 4)).images:
        if image.requires_grad:
            image.square().sum().backward()
    optimizer.step()
    assert all(weight.grad is None and not weight.requires_grad for weight in stage1.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in stage1.state_dict().items())
    assert all(weight.grad.any() for weight in generator.encoder.parameters())


def test_frozen_weights_are_not_counted_among_the_trained() -> None:
    stage1 = make_stage1()
    frozen = set(stage1.parameters())
    trained = {weight for weight in over(stage1).parameters() if weight.requires_grad}
    assert trained and not trained & frozen


def test_mean_is_of_the_second_augmentation() -> None:
    generator = over(make_stage1()).eval()
    noise, text = random_inputs(generator, 2)
    output = generator(noise, text)
    code, mean, log_variance = generator.augment(text.sentence, noise[:, -CODE_DIM:])
    assert torch.equal(output.mean, mean) and torch.equal(output.log_variance, log_variance)
    encoded = generator.encoder(output.images[0])
    assert encoded.shape == (2, 16, 16, 16)
    joined = torch.cat([encoded, code.view(2, CODE_DIM, 1, 1).repeat(1, 1, 16, 16)], dim=1)
    image = generator.to_image(generator.upsample(generator.residual(generator.joint(joined))))
    torch.testing.assert_close(output.images[1], image)


def test_first_stage_of_another_size_is_refused() -> None:
    stage1 = StackGanV2Generator(6, TEXT_DIM, CODE_DIM, 2, 2, 1)
    with pytest.raises(
        ValueError, match=r"stage1 makes pictures of \(64, 128\) px: take a generator of 64 px"
    ):
        over(stage1)


def test_too_few_upsamplings_are_refused() -> None:
    with pytest.raises(ValueError, match="num_upsamplings=2 does not enlarge 64 px: take 3 or more"):
        over(make_stage1(), num_upsamplings=2)


def test_discriminator_judges_with_and_without_the_condition() -> None:
    assert stackgan_stage2_discriminator(128, 2, CODE_DIM).has_unconditional
