"""The networks at their papers' sizes, against the tensors of the authors' checkpoints."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from creativeai.models.attngan import AttnGanGenerator, attngan_discriminator
from creativeai.models.stackgan_stage1 import StackGanStage1Generator, stackgan_stage1_discriminator
from creativeai.models.stackgan_stage2 import StackGanStage2Generator, stackgan_stage2_discriminator
from creativeai.models.stackgan_v2 import StackGanV2Generator, stackgan_v2_discriminator

PUBLISHED: dict[str, dict[str, list[int]]] = json.loads(
    (Path(__file__).parent / "published_shapes.json").read_text()
)


def stage1() -> nn.Module:
    return StackGanStage1Generator(z_dim=100, text_dim=1024, condition_dim=128, width=192)


def stage2() -> nn.Module:
    return StackGanStage2Generator(
        stage1(), text_dim=1024, condition_dim=128, width=192, num_residual=2, num_upsamplings=4
    )


def stackgan_v2() -> nn.Module:
    return StackGanV2Generator(
        z_dim=100, text_dim=1024, condition_dim=128, width=64, num_stages=3, num_residual=2
    )


def attngan(width: int, num_residual: int, last_image_only: bool = False) -> nn.Module:
    return AttnGanGenerator(
        z_dim=100,
        text_dim=256,
        condition_dim=100,
        width=width,
        num_stages=3,
        num_residual=num_residual,
        last_image_only=last_image_only,
    )


# The COCO discriminators' counts are those of their published tensors, all others the authors' networks'.
NETWORKS: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "stackgan_stage1 generator": (20_020_832, stage1),
    "stackgan_stage1 discriminator 64": (12_407_425, lambda: stackgan_stage1_discriminator(96, 128)),
    "stackgan_stage2 generator": (57_151_312, stage2),
    "stackgan_stage2 discriminator 256": (159_889_538, lambda: stackgan_stage2_discriminator(256, 96, 128)),
    "stackgan_v2 generator": (21_239_696, stackgan_v2),
    "stackgan_v2 discriminator 64": (5_723_906, lambda: stackgan_v2_discriminator(64, 64, 128)),
    "stackgan_v2 discriminator 128": (18_834_178, lambda: stackgan_v2_discriminator(128, 64, 128)),
    "stackgan_v2 discriminator 256": (71_269_122, lambda: stackgan_v2_discriminator(256, 64, 128)),
    "attngan_bird generator": (7_084_592, lambda: attngan(width=32, num_residual=2)),
    "attngan_bird discriminator 64": (6_313_730, lambda: attngan_discriminator(64, 64, 256)),
    "attngan_bird discriminator 128": (19_424_002, lambda: attngan_discriminator(128, 64, 256)),
    "attngan_bird discriminator 256": (71_858_946, lambda: attngan_discriminator(256, 64, 256)),
    "attngan_coco generator": (13_811_456, lambda: attngan(width=48, num_residual=3)),
    "attngan_coco discriminator 64": (13_304_450, lambda: attngan_discriminator(64, 96, 256)),
    "attngan_coco discriminator 128": (42_800_258, lambda: attngan_discriminator(128, 96, 256)),
    "attngan_coco discriminator 256": (160_774_274, lambda: attngan_discriminator(256, 96, 256)),
    "attndcgan_bird generator": (
        6_638_960,
        lambda: attngan(width=32, num_residual=0, last_image_only=True),
    ),
    "attndcgan_bird discriminator 256": (
        71_850_753,
        lambda: attngan_discriminator(256, 64, 256, has_unconditional=False),
    ),
}


def test_every_published_network_is_compared() -> None:
    assert set(NETWORKS) == set(PUBLISHED)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_the_published_tensors(name: str) -> None:
    num_parameters, make = NETWORKS[name]
    with torch.device("meta"):  # shapes without memory
        network = make()
    assert sum(parameter.numel() for parameter in network.parameters()) == num_parameters
    # Sentence vectors of any encoder are standardised before they meet what was published.
    own = {name: x for name, x in network.state_dict().items() if "standardise." not in name}
    ours = Counter(tuple(tensor.shape) for tensor in own.values())
    published = Counter(tuple(shape) for shape in PUBLISHED[name].values())
    assert ours == published
