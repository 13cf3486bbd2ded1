import torch
from torch import Tensor

from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.text_image_matcher import TextImageMatcher, describe_images, matching_loss


def features_of(batch: int) -> list[Tensor]:
    sizes = zip(FEATURE_CHANNELS, (8, 4, 2, 1), strict=True)
    return [torch.randn(batch, channels, side, side) for channels, side in sizes]


def test_loss_is_symmetric_infonce() -> None:
    images, texts = torch.randn(5, 7, dtype=torch.double), torch.randn(5, 7, dtype=torch.double)
    similarity = 3.0 * images @ texts.T
    expected = torch.zeros((), dtype=torch.double)
    for i in range(5):
        right = similarity[i, i].exp()
        expected -= (right / similarity[i].exp().sum()).log() / 10
        expected -= (right / similarity[:, i].exp().sum()).log() / 10
    torch.testing.assert_close(matching_loss(images, texts, 3.0), expected)


def test_description_is_thumbnail_means_and_deviations() -> None:
    images, features = torch.randn(3, 3, 32, 32), features_of(3)
    description = describe_images(images, features)
    thumbnail = images.unfold(2, 8, 8).unfold(3, 8, 8).mean((4, 5)).flatten(1)
    torch.testing.assert_close(description[:, :48], thumbnail)
    fine = features[0].flatten(2)
    torch.testing.assert_close(description[:, 48:72], fine.mean(2))
    torch.testing.assert_close(description[:, 72:96], fine.std(2, unbiased=False), atol=1e-4, rtol=1e-4)
    assert description.shape == (3, 48 + 2 * sum(FEATURE_CHANNELS))


def test_description_of_flat_features_has_a_finite_gradient() -> None:
    flat = [torch.ones_like(feature, requires_grad=True) for feature in features_of(2)]
    describe_images(torch.zeros(2, 3, 32, 32), flat).sum().backward()
    assert all(feature.grad.isfinite().all() for feature in flat)


def test_codes_are_unit_vectors_of_one_length() -> None:
    matcher = TextImageMatcher(text_dim=12, code_dim=16, hidden_dim=32).eval()
    images = matcher.image_codes(describe_images(torch.randn(4, 3, 32, 32), features_of(4)))
    texts = matcher.text_codes(torch.randn(4, 12))
    assert images.shape == texts.shape == (4, 16)
    torch.testing.assert_close(torch.cat([images, texts]).norm(dim=1), torch.ones(8))
