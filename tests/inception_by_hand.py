"""Inception-v3 written out block by block, after the paper's figures 5 to 7, for both of our networks."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def unlike_fresh(network: nn.Module) -> None:
    """Freeze a network, and give it statistics and biases that a normalisation left out would change."""
    network.eval().requires_grad_(False)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "bn.bias")):
            value.uniform_(-0.2, 0.2)
        elif name.endswith(("running_var", "bn.weight")):
            value.uniform_(0.5, 1.5)


def inception_by_hand(
    x: Tensor, state: dict[str, Tensor], pool_of: Callable[[Tensor, str], Tensor]
) -> tuple[Tensor, Tensor]:
    """The map of regions and the last map.

    Args:
        x: Pictures [B, 3, 299, 299] as the network takes them.
        state: Its weights.
        pool_of: What a block's pooling branch makes of a map, by the block's name: here the networks differ.
    """

    def conv(x: Tensor, name: str, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> Tensor:
        x = F.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        statistics = state[f"{name}.bn.running_mean"], state[f"{name}.bn.running_var"]
        return F.batch_norm(
            x, *statistics, state[f"{name}.bn.weight"], state[f"{name}.bn.bias"], eps=1e-3
        ).relu()

    x = conv(x, "Conv2d_1a_3x3", 2)
    x = conv(conv(x, "Conv2d_2a_3x3"), "Conv2d_2b_3x3", padding=(1, 1))
    x = F.max_pool2d(x, 3, 2)
    x = conv(conv(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3")
    x = F.max_pool2d(x, 3, 2)
    for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        five = conv(conv(x, f"{block}.branch5x5_1"), f"{block}.branch5x5_2", padding=(2, 2))
        three = conv(conv(x, f"{block}.branch3x3dbl_1"), f"{block}.branch3x3dbl_2", padding=(1, 1))
        three = conv(three, f"{block}.branch3x3dbl_3", padding=(1, 1))
        pool = conv(pool_of(x, block), f"{block}.branch_pool")
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
        pool = conv(pool_of(x, block), f"{block}.branch_pool")
        x = torch.cat([conv(x, f"{block}.branch1x1"), seven, double, pool], 1)
    regions = x
    three = conv(conv(x, "Mixed_7a.branch3x3_1"), "Mixed_7a.branch3x3_2", 2)
    seven = conv(conv(x, "Mixed_7a.branch7x7x3_1"), "Mixed_7a.branch7x7x3_2", padding=(0, 3))
    seven = conv(conv(seven, "Mixed_7a.branch7x7x3_3", padding=(3, 0)), "Mixed_7a.branch7x7x3_4", 2)
    x = torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)
    for block in ("Mixed_7b", "Mixed_7c"):
        three = conv(x, f"{block}.branch3x3_1")
        double = conv(conv(x, f"{block}.branch3x3dbl_1"), f"{block}.branch3x3dbl_2", padding=(1, 1))
        forks = [
            conv(x, f"{block}.branch1x1"),
            conv(three, f"{block}.branch3x3_2a", padding=(0, 1)),
            conv(three, f"{block}.branch3x3_2b", padding=(1, 0)),
            conv(double, f"{block}.branch3x3dbl_3a", padding=(0, 1)),
            conv(double, f"{block}.branch3x3dbl_3b", padding=(1, 0)),
        ]
        x = torch.cat([*forks, conv(pool_of(x, block), f"{block}.branch_pool")], 1)
    return regions, x
