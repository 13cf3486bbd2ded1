import copy
import io

import pytest
import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm
from creativeai.recipes.stabilisers.reference_batch import ReferenceBatch, generate_with_reference

NOISE_DIM, TEXT_DIM, NUM_WORDS = 5, 6, 3


def random_text(batch: int) -> TextTensors:
    words = torch.randn(batch, NUM_WORDS, TEXT_DIM)
    return TextTensors(torch.randn(batch, TEXT_DIM), words, torch.rand(batch, NUM_WORDS) > 0.5)


def filled(size: int = 4) -> ReferenceBatch:
    reference = ReferenceBatch(size)
    reference.fill(torch.randn(6, 3, 8, 8), torch.randn(6, NOISE_DIM), random_text(6))
    return reference


class TinyGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(NOISE_DIM + TEXT_DIM, 3 * 16)
        self.norm = VirtualBatchNorm(3)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        both = torch.cat([noise, text.sentence], dim=1)
        image = self.norm(self.map(both).view(-1, 3, 4, 4))
        return GeneratorOutput((image, image * 2), (text.words[..., None],), text.sentence, -text.sentence)


def test_it_keeps_the_first_examples_of_the_first_batch_for_good() -> None:
    reference = ReferenceBatch(4)
    images, noise, text = torch.randn(6, 3, 8, 8), torch.randn(6, NOISE_DIM), random_text(6)
    reference.fill(images, noise, text)
    reference.fill(-images, -noise, random_text(6))
    assert torch.equal(reference.images, images[:4])
    assert torch.equal(reference.noise, noise[:4])
    assert all(torch.equal(ours, given[:4]) for ours, given in zip(reference.text, text, strict=True))
    images.zero_()
    assert reference.images.any(), "it must be a copy"


def test_too_small_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 3 is too small for a reference of 4"):
        ReferenceBatch(4).fill(torch.randn(3, 3, 8, 8), torch.randn(3, NOISE_DIM), random_text(3))


@pytest.mark.parametrize("is_empty", [False, True])
def test_it_goes_on_from_a_checkpoint(is_empty: bool) -> None:
    reference = ReferenceBatch(4) if is_empty else filled()
    holder, file = nn.ModuleDict({"reference": reference}), io.BytesIO()
    torch.save(holder.state_dict(), file)
    file.seek(0)
    other = nn.ModuleDict({"reference": ReferenceBatch(4)})
    other.load_state_dict(torch.load(file, weights_only=True))
    for name, tensor in reference.state_dict().items():
        assert torch.equal(other["reference"].state_dict()[name], tensor)
    other["reference"].fill(torch.zeros(6, 3, 8, 8), torch.zeros(6, NOISE_DIM), random_text(6))
    assert (other["reference"].images == 0).all() == is_empty


def test_a_generators_pass_gives_the_batch_alone_and_none_depends_on_another() -> None:
    generator, reference = TinyGenerator(), filled()
    noise, text = torch.randn(5, NOISE_DIM), random_text(5)
    output = generate_with_reference(generator, generator, noise, text, reference)
    assert [len(image) for image in output.images] == [5, 5]
    assert torch.equal(output.attention[0][..., 0], text.words)
    assert output.mean is not None and output.log_variance is not None
    assert torch.equal(output.mean, text.sentence) and torch.equal(output.log_variance, -text.sentence)
    last = TextTensors(*(tensor[4:] for tensor in text))
    alone = generate_with_reference(generator, generator, noise[4:], last, reference)
    torch.testing.assert_close(alone.images[1], output.images[1][4:])
    # The averaged copy draws the same in evaluation, where there is no reference.
    drawn = copy.deepcopy(generator).eval()(noise, text)
    torch.testing.assert_close(drawn.images[1], output.images[1])
