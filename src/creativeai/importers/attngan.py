"""Published networks of AttnGAN and AttnDCGAN (Xu et al. 2018, arXiv:1711.10485)."""

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
from creativeai.importers.recognise import ATTNGAN_D, ATTNGAN_G, check_kind
from creativeai.models.attngan import AttnGanGenerator, attngan_discriminator
from creativeai.models.layers.joint_discriminator import JointDiscriminator

__all__ = ["discriminator", "discriminator_names", "generator", "generator_names"]


def generator_names(num_stages: int, num_residual: int, *, last_image_only: bool) -> Names:
    """Our modules and AttnGAN's.

    Args:
        num_stages: Stages, the first of which does not attend.
        num_residual: Residual blocks of each further stage.
        last_image_only: Whether it is AttnDCGAN, which draws only the last picture.
    """
    names = augmentation() | initial_stage("initial", "h_net1.")
    for stage in range(num_stages - 1):
        ours, theirs = f"attend.{stage}", f"h_net{stage + 2}"
        names[f"{ours}.attend.project"] = f"{theirs}.att.conv_context"
        names |= stage_upsampling(ours, theirs, num_residual)
    if last_image_only:
        return names | {"to_image.0.0": "img_net.img.0"}
    return names | {f"to_image.{stage}.0": f"img_net{stage + 1}.img.0" for stage in range(num_stages)}


def discriminator_names(resolution: int, *, has_unconditional: bool) -> Names:
    """Our modules and those of AttnGAN's D_NET64, D_NET128 and D_NET256."""
    names = image_code(resolution) | {
        "joint.0": "COND_DNET.jointConv.0",
        "joint.1": "COND_DNET.jointConv.1",
        "to_conditional": "COND_DNET.outlogits.0",
    }
    return names | ({"to_unconditional": "UNCOND_DNET.outlogits.0"} if has_unconditional else {})


def generator(weights: Weights, path: Path) -> AttnGanGenerator:
    """The generator of any width, number of stages and of residual blocks.

    Raises:
        DataError: The tensors are of another network, or one is missing, left over or wrongly shaped.
    """
    check_kind(weights, ATTNGAN_G, path)
    origin = str(path)
    z_dim, text_dim, condition_dim = initial_sizes(weights, origin)
    width = shape_of(weights, "h_net2.att.conv_context.weight", 4, origin)[0]
    num_stages = 1 + num_numbered(weights, "h_net{}.att.conv_context.weight", first=2)
    num_residual = num_residual_of(weights, "h_net2.")
    last_image_only = "img_net.img.0.weight" in weights

    def build() -> AttnGanGenerator:
        return AttnGanGenerator(
            z_dim,
            text_dim,
            condition_dim,
            width,
            num_stages,
            num_residual,
            last_image_only=last_image_only,
        )

    names = generator_names(num_stages, num_residual, last_image_only=last_image_only)
    return with_weights(build, names, weights, origin)


def discriminator(weights: Weights, path: Path) -> JointDiscriminator:
    """The discriminator of any resolution and width, with or without an unconditional head.

    Raises:
        DataError: As for the generator.
    """
    check_kind(weights, ATTNGAN_D, path)
    width = shape_of(weights, "img_code_s16.0.weight", 4, str(path))[0]
    condition_dim = size_beside(weights, "COND_DNET.jointConv.0.weight", 8 * width, str(path))
    resolution = resolution_of_image_code(weights)
    has_unconditional = "UNCOND_DNET.outlogits.0.weight" in weights

    def build() -> JointDiscriminator:
        return attngan_discriminator(resolution, width, condition_dim, has_unconditional=has_unconditional)

    names = discriminator_names(resolution, has_unconditional=has_unconditional)
    return with_weights(build, names, weights, str(path))
