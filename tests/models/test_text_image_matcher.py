import numpy as np
import torch
from torch import Tensor

from creativeai.models.conditioning import TextTensors
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.text_image_matcher import (
    DescriptionLayout,
    TextImageMatcher,
    describe_images,
    matching_loss,
)

LAYOUT = DescriptionLayout(thumbnail=4, grids=(4, 2, 1, 1))


def features_of(batch: int) -> list[Tensor]:
    sizes = zip(FEATURE_CHANNELS, (8, 4, 2, 1), strict=True)
    return [torch.randn(batch, channels, side, side) for channels, side in sizes]


def tiny_matcher() -> TextImageMatcher:
    torch.manual_seed(0)
    return TextImageMatcher(20, text_dim=12, code_dim=16, hidden_dim=32, word_dim=6).eval()


def text_of(*lengths: int) -> TextTensors:
    """Captions of so many words, the longest first or not, with garbage behind the shorter ones."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return TextTensors(torch.randn(len(lengths), 12), torch.randn(*mask.shape, 12), mask)


def test_loss_is_symmetric_infonce() -> None:
    images, texts = torch.randn(5, 7, dtype=torch.double), torch.randn(5, 7, dtype=torch.double)
    similarity = 3.0 * images @ texts.T
    expected = torch.zeros((), dtype=torch.double)
    for i in range(5):
        right = similarity[i, i].exp()
        expected -= (right / similarity[i].exp().sum()).log() / 10
        expected -= (right / similarity[:, i].exp().sum()).log() / 10
    torch.testing.assert_close(matching_loss(images, texts, 3.0), expected)


def test_caption_that_reads_the_same_counts_as_wrong_for_nobody() -> None:
    images, texts = torch.randn(3, 4), torch.randn(3, 4)
    same = torch.eye(3, dtype=torch.bool)
    same[0, 2] = same[2, 0] = True
    s = np.exp((2.0 * images @ texts.T).double().numpy())
    rows = [s[0, :2], s[1], s[2, 1:]]
    columns = [s[:2, 0], s[:, 1], s[1:, 2]]
    expected = -np.mean(
        [np.log(s[i, i] / rows[i].sum()) + np.log(s[i, i] / columns[i].sum()) for i in range(3)]
    )
    assert abs(matching_loss(images, texts, 2.0, same_text=same).item() - expected / 2) < 1e-5


def test_swapped_caption_is_one_more_wrong_one_and_must_lose_by_itself() -> None:
    images, texts, swapped = (torch.randn(3, 4, dtype=torch.double) for _ in range(3))
    has_swap = torch.tensor([True, False, True])
    loss = matching_loss(images, texts, 2.0, swapped_codes=swapped, has_swap=has_swap)
    s, against = (2.0 * images @ texts.T).numpy(), (2.0 * (images * swapped).sum(1)).numpy()
    expected = 0.0
    for i in range(3):
        others = np.exp(s[i]).sum() + (np.exp(against[i]) if has_swap[i] else 0)
        expected -= (np.log(np.exp(s[i, i]) / others) + np.log(np.exp(s[i, i]) / np.exp(s[:, i]).sum())) / 6
    expected += np.mean([np.log1p(np.exp(against[i] - s[i, i])) for i in (0, 2)]) / 2
    assert abs(loss.item() - expected) < 1e-9


def test_description_is_thumbnail_grids_means_and_deviations() -> None:
    images, features = torch.randn(3, 3, 32, 32), features_of(3)
    description = describe_images(images, features, LAYOUT)
    assert description.shape == (3, LAYOUT.length(FEATURE_CHANNELS))
    thumbnail = images.unfold(2, 8, 8).unfold(3, 8, 8).mean((4, 5)).flatten(1)
    torch.testing.assert_close(description[:, :48], thumbnail)
    fine = features[0]
    grid = fine.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)).flatten(1)
    torch.testing.assert_close(description[:, 48 : 48 + 24 * 16], grid)
    start = description.shape[1] - 2 * sum(FEATURE_CHANNELS)
    torch.testing.assert_close(description[:, start : start + 24], fine.mean((2, 3)))
    deviations = fine.flatten(2).std(2, unbiased=False)
    torch.testing.assert_close(description[:, start + 24 : start + 48], deviations, atol=1e-4, rtol=1e-4)


def test_description_of_flat_features_has_a_finite_gradient() -> None:
    flat = [torch.ones_like(feature, requires_grad=True) for feature in features_of(2)]
    describe_images(torch.zeros(2, 3, 32, 32), flat, LAYOUT).sum().backward()
    assert all(feature.grad.isfinite().all() for feature in flat)


def test_codes_are_unit_vectors_of_one_length() -> None:
    matcher = tiny_matcher()
    images = matcher.image_codes(torch.randn(4, 20))
    texts = matcher.text_codes(text_of(5, 1, 3, 5))
    assert images.shape == texts.shape == (4, 16)
    torch.testing.assert_close(torch.cat([images, texts]).norm(dim=1), torch.ones(8))


def test_order_of_the_words_counts_and_empty_places_do_not() -> None:
    matcher, text = tiny_matcher(), text_of(3)
    forward = matcher.text_codes(text)
    assert not torch.allclose(forward, matcher.text_codes(text._replace(words=text.words.flip(1))), atol=1e-3)
    longer = text_of(3, 5)
    longer.sentence[0], longer.words[0, :3] = text.sentence[0], text.words[0]
    torch.testing.assert_close(matcher.text_codes(longer)[:1], forward)


def test_caption_without_a_known_word_has_a_code() -> None:
    text = text_of(0, 1)
    codes = tiny_matcher().text_codes(text._replace(words=torch.zeros_like(text.words)))
    assert codes.isfinite().all()
