import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models.damsm import DamsmImageHeads
from creativeai.models.inception_v3 import InceptionV3, load_inception_v3

PUBLISHED_SHAPES = "1c4e03e0923f0e1d777d8534dabdc998590c887e1b11effe0c61381a50bf659b"
"""SHA-256 of the sorted lines `name [shape]` of AttnGAN's published image encoder."""


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    network = InceptionV3().eval().requires_grad_(False)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "bn.bias")):
            value.uniform_(-0.2, 0.2)
        elif name.endswith(("running_var", "bn.weight")):
            value.uniform_(0.5, 1.5)
    return network


def test_names_and_shapes_are_those_of_the_published_image_encoder(network: InceptionV3) -> None:
    heads = DamsmImageHeads(network.region_channels, network.global_channels)
    state = network.state_dict() | heads.state_dict()
    lines = sorted(f"{name} {list(value.shape)}" for name, value in state.items())
    assert len(lines) == 567
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == PUBLISHED_SHAPES
    num = sum(weight.numel() for module in (network, heads) for weight in module.parameters())
    assert num == 22_506_720


def plain(x: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The network written out block by block, after the paper's figures 5 to 7."""

    def conv(x: Tensor, name: str, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> Tensor:
        x = F.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        statistics = state[f"{name}.bn.running_mean"], state[f"{name}.bn.running_var"]
        return F.batch_norm(
            x, *statistics, state[f"{name}.bn.weight"], state[f"{name}.bn.bias"], eps=1e-3
        ).relu()

    def pooled(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 3, stride=1, padding=1)

    x = conv(x, "Conv2d_1a_3x3", 2)
    x = conv(conv(x, "Conv2d_2a_3x3"), "Conv2d_2b_3x3", padding=(1, 1))
    x = F.max_pool2d(x, 3, 2)
    x = conv(conv(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3")
    x = F.max_pool2d(x, 3, 2)
    for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        five = conv(conv(x, f"{block}.branch5x5_1"), f"{block}.branch5x5_2", padding=(2, 2))
        three = conv(conv(x, f"{block}.branch3x3dbl_1"), f"{block}.branch3x3dbl_2", padding=(1, 1))
        three = conv(three, f"{block}.branch3x3dbl_3", padding=(1, 1))
        pool = conv(pooled(x), f"{block}.branch_pool")
        x = torch.cat([conv(x, f"{block}.branch1x1"), five, three, pool], 1)
    three = conv(conv(x, "Mixed_6a.branch3x3dbl_1"), "Mixed_6a.branch3x3dbl_2", padding=(1, 1))
    three = conv(three, "Mixed_6a.branch3x3dbl_3", 2)
    x = torch.cat([conv(x, "Mixed_6a.branch3x3", 2), three, F.max_pool2d(x, 3, 2)], 1)
    for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        seven = conv(conv(x, f"{block}.branch7x7_1"), f"{block}.branch7x7_2", padding=(0, 3))
        seven = conv(seven, f"{block}.branch7x7_3", padding=(3, 0))
        double = conv(x, f"{block}.branch7x7dbl_1")
        for index, padding in ((2, (3, 0)), (3, (0, 3)), (4, (3, 0)), (5, (0, 3))):
            double = conv(double, f"{block}.branch7x7dbl_{index}", padding=padding)
        pool = conv(pooled(x), f"{block}.branch_pool")
        x = torch.cat([conv(x, f"{block}.branch1x1"), seven, double, pool], 1)
    regions = x
    three = conv(conv(x, "Mixed_7a.branch3x3_1"), "Mixed_7a.branch3x3_2", 2)
    seven = conv(conv(x, "Mixed_7a.branch7x7x3_1"), "Mixed_7a.branch7x7x3_2", padding=(0, 3))
    seven = conv(conv(seven, "Mixed_7a.branch7x7x3_3", padding=(3, 0)), "Mixed_7a.branch7x7x3_4", 2)
    x = torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)
    for block in ("Mixed_7b", "Mixed_7c"):
        three = conv(x, f"{block}.branch3x3_1")
        three = torch.cat(
            [
                conv(three, f"{block}.branch3x3_2a", padding=(0, 1)),
                conv(three, f"{block}.branch3x3_2b", padding=(1, 0)),
            ],
            1,
        )
        double = conv(conv(x, f"{block}.branch3x3dbl_1"), f"{block}.branch3x3dbl_2", padding=(1, 1))
        double = torch.cat(
            [
                conv(double, f"{block}.branch3x3dbl_3a", padding=(0, 1)),
                conv(double, f"{block}.branch3x3dbl_3b", padding=(1, 0)),
            ],
            1,
        )
        pool = conv(pooled(x), f"{block}.branch_pool")
        x = torch.cat([conv(x, f"{block}.branch1x1"), three, double, pool], 1)
    return regions, F.avg_pool2d(x, 8).flatten(1)


def test_forward_is_the_paper_written_out(network: InceptionV3) -> None:
    images = torch.rand(1, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        regions, vector = network(images)
        large = F.interpolate(images, size=(299, 299), mode="bilinear", align_corners=True)
        expected_regions, expected_vector = plain(large, network.state_dict())
    assert regions.shape == (1, 768, 17, 17) and vector.shape == (1, 2048)
    torch.testing.assert_close(regions, expected_regions, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vector, expected_vector, rtol=1e-4, atol=1e-5)


def test_weights_of_a_file_are_taken_and_what_else_is_in_it_left_aside(
    network: InceptionV3, tmp_path: Path
) -> None:
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    torch.save(state | {"fc.weight": torch.zeros(1000, 2048)}, tmp_path / "inception.pth")
    loaded = load_inception_v3(tmp_path / "inception.pth")
    assert not loaded.training and not any(weight.requires_grad for weight in loaded.parameters())
    for name, value in loaded.state_dict().items():
        assert "num_batches" in name or torch.equal(value, state[name]), name


def test_wrong_file_is_refused(network: InceptionV3, tmp_path: Path) -> None:
    state = network.state_dict()
    lacking = {name: value for name, value in state.items() if name != "Mixed_6c.branch_pool.conv.weight"}
    torch.save(lacking, tmp_path / "a.pth")
    with pytest.raises(TrainingError, match=r"a\.pth is not .* no Mixed_6c\.branch_pool\.conv\.weight"):
        load_inception_v3(tmp_path / "a.pth")
    torch.save(state | {"Mixed_5b.branch1x1.conv.weight": torch.zeros(64, 3, 1, 1)}, tmp_path / "b.pth")
    with pytest.raises(TrainingError, match=r"another shape of Mixed_5b\.branch1x1\.conv\.weight"):
        load_inception_v3(tmp_path / "b.pth")
    (tmp_path / "c.pth").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(TrainingError, match=r"c\.pth holds no weights"):
        load_inception_v3(tmp_path / "c.pth")
    with pytest.raises(TrainingError, match="holds no weights"):
        load_inception_v3(tmp_path / "missing.pth")
