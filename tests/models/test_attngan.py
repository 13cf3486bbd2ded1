import pytest
import torch

from creativeai.models.attngan import AttnGanGenerator, attngan_discriminator
from creativeai.models.conditioning import TextTensors

LENGTHS = (3, 2, 5)


def small_generator(num_stages: int = 3, *, last_image_only: bool = False) -> AttnGanGenerator:
    return AttnGanGenerator(6, 10, 4, 2, num_stages, num_residual=1, last_image_only=last_image_only)


def captions(*lengths: int) -> TextTensors:
    batch, num_words = len(lengths), 5
    mask = torch.arange(num_words) < torch.tensor(lengths)[:, None]
    return TextTensors(torch.randn(batch, 10), 3 * torch.randn(batch, num_words, 10), mask)


def test_each_caption_of_a_batch_is_drawn_as_alone() -> None:
    # The published code's mask mixed up the captions of a batch (AttnGAN's issue 93).
    generator = small_generator().eval()
    noise, text = torch.randn(3, generator.noise_dim), captions(*LENGTHS)
    with torch.no_grad():
        together = generator(noise, text)
        for row, length in enumerate(LENGTHS):
            caption = TextTensors(
                text.sentence[row : row + 1],
                text.words[row : row + 1, :length],
                torch.ones(1, length, dtype=torch.bool),
            )
            alone = generator(noise[row : row + 1], caption)
            for ours, theirs in zip(together.images, alone.images, strict=True):
                torch.testing.assert_close(ours[row : row + 1], theirs, atol=1e-5, rtol=1e-5)
            for ours, theirs in zip(together.attention, alone.attention, strict=True):
                torch.testing.assert_close(ours[row : row + 1, :length], theirs, atol=1e-5, rtol=1e-5)
                assert not ours[row, length:].any()


def test_words_change_all_but_the_first_picture() -> None:
    generator = small_generator().eval()
    noise, text = torch.randn(1, generator.noise_dim), captions(4)
    with torch.no_grad():
        before = generator(noise, text).images
        after = generator(noise, text._replace(words=-text.words)).images
        padding = text.words + 7 * ~text.mask[:, :, None]
        unchanged = generator(noise, text._replace(words=padding)).images
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, False]
    assert all(torch.equal(a, b) for a, b in zip(before, unchanged, strict=True))


def test_caption_without_a_known_word_is_drawn() -> None:
    generator = small_generator(2).train()
    output = generator(torch.randn(3, generator.noise_dim), captions(0, 3, 0))
    sum(image.sum() for image in output.images).backward()
    assert all(image.isfinite().all() for image in output.images)
    assert all(weight.grad.isfinite().all() for weight in generator.parameters())


@pytest.mark.parametrize(
    ("num_stages", "last_image_only", "resolutions", "attended"),
    [
        (1, False, (64,), ()),
        (2, False, (64, 128), (64,)),
        (3, False, (64, 128, 256), (64, 128)),
        (3, True, (256,), (64, 128)),
    ],
)
def test_stages(
    num_stages: int, last_image_only: bool, resolutions: tuple[int, ...], attended: tuple[int, ...]
) -> None:
    generator = small_generator(num_stages, last_image_only=last_image_only)
    assert generator.resolutions == resolutions
    output = generator(torch.randn(2, generator.noise_dim), captions(5, 1))
    assert tuple(image.shape[-1] for image in output.images) == resolutions
    assert tuple(attention.shape[-1] for attention in output.attention) == attended


def test_pictures_are_their_formula() -> None:
    generator = small_generator(2).eval()
    noise, text = torch.randn(3, generator.noise_dim), captions(*LENGTHS)
    output = generator(noise, text)
    code, *_ = generator.augment(text.sentence, noise[:, 6:])
    # The condition comes before the noise, the map before the words, as in the published weights.
    x = generator.initial(torch.cat([code, noise[:, :6]], dim=1))
    torch.testing.assert_close(output.images[0], generator.to_image[0](x))
    stage = generator.attend[0]
    context, attention = stage.attend(x, text.words, text.mask)
    x = stage.upsample(stage.residual(torch.cat([x, context], dim=1)))
    assert x.shape == (3, 2, 128, 128)  # as many channels as before
    torch.testing.assert_close(output.images[1], generator.to_image[1](x))
    torch.testing.assert_close(output.attention[0], attention)


def test_discriminator_of_the_one_picture_form_judges_with_the_sentence_only() -> None:
    assert attngan_discriminator(64, 2, 10).has_unconditional
    assert not attngan_discriminator(64, 2, 10, has_unconditional=False).has_unconditional
