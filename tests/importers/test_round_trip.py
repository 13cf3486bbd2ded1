"""Every published network in ours and back: all tensors, bit for bit, and as many as were published."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from creativeai.errors import DataError
from creativeai.importers import attngan, damsm, df_gan, stackgan, stackgan_v2
from creativeai.importers.name_map import (
    Names,
    Weights,
    checked_names,
    num_numbered,
    official_weights,
    shape_of,
    with_weights,
)
from importers.official_files import PUBLISHED, small_weights, without_counters

Read = Callable[[Weights, Path], nn.Module]
ATTNGAN_G = attngan.generator_names
FILE = Path("netG.pth")


def attngan_d(resolution: int, has_unconditional: bool = True) -> Names:
    return attngan.discriminator_names(resolution, has_unconditional=has_unconditional)


NETWORKS: dict[str, tuple[int, Read, Names]] = {
    "attngan_bird generator": (7_084_592, attngan.generator, ATTNGAN_G(3, 2, last_image_only=False)),
    "attngan_coco generator": (13_811_456, attngan.generator, ATTNGAN_G(3, 3, last_image_only=False)),
    "attndcgan_bird generator": (6_638_960, attngan.generator, ATTNGAN_G(3, 0, last_image_only=True)),
    "attngan_bird discriminator 64": (6_313_730, attngan.discriminator, attngan_d(64)),
    "attngan_bird discriminator 128": (19_424_002, attngan.discriminator, attngan_d(128)),
    "attngan_bird discriminator 256": (71_858_946, attngan.discriminator, attngan_d(256)),
    "attngan_coco discriminator 64": (13_304_450, attngan.discriminator, attngan_d(64)),
    "attngan_coco discriminator 128": (42_800_258, attngan.discriminator, attngan_d(128)),
    "attngan_coco discriminator 256": (160_774_274, attngan.discriminator, attngan_d(256)),
    "attndcgan_bird discriminator 256": (71_850_753, attngan.discriminator, attngan_d(256, False)),
    "attngan_bird text_encoder": (2_075_320, damsm.text_encoder, damsm.TEXT_NAMES),
    "attngan_coco text_encoder": (8_629_420, damsm.text_encoder, damsm.TEXT_NAMES),
    "attngan image_encoder": (22_506_720, damsm.image_encoder, damsm.image_names()),
    "stackgan_v2 generator": (21_239_696, stackgan_v2.generator, stackgan_v2.generator_names(3, 2)),
    "stackgan_v2 discriminator 64": (
        5_723_906,
        stackgan_v2.discriminator,
        stackgan_v2.discriminator_names(64),
    ),
    "stackgan_v2 discriminator 128": (
        18_834_178,
        stackgan_v2.discriminator,
        stackgan_v2.discriminator_names(128),
    ),
    "stackgan_v2 discriminator 256": (
        71_269_122,
        stackgan_v2.discriminator,
        stackgan_v2.discriminator_names(256),
    ),
    "stackgan_stage1 generator": (20_020_832, stackgan.stage1_generator, stackgan.stage1_names()),
    "stackgan_stage1 discriminator 64": (
        12_407_425,
        stackgan.discriminator,
        stackgan.discriminator_names(64, has_unconditional=False),
    ),
    "stackgan_stage2 generator": (57_151_312, stackgan.stage2_generator, stackgan.stage2_names(2, 4)),
    "stackgan_stage2 discriminator 256": (
        159_889_538,
        stackgan.discriminator,
        stackgan.discriminator_names(256, has_unconditional=True),
    ),
    "df_gan generator": (9_744_131, df_gan.generator, df_gan.generator_names(6)),
}
SMALL = [name for name in NETWORKS if "image_encoder" not in name and "coco text" not in name]


def test_every_published_network_has_its_map() -> None:
    assert set(NETWORKS) == set(PUBLISHED)


@pytest.mark.parametrize("name", NETWORKS)
def test_full_size_has_exactly_the_published_names_and_numbers(name: str) -> None:
    num_parameters, read, names = NETWORKS[name]
    weights = {key: torch.empty(shape, device="meta") for key, shape in PUBLISHED[name].items()}
    for key in weights:
        if key.endswith("num_batches_tracked"):
            weights[key] = torch.empty((), dtype=torch.int64, device="meta")
    network = read(weights, FILE)
    assert sum(parameter.numel() for parameter in network.parameters()) == num_parameters
    back = official_weights(network, names)
    assert {key: list(value.shape) for key, value in back.items()} == PUBLISHED[name]


def assert_same(ours: Weights, theirs: Weights) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype
        assert torch.equal(ours[name], value), name


@pytest.mark.parametrize("name", SMALL)
def test_import_and_export_give_back_every_bit(name: str) -> None:
    _, read, names = NETWORKS[name]
    weights = small_weights(name)
    network = read(weights, FILE)
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())
    assert_same(official_weights(network, names), weights)


def test_image_encoder_comes_back_with_its_running_statistics() -> None:
    _, read, names = NETWORKS["attngan image_encoder"]
    shapes = PUBLISHED["attngan image_encoder"]
    weights = {name: torch.full(shape, 0.5) if shape else torch.tensor(3) for name, shape in shapes.items()}
    for place, value in enumerate(weights.values()):
        value.view(-1)[-1] = place
    assert_same(official_weights(read(weights, FILE), names), weights)


def test_old_file_lacks_the_counters() -> None:
    weights = without_counters(small_weights("attngan_bird generator"))
    assert len(weights) == 82
    back = official_weights(attngan.generator(weights, FILE), NETWORKS["attngan_bird generator"][2])
    assert_same(without_counters(back), weights)


def test_network_does_not_share_memory_with_the_file() -> None:
    weights = small_weights("df_gan generator")
    network = df_gan.generator(weights, FILE)
    before = network.fc.weight.clone()
    weights["fc.weight"].zero_()
    assert torch.equal(network.fc.weight, before)


@pytest.mark.parametrize("name", SMALL)
def test_missing_left_over_or_misshapen_tensor_is_named(name: str) -> None:
    _, read, _ = NETWORKS[name]
    weights = small_weights(name)
    lost = [key for key in weights if "bias" in key][-1]
    with pytest.raises(DataError, match=f"netG.pth: the tensor {lost} is missing"):
        read({key: value for key, value in weights.items() if key != lost}, FILE)
    with pytest.raises(DataError, match=r"netG.pth: the tensor extra\.weight is left over"):
        read(weights | {"extra.weight": torch.zeros(1)}, FILE)
    with pytest.raises(DataError, match=rf"the tensor {lost} has the shape \d+ x 2, where this network has"):
        read(weights | {lost: torch.zeros(3, 2)}, FILE)
    with pytest.raises(DataError, match=f"the tensor {lost} holds torch.int64, not torch.float32"):
        read(weights | {lost: torch.zeros_like(weights[lost], dtype=torch.int64)}, FILE)


def test_half_precision_file_is_read_as_numbers() -> None:
    weights = {name: value.half() for name, value in small_weights("df_gan generator").items()}
    network = df_gan.generator(weights, FILE)
    assert network.fc.weight.dtype == torch.float32
    assert torch.equal(network.fc.weight, weights["fc.weight"].float())


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_sizes_that_fit_no_network_are_refused() -> None:
    weights = small_weights("attngan_bird generator")
    weights["h_net1.fc.0.weight"] = torch.zeros(2048, 3)  # shorter than the condition
    with pytest.raises(
        DataError, match=r"h_net1\.fc\.0\.weight takes 3 inputs, and should .* than the 10 that"
    ):
        attngan.generator(weights, FILE)
    weights["h_net1.fc.0.weight"] = torch.zeros(2048)
    with pytest.raises(DataError, match=r"h_net1\.fc\.0\.weight takes 0 inputs"):
        attngan.generator(weights, FILE)
    weights["ca_net.fc.weight"] = torch.zeros(40)
    with pytest.raises(DataError, match=r"ca_net\.fc\.weight has the shape 40, not 2 dimensions"):
        attngan.generator(weights, FILE)
    weights = small_weights("stackgan_v2 generator")
    weights["img_net1.img.0.weight"] = torch.zeros(3, 1, 3, 3)  # no channels are left for the later stages
    with pytest.raises(DataError, match=r"netG\.pth"):
        stackgan_v2.generator(weights, FILE)
    weights = small_weights("stackgan_stage2 generator")
    weights = {name: value for name, value in weights.items() if not name.startswith("upsample3")}
    with pytest.raises(DataError, match=r"netG\.pth: the tensors' shapes fit no such network \(num_upsampl"):
        stackgan.stage2_generator(weights, FILE)


def test_giant_sizes_take_no_memory() -> None:
    """A tensor of a single number may claim any shape; the network is compared before it is made."""
    weights: dict[str, Tensor] = small_weights("df_gan generator")
    weights["to_rgb.1.weight"] = torch.zeros(1).expand(3, 10_000_000, 3, 3)
    with pytest.raises(DataError, match="has the shape"):
        df_gan.generator(weights, FILE)


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        ({"a": "x"}, r"nothing for b\.weight"),
        ({"a": "x", "b": "x"}, "one published name to two"),
        ({"a": "x", "b": "y", "c": "z"}, r"modules that the network lacks: \['c'\]"),
    ],
)
def test_mistake_in_a_table_is_found(names: Names, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        checked_names(Pair(), names)
    with pytest.raises(ValueError, match=wrong):
        with_weights(Pair, names, {}, "it")


def test_sizes_are_read_off_the_tensors() -> None:
    weights = {"r.0.w": torch.zeros(2, 3), "r.1.w": torch.zeros(0, 3), "r.3.w": torch.zeros(1)}
    assert num_numbered(weights, "r.{}.w") == 2 and num_numbered(weights, "r.{}.w", first=3) == 1
    assert shape_of(weights, "r.0.w", 2, "it") == (2, 3)
    with pytest.raises(DataError, match=r"it: the tensor r\.2\.w is missing"):
        shape_of(weights, "r.2.w", 2, "it")
    with pytest.raises(DataError, match=r"r\.1\.w has the shape 0 x 3"):
        shape_of(weights, "r.1.w", 2, "it")
