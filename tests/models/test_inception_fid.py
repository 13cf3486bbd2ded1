import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models import inception_fid as module
from creativeai.models.inception_fid import InceptionFid, load_inception_fid, resize_like_tensorflow_1
from creativeai.models.inception_v3 import InceptionV3
from inception_by_hand import inception_by_hand, unlike_fresh


@pytest.fixture(scope="module")
def network() -> InceptionFid:
    torch.manual_seed(0)
    network = InceptionFid()
    unlike_fresh(network)
    return network


def test_names_and_shapes_are_torchvisions_with_1008_outputs(network: InceptionFid) -> None:
    """As many parameters as torchvision's without its classifier, and a classifier of 1,008."""
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    trunk = {name: list(value.shape) for name, value in InceptionV3().state_dict().items()}
    assert shapes == trunk | {"fc.weight": [1008, 2048], "fc.bias": [1008]}
    assert shapes["Mixed_7c.branch3x3dbl_3a.conv.weight"] == [384, 384, 1, 3]
    num = sum(weight.numel() for weight in network.parameters())
    assert num == 21_785_568 + 1008 * 2048 + 1008


def mean_of_places_within(x: Tensor) -> Tensor:
    """The mean of those of nine places that are within the map."""
    padded = F.pad(x, (1, 1, 1, 1))
    within = F.pad(torch.ones_like(x[:1, :1]), (1, 1, 1, 1))
    height, width = x.shape[-2:]
    places = [(i, j) for i in range(3) for j in range(3)]
    total = sum(padded[:, :, i : i + height, j : j + width] for i, j in places)
    return total / sum(within[:, :, i : i + height, j : j + width] for i, j in places)


def pool_of(x: Tensor, block: str) -> Tensor:
    """TensorFlow's network has the maximum in its last block."""
    return F.max_pool2d(x, 3, stride=1, padding=1) if block == "Mixed_7c" else mean_of_places_within(x)


def test_forward_is_the_network_written_out(network: InceptionFid) -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.rand(1, 3, 299, 299, generator=random) * 2 - 1
    pixels = ((images + 1) / 2 * 255).round()
    state = network.state_dict()
    expected = inception_by_hand((pixels - 128) * 0.0078125, state, pool_of)[1].mean(dim=(2, 3))
    output = network(images)
    torch.testing.assert_close(output.pooled, expected, rtol=1e-3, atol=1e-4)
    logits = expected @ state["fc.weight"].T
    torch.testing.assert_close(output.logits_without_bias, logits, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(output.logits, logits + state["fc.bias"], rtol=1e-3, atol=1e-4)
    assert output.pooled.shape == (1, 2048) and output.logits.shape == (1, 1008)


@pytest.mark.parametrize("name", ["5b", "5c", "5d", "6b", "6c", "6d", "6e", "7b"])
def test_pools_count_only_what_is_within_the_map(network: InceptionFid, name: str) -> None:
    """By hand: the mean over the four places of a corner is a quarter of their sum, not a ninth."""
    pool = network.get_submodule(f"Mixed_{name}").pool
    x = torch.arange(9.0).view(1, 1, 3, 3)
    expected = [[(0 + 1 + 3 + 4) / 4, (0 + 1 + 2 + 3 + 4 + 5) / 6, (1 + 2 + 4 + 5) / 4]]
    expected += [[(0 + 1 + 3 + 4 + 6 + 7) / 6, 4, (1 + 2 + 4 + 5 + 7 + 8) / 6]]
    expected += [[(3 + 4 + 6 + 7) / 4, (3 + 4 + 5 + 6 + 7 + 8) / 6, (4 + 5 + 7 + 8) / 4]]
    np.testing.assert_allclose(pool(x)[0, 0], expected, rtol=1e-6)


def test_the_last_block_takes_the_maximum(network: InceptionFid) -> None:
    pool = network.get_submodule("Mixed_7c").pool
    x = -torch.arange(9.0).view(1, 1, 3, 3)
    assert pool(x)[0, 0].tolist() == [[0, 0, -1], [0, 0, -1], [-3, -3, -4]]


def by_loops(image: np.ndarray, side: int) -> np.ndarray:
    """TensorFlow 1's resize_bilinear of one channel, pixel by pixel."""
    height, width = image.shape
    result = np.empty((side, side))
    for i in range(side):
        for j in range(side):
            y, x = i * height / side, j * width / side
            top, left = math.floor(y), math.floor(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = image[top, left] + (image[top, right] - image[top, left]) * (x - left)
            lower = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * (x - left)
            result[i, j] = upper + (lower - upper) * (y - top)
    return result


@pytest.mark.parametrize(("height", "width", "side"), [(5, 7, 12), (12, 9, 5), (8, 8, 8), (1, 3, 4)])
def test_resize_is_tensorflows_of_old(height: int, width: int, side: int) -> None:
    images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1)).double()
    resized = resize_like_tensorflow_1(images, side)
    pictures, results = images.numpy().reshape(6, height, width), resized.numpy().reshape(6, side, side)
    for picture, result in zip(pictures, results, strict=True):
        np.testing.assert_allclose(result, by_loops(picture, side), atol=1e-5)


def test_resize_is_neither_of_torchs() -> None:
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    resized = resize_like_tensorflow_1(images, 299)
    for corners in (False, True):
        torchs = F.interpolate(images, size=(299, 299), mode="bilinear", align_corners=corners)
        assert (resized - torchs).abs().mean() > 0.01
    torch.testing.assert_close(resized[:, :, 0, 0], images[:, :, 0, 0])
    torch.testing.assert_close(resized[:, :, -1, -1], images[:, :, -1, -1])  # 63.8 lies beyond the last pixel


def test_pictures_are_rounded_to_8_bits(network: InceptionFid) -> None:
    saved = (torch.randint(0, 256, (1, 3, 32, 32), generator=torch.Generator().manual_seed(0)) / 127.5) - 1
    exact = network(saved).pooled
    torch.testing.assert_close(network(saved + 0.4 / 127.5 * saved.sign()).pooled, exact, rtol=0, atol=0)


def test_the_users_file_is_loaded_whole(
    network: InceptionFid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights.pth"
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    torch.save(state, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(module, "_DIGEST_PREFIX", digest[:8])
    loaded = load_inception_fid(file)
    assert loaded.digest == digest
    assert loaded.fc.weight.shape == (1008, 2048)
    assert not loaded.training and not any(weight.requires_grad for weight in loaded.parameters())
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in state.items())


def test_other_files_are_refused(
    network: InceptionFid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match=r"can't read .*none\.pth: No such file"):
        load_inception_fid(tmp_path / "none.pth")

    file = tmp_path / "torchvision.pth"
    state = network.state_dict() | {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    torch.save(state, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(TrainingError, match=rf"SHA-256 begins with {digest[:8]}, not 6726825d; give the pub"):
        load_inception_fid(file)

    monkeypatch.setattr(module, "_DIGEST_PREFIX", "")
    with pytest.raises(TrainingError, match=r"another layout .*: fc\.weight is \[1000, 2048\], not"):
        load_inception_fid(file)
    del state["Mixed_5b.branch1x1.bn.bias"]
    torch.save(state, file)
    with pytest.raises(TrainingError, match=r"Mixed_5b\.branch1x1\.bn\.bias is missing, not \[64\]"):
        load_inception_fid(file)
    file.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(TrainingError, match="holds no weights of a network: give the published pt_inception"):
        load_inception_fid(file)
