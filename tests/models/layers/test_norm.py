import pytest
import torch
from torch import nn

from creativeai.models.layers.norm import Norm, make_norm
from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm


@pytest.mark.parametrize(
    ("kind", "num_dims", "expected"),
    [
        ("batch", 1, nn.BatchNorm1d),
        ("batch", 2, nn.BatchNorm2d),
        ("virtual", 1, VirtualBatchNorm),
        ("virtual", 2, VirtualBatchNorm),
        ("none", 1, nn.Identity),
        ("none", 2, nn.Identity),
    ],
)
def test_normalisation_of_each_kind_takes_its_maps(kind: Norm, num_dims: int, expected: type) -> None:
    norm = make_norm(kind, 3, num_dims).eval()
    assert type(norm) is expected
    x = torch.randn(5, 3, *([4, 4] if num_dims == 2 else []))
    assert norm(x).shape == x.shape
