"""The step that ours is measured against learns the same: only the order of its passes is another."""

from pathlib import Path

import pytest
import torch

from creativeai.models.attngan import attngan_discriminator
from creativeai.models.stackgan_v2 import stackgan_v2_discriminator
from creativeai.recipes.adversarial import discriminator_loss
from creativeai.recipes.pairs import ATTNGAN, STACKGAN_V2, PairWeights
from creativeai.recipes.stabilisers.settings import Stabilisers


@pytest.mark.parametrize(
    ("build", "weights"), [(attngan_discriminator, ATTNGAN), (stackgan_v2_discriminator, STACKGAN_V2)]
)
def test_discriminator_learns_the_same(
    build: type, weights: PairWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from written_out import written_out_discriminator_loss

    judge = build(64, 4, condition_dim=6).double().train()
    real, fake = torch.rand(2, 5, 3, 64, 64, dtype=torch.double) * 2 - 1
    condition = torch.randn(5, 6, dtype=torch.double)
    ours, _ = discriminator_loss(judge, real, fake, condition, weights, Stabilisers(), step=0)
    written_out = written_out_discriminator_loss(judge, real, fake, condition, weights)
    parameters = list(judge.parameters())
    pairs = zip(*(torch.autograd.grad(loss, parameters) for loss in (ours, written_out)), strict=True)
    torch.testing.assert_close(written_out, ours)
    for gradient, expected in pairs:
        torch.testing.assert_close(gradient, expected)


def test_plain_convolutions_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from creativeai.models import projected_gan
    from creativeai.models.layers.upsampling_conv import UpsamplingConv2d
    from written_out import plain_convolutions

    layer = UpsamplingConv2d(3, 5).double()
    x, weight = torch.randn(2, 3, 8, 8, dtype=torch.double), torch.randn(3, 5, 3, 3, dtype=torch.double)
    forward = UpsamplingConv2d.forward
    ours = layer(x), projected_gan.upsampling_conv(x, weight)
    with plain_convolutions():
        assert UpsamplingConv2d.forward is not forward
        plain = layer(x), projected_gan.upsampling_conv(x, weight)
    assert UpsamplingConv2d.forward is forward
    torch.testing.assert_close(plain, ours)
