import numpy as np
import torch

from creativeai.models.layers.word_attention import WordAttention

LENGTHS = (3, 2, 5)


def mask_of(*lengths: int, num_words: int = 5) -> torch.Tensor:
    return torch.arange(num_words) < torch.tensor(lengths)[:, None]


def test_attention_is_its_formula() -> None:
    attend = WordAttention(4, 6).double()
    x = torch.randn(3, 4, 2, 3, dtype=torch.double)
    words = torch.randn(3, 5, 6, dtype=torch.double)
    context, attention = attend(x, words, mask_of(*LENGTHS))
    projection = attend.project.weight.detach().numpy()[:, :, 0, 0]
    for b, length in enumerate(LENGTHS):
        sources = words[b, :length].numpy() @ projection.T  # [length, C]
        for row in range(2):
            for column in range(3):
                scores = np.exp(sources @ x[b, :, row, column].numpy())
                expected = scores / scores.sum()
                np.testing.assert_allclose(attention[b, :length, row, column].detach(), expected)
                np.testing.assert_allclose(context[b, :, row, column].detach(), expected @ sources)
        assert not attention[b, length:].any()


def test_every_caption_of_a_batch_has_its_own_mask() -> None:
    # The published code's mask was right for a single caption only (AttnGAN's issue 93).
    attend = WordAttention(4, 6)
    x, words = torch.randn(3, 4, 8, 8), torch.randn(3, 5, 6)
    context, attention = attend(x, words, mask_of(*LENGTHS))
    for b, length in enumerate(LENGTHS):
        everything = torch.ones(1, length, dtype=torch.bool)
        alone, attention_alone = attend(x[b : b + 1], words[b : b + 1, :length], everything)
        torch.testing.assert_close(context[b : b + 1], alone, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(attention[b : b + 1, :length], attention_alone, atol=1e-5, rtol=1e-5)


def test_attention_sums_to_one_even_where_scores_are_extreme() -> None:
    attend = WordAttention(4, 6)
    _, attention = attend(1e4 * torch.randn(2, 4, 3, 3), 1e4 * torch.randn(2, 5, 6), mask_of(5, 2))
    torch.testing.assert_close(attention.sum(1), torch.ones(2, 3, 3))
    assert not attention[1, 2:].any()


def test_caption_without_a_word_sees_nothing() -> None:
    attend = WordAttention(4, 6)
    x = torch.randn(2, 4, 3, 3, requires_grad=True)
    context, attention = attend(x, torch.randn(2, 5, 6), mask_of(0, 2))
    assert not context[0].any() and not attention[0].any()
    assert context[1].any()
    context.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()
    assert attend.project.weight.grad.isfinite().all()


def test_batch_without_words_sees_nothing() -> None:
    context, attention = WordAttention(4, 6)(
        torch.randn(2, 4, 3, 3), torch.zeros(2, 0, 6), mask_of(0, 0, num_words=0)
    )
    assert context.shape == (2, 4, 3, 3) and not context.any()
    assert attention.shape == (2, 0, 3, 3)
