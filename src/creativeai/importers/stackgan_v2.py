"""Published StackGAN-v2 networks (Zhang et al. 2018, arXiv:1710.10916): generator and discriminators."""

from pathlib import Path

from creativeai.importers.layers import (
    augmentation,
    image_code,
    initial_sizes,
    initial_stage,
    num_residual_of,
    resolution_of_image_code,
    stage_upsampling,
)
from creativeai.importers.name_map import Names, Weights, num_numbered, shape_of, size_beside, with_weights
from creativeai.importers.recognise import STACKGAN_V2_D, STACKGAN_V2_G, check_kind
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.stackgan_v2 import StackGanV2Generator, stackgan_v2_discriminator

__all__ = ["discriminator", "discriminator_names", "generator", "generator_names"]


def generator_names(num_stages: int, num_residual: int) -> Names:
    """Our modules and StackGAN-v2's, without the `module.` that all its published names begin with."""
    names = augmentation() | initial_stage("initial", "h_net1.")
    for stage in range(num_stages - 1):
        ours, theirs = f"refine.{stage}", f"h_net{stage + 2}"
        names |= {f"{ours}.joint.{part}": f"{theirs}.jointConv.{part}" for part in (0, 1)}
        names |= stage_upsampling(ours, theirs, num_residual)
    return names | {f"to_image.{stage}.0": f"img_net{stage + 1}.img.0" for stage in range(num_stages)}


def discriminator_names(resolution: int) -> Names:
    """Our modules and those of StackGAN-v2's D_NET64, D_NET128 and D_NET256."""
    return image_code(resolution) | {
        "joint.0": "jointConv.0",
        "joint.1": "jointConv.1",
        "to_conditional": "logits.0",
        "to_unconditional": "uncond_logits.0",
    }


def generator(weights: Weights, path: Path) -> StackGanV2Generator:
    """The generator of any width, number of stages and of residual blocks.

    Raises:
        DataError: The tensors are of another network, or one is missing, left over or wrongly shaped.
    """
    check_kind(weights, STACKGAN_V2_G, path)
    origin = str(path)
    z_dim, text_dim, condition_dim = initial_sizes(weights, origin)
    width = shape_of(weights, "img_net1.img.0.weight", 4, origin)[1]
    num_stages = 1 + num_numbered(weights, "h_net{}.jointConv.0.weight", first=2)
    num_residual = num_residual_of(weights, "h_net2.")

    def build() -> StackGanV2Generator:
        return StackGanV2Generator(z_dim, text_dim, condition_dim, width, num_stages, num_residual)

    return with_weights(build, generator_names(num_stages, num_residual), weights, origin)


def discriminator(weights: Weights, path: Path) -> JointDiscriminator:
    """The discriminator of any resolution and width.

    Raises:
        DataError: As for the generator.
    """
    check_kind(weights, STACKGAN_V2_D, path)
    width = shape_of(weights, "img_code_s16.0.weight", 4, str(path))[0]
    condition_dim = size_beside(weights, "jointConv.0.weight", 8 * width, str(path))
    resolution = resolution_of_image_code(weights)

    def build() -> JointDiscriminator:
        return stackgan_v2_discriminator(resolution, width, condition_dim)

    return with_weights(build, discriminator_names(resolution), weights, str(path))
