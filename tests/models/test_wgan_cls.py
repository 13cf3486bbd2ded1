import pytest
import torch
from torch import nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.wgan_cls import WganClsCritic, WganClsGenerator
from creativeai.recipes.wgan_cls import PRESETS

# Weights of the published networks at GF = 2, DF = 2, Z = 6, embeddings of 10 brought to 4.
GENERATOR = [
    (8, 10),
    (256, 10),
    (4, 16, 1, 1),
    (4, 4, 3, 3),
    (16, 4, 3, 3),
    (16, 8, 4, 4),
    (8, 8, 3, 3),
    (2, 8, 1, 1),
    (2, 2, 3, 3),
    (8, 2, 3, 3),
    (8, 4, 4, 4),
    (4, 4, 3, 3),
    (4, 2, 4, 4),
    (2, 2, 3, 3),
    (2, 3, 4, 4),
    (3, 3, 3, 3),
]
CRITIC = [
    (2, 3, 4, 4),
    (4, 2, 4, 4),
    (8, 4, 4, 4),
    (16, 8, 4, 4),
    (4, 16, 1, 1),
    (8, 4, 3, 3),
    (16, 8, 3, 3),
    (4, 10),
    (16, 20, 3, 3),
    (16, 16, 1, 1),
    (1, 16, 4, 4),
]


def weight_shapes(network: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in network.parameters() if weight.dim() > 1]


def test_weights_are_the_published_ones() -> None:
    assert weight_shapes(WganClsGenerator(6, 10, 4, width=2)) == GENERATOR
    assert weight_shapes(WganClsCritic(10, 4, width=2)) == CRITIC


@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_training_begins_with_grey_pictures(preset: str) -> None:
    own = PRESETS[preset]
    generator = WganClsGenerator(own.z_dim, 384, own.condition_dim, own.generator_width)
    text = TextTensors(torch.randn(4, 384), torch.zeros(4, 1, 384), torch.ones(4, 1, dtype=torch.bool))
    [image] = generator(torch.randn(4, generator.noise_dim), text).images
    # Black and white ones, at the ends of tanh, would stay so for long.
    assert 0.01 < image.abs().mean() < 0.5


def test_critic_has_no_normalisation_unless_asked_for() -> None:
    critic = WganClsCritic(10, 4, width=2)
    assert not [module for module in critic.modules() if "Norm" in type(module).__name__]
    weighted = [module for module in critic.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    *inner, last = weighted
    assert all(module.bias is not None for module in inner) and last.bias is None


def test_critic_has_second_derivatives_for_a_gradient_penalty() -> None:
    critic = WganClsCritic(10, 4, width=2)
    images = torch.randn(2, 3, 64, 64, requires_grad=True)
    condition = torch.randn(2, 10, requires_grad=True)
    values = critic.conditional(critic.features(images), condition)
    of_images, of_condition = torch.autograd.grad(values.sum(), (images, condition), create_graph=True)
    (of_images.square().sum() + of_condition.square().sum()).backward()
    assert critic.encoder[0].weight.grad.any()
    assert critic.text[0].weight.grad.any()
