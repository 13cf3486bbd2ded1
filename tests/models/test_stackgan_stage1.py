import torch

from creativeai.models.conditioning import sentence_tensors
from creativeai.models.stackgan_stage1 import StackGanStage1Generator, stackgan_stage1_discriminator


def test_picture_is_its_formula() -> None:
    generator = StackGanStage1Generator(6, 10, 4, width=4).eval()
    noise, sentence = torch.randn(3, 10), torch.randn(3, 10)
    output = generator(noise, sentence_tensors(sentence))
    code, mean, log_variance = generator.augment(sentence, noise[:, 6:])
    assert torch.equal(output.mean, mean) and torch.equal(output.log_variance, log_variance)
    # The noise comes before the condition, as in the published weights.
    image = generator.to_image(generator.stage(torch.cat([noise[:, :6], code], dim=1)))
    torch.testing.assert_close(output.images[0], image)


def test_mean_and_variance_are_of_a_relu() -> None:
    generator = StackGanStage1Generator(6, 10, 4, width=4)
    output = generator(torch.randn(30, 10), sentence_tensors(100 * torch.randn(30, 10)))
    for tensor in (output.mean, output.log_variance):
        assert tensor.min() == 0 and tensor.max() > 0


def test_discriminator_judges_with_the_condition_only() -> None:
    assert not stackgan_stage1_discriminator(2, 4).has_unconditional
