import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.evaluation import features as module
from creativeai.evaluation.features import FeatureExtractor, PictureFeatures, as_saved, to_side
from creativeai.models.efficientnet_lite import EfficientNetLite, load_efficientnet_lite
from creativeai.models.text_image_matcher import DescriptionLayout, describe_images


@pytest.fixture(scope="module")
def network() -> EfficientNetLite:
    return load_efficientnet_lite(2)


def pictures(num: int, side: int, seed: int = 0) -> Tensor:
    """Soft shapes with fine grain, as photos have both."""
    random = torch.Generator().manual_seed(seed)
    soft = F.interpolate(torch.randn(num, 3, 6, 6, generator=random), size=(side, side), mode="bicubic")
    return (soft * 0.6 + torch.randn(num, 3, side, side, generator=random) * 0.2).clamp(-1, 1)


def test_sides_are_the_networks_own(network: EfficientNetLite) -> None:
    extractor = FeatureExtractor(network)
    assert (extractor.side, extractor.reference_side) == (260, 128)
    assert FeatureExtractor(EfficientNetLite(0)).side == 224
    assert FeatureExtractor(network, side=96, reference_side=64).side == 96


def test_features_are_the_networks_of_the_prepared_picture(network: EfficientNetLite) -> None:
    images = pictures(3, 64)
    found = FeatureExtractor(network, side=96)(images)
    eight_bits = ((images + 1) / 2 * 255).round() / 255 * 2 - 1
    at_reference = F.interpolate(eight_bits, size=(128, 128), mode="bilinear")
    at_reference = ((at_reference + 1) / 2 * 255).round() / 255 * 2 - 1
    seen = F.interpolate(at_reference, size=(96, 96), mode="bicubic", antialias=True).clamp(-1, 1)
    maps = network(seen)
    torch.testing.assert_close(found.pooled, network.pool(maps[-1]), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(
        found.descriptions, describe_images(seen, maps, DescriptionLayout()), rtol=1e-3, atol=1e-3
    )


def test_a_larger_picture_is_seen_as_its_small_form_is(network: EfficientNetLite) -> None:
    """A model of 256 px has no finer grain to show than one of 128, and one of 64 none to lack.

    Before there was a reference size, each was seen with the detail of its own: the figures did not compare.
    """
    large = pictures(4, 256)
    small = as_saved(to_side(as_saved(large), 128))
    extractor = FeatureExtractor(network, side=128)
    torch.testing.assert_close(extractor(large).pooled, extractor(small).pooled, rtol=1e-4, atol=1e-4)
    own_size = FeatureExtractor(network, side=128, reference_side=256)
    difference = (own_size(large).pooled - own_size(small).pooled).norm() / extractor(small).pooled.norm()
    assert difference > 1e-3


def test_what_can_not_be_saved_is_not_seen(network: EfficientNetLite) -> None:
    extractor = FeatureExtractor(network, side=64)
    images = pictures(2, 32)
    saved = as_saved(images)
    assert saved.add(1).mul(127.5).sub(saved.add(1).mul(127.5).round()).abs().max() < 1e-4
    plain = extractor(saved).pooled
    torch.testing.assert_close(extractor(saved + 0.3 / 255).pooled, plain, rtol=0, atol=0)
    beyond = torch.where(saved > 0, torch.tensor(1.7), torch.tensor(-3.0))
    within = torch.where(saved > 0, torch.tensor(1.0), torch.tensor(-1.0))
    torch.testing.assert_close(extractor(beyond).pooled, extractor(within).pooled, rtol=0, atol=0)


def assert_same_bits(a: PictureFeatures, b: PictureFeatures) -> None:
    torch.testing.assert_close(a.pooled, b.pooled, rtol=0, atol=0)
    torch.testing.assert_close(a.descriptions, b.descriptions, rtol=0, atol=0)


def test_a_picture_has_the_same_features_whatever_is_beside_it(network: EfficientNetLite) -> None:
    images = pictures(7, 128)
    extractor = FeatureExtractor(network, side=96)
    together = extractor(images)
    for i in (0, 3, 6):
        alone = extractor(images[i : i + 1])
        assert_same_bits(alone, PictureFeatures(together.pooled[i : i + 1], together.descriptions[i : i + 1]))


def test_threads_change_no_bit(network: EfficientNetLite, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(5, 128)
    extractor = FeatureExtractor(network, side=96)
    one = extractor(images)
    monkeypatch.setattr(module.torch, "get_num_threads", lambda: 3)
    assert_same_bits(extractor(images), one)


def test_torch_gives_the_same_where_there_is_no_cpu_runtime(
    network: EfficientNetLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(3, 64)
    extractor = FeatureExtractor(network, side=96)
    by_runtime = extractor(images)

    class Elsewhere:
        type = "elsewhere"

    monkeypatch.setattr(FeatureExtractor, "_device", property(lambda self: Elsewhere()))
    monkeypatch.setattr(Tensor, "to", lambda self, device: self)
    by_torch = extractor(images)
    torch.testing.assert_close(by_torch.pooled, by_runtime.pooled, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(by_torch.descriptions, by_runtime.descriptions, rtol=1e-3, atol=1e-3)


def test_a_layout_of_ones_own(network: EfficientNetLite) -> None:
    layout = DescriptionLayout(thumbnail=2, grids=(1, 1, 1, 1))
    extractor = FeatureExtractor(network, side=64, layout=layout)
    length = layout.length(network.feature_channels)
    assert extractor(pictures(2, 32)).descriptions.shape == (2, length)
    assert extractor.about() != FeatureExtractor(network, side=64).about()


def test_about_says_what_the_features_depend_on() -> None:
    torch.manual_seed(0)
    one, other = EfficientNetLite(0), EfficientNetLite(0)
    about = FeatureExtractor(one).about()
    assert about == FeatureExtractor(one).about()
    assert about["weights"] == FeatureExtractor(one).digest != FeatureExtractor(other).digest
    assert about["network"] == "EfficientNet-Lite0"
    assert about != FeatureExtractor(one, side=96).about()
    assert about != FeatureExtractor(one, reference_side=64).about()
    assert (about["side"], about["reference_side"]) == (224, 128)
