from torch import nn

from creativeai.models.gan_cls import GanClsDiscriminator, GanClsGenerator

# Weights of the published networks at ngf = 2, ndf = 2, nz = 6, txtSize = 10, nt = 4, as nn.Module has them.
GENERATOR = [
    (4, 10),
    (10, 16, 4, 4),
    (4, 16, 1, 1),
    (4, 4, 3, 3),
    (16, 4, 3, 3),
    (16, 8, 4, 4),
    (2, 8, 1, 1),
    (2, 2, 3, 3),
    (8, 2, 3, 3),
    (8, 4, 4, 4),
    (4, 2, 4, 4),
    (2, 3, 4, 4),
]
DISCRIMINATOR = [
    (2, 3, 4, 4),
    (4, 2, 4, 4),
    (8, 4, 4, 4),
    (16, 8, 4, 4),
    (4, 16, 1, 1),
    (4, 4, 3, 3),
    (16, 4, 3, 3),
    (4, 10),
    (16, 20, 1, 1),
    (1, 16, 4, 4),
]


def weight_shapes(network: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in network.parameters() if weight.dim() > 1]


def test_weights_are_the_published_ones() -> None:
    assert weight_shapes(GanClsGenerator(6, 10, 4, width=2)) == GENERATOR
    assert weight_shapes(GanClsDiscriminator(10, 4, width=2)) == DISCRIMINATOR


def test_convolutions_have_no_bias() -> None:
    for network in (GanClsGenerator(6, 10, 4, width=2), GanClsDiscriminator(10, 4, width=2)):
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        assert len(convolutions) > 8
        assert all(convolution.bias is None for convolution in convolutions)


def test_normalisations_are_where_they_are_published() -> None:
    generator, discriminator = GanClsGenerator(6, 10, 4, width=2), GanClsDiscriminator(10, 4, width=2)
    widths = [
        [module.num_features for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        for network in (generator, discriminator)
    ]
    assert widths == [[16, 4, 4, 16, 8, 2, 2, 8, 4, 2], [4, 8, 16, 4, 4, 16, 16]]
