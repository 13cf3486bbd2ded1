import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models.damsm import DamsmImageHeads
from creativeai.models.inception_v3 import InceptionV3, load_inception_v3
from inception_by_hand import inception_by_hand, unlike_fresh

PUBLISHED_SHAPES = "1c4e03e0923f0e1d777d8534dabdc998590c887e1b11effe0c61381a50bf659b"
"""SHA-256 of the sorted lines `name [shape]` of AttnGAN's published image encoder."""


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    network = InceptionV3()
    unlike_fresh(network)
    return network


def test_names_and_shapes_are_those_of_the_published_image_encoder(network: InceptionV3) -> None:
    heads = DamsmImageHeads(network.region_channels, network.global_channels)
    state = network.state_dict() | heads.state_dict()
    lines = sorted(f"{name} {list(value.shape)}" for name, value in state.items())
    assert len(lines) == 567
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == PUBLISHED_SHAPES
    num = sum(weight.numel() for module in (network, heads) for weight in module.parameters())
    assert num == 22_506_720


def pool_of(x: Tensor, block: str) -> Tensor:
    """The paper's: the mean, in every block."""
    return F.avg_pool2d(x, 3, stride=1, padding=1)


def test_forward_is_the_paper_written_out(network: InceptionV3) -> None:
    images = torch.rand(1, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        regions, vector = network(images)
        large = F.interpolate(images, size=(299, 299), mode="bilinear", align_corners=True)
        expected_regions, last = inception_by_hand(large, network.state_dict(), pool_of)
    assert regions.shape == (1, 768, 17, 17) and vector.shape == (1, 2048)
    torch.testing.assert_close(regions, expected_regions, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vector, F.avg_pool2d(last, 8).flatten(1), rtol=1e-4, atol=1e-5)


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
