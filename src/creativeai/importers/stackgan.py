"""Published networks of StackGAN's PyTorch code (Zhang et al. 2017, arXiv:1612.03242): both stages."""

from pathlib import Path

from creativeai.importers.layers import augmentation, initial_stage, num_residual_of, residual, upsamplings
from creativeai.importers.name_map import Names, Weights, num_numbered, shape_of, size_beside, with_weights
from creativeai.importers.recognise import STACKGAN_D, STACKGAN_STAGE1_G, STACKGAN_STAGE2_G, check_kind
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.stackgan_stage1 import StackGanStage1Generator, stackgan_stage1_discriminator
from creativeai.models.stackgan_stage2 import StackGanStage2Generator, stackgan_stage2_discriminator

__all__ = [
    "discriminator",
    "discriminator_names",
    "stage1_generator",
    "stage1_names",
    "stage2_generator",
    "stage2_names",
]

_FIRST = "STAGE1_G."


def stage1_names(ours: str = "", theirs: str = "") -> Names:
    """Our modules and those of STAGE1_G; within stage II, with what stands before their names."""
    return (
        augmentation(ours, theirs)
        | initial_stage(f"{ours}stage", theirs)
        | {f"{ours}to_image.0": f"{theirs}img.0"}
    )


def stage2_names(num_residual: int, num_upsamplings: int) -> Names:
    """Our modules and those of STAGE2_G, the first stage among them."""
    return (
        {**stage1_names("stage1.", _FIRST)}
        | augmentation()
        | {f"encoder.{part}": f"encoder.{part}" for part in (0, 2, 3, 5, 6)}
        | {f"joint.{part}": f"hr_joint.{part}" for part in (0, 1)}
        | residual("", "", num_residual)
        | upsamplings("", "", num_upsamplings)
        | {"to_image.0": "img.0"}
    )


def discriminator_names(resolution: int, *, has_unconditional: bool) -> Names:
    """Our modules and those of STAGE1_D (64 px, conditional only) and STAGE2_D (256 px)."""
    convs = [_layer_of_conv(number) for number in range(_num_convs(resolution))]
    names = {f"encoder.{layer}": f"encode_img.{layer}" for layer in convs}
    # A normalisation behind each convolution but the first.
    names |= {f"encoder.{layer + 1}": f"encode_img.{layer + 1}" for layer in convs[1:]}
    names |= {f"joint.{part}": f"get_cond_logits.outlogits.{part}" for part in (0, 1)}
    names["to_conditional"] = "get_cond_logits.outlogits.3"
    return names | ({"to_unconditional": "get_uncond_logits.outlogits.0"} if has_unconditional else {})


def _num_convs(resolution: int) -> int:
    """With a stride down to side 4, and without for each doubling of channels beyond 8 * width."""
    num_down = (resolution // 4).bit_length() - 1
    return num_down + num_down - 4


def _layer_of_conv(number: int) -> int:
    """Number of the layer that the encoder's n-th convolution is: the first one lacks a normalisation."""
    return max(3 * number - 1, 0)


def stage1_generator(weights: Weights, path: Path) -> StackGanStage1Generator:
    """The generator of stage I of any width.

    Raises:
        DataError: The tensors are of another network, or one is missing, left over or wrongly shaped.
    """
    check_kind(weights, STACKGAN_STAGE1_G, path)
    sizes = _stage1_sizes(weights, "", str(path))
    return with_weights(lambda: StackGanStage1Generator(*sizes), stage1_names(), weights, str(path))


def stage2_generator(weights: Weights, path: Path) -> StackGanStage2Generator:
    """The generator of stage II with its first stage, of any width.

    Raises:
        DataError: As for stage I.
    """
    check_kind(weights, STACKGAN_STAGE2_G, path)
    origin = str(path)
    first = _stage1_sizes(weights, _FIRST, origin)
    two_codes, text_dim = shape_of(weights, "ca_net.fc.weight", 2, origin)
    width = shape_of(weights, "encoder.0.weight", 4, origin)[0]
    num_residual = num_residual_of(weights, "")
    num_upsamplings = num_numbered(weights, "upsample{}.1.weight", first=1)

    def build() -> StackGanStage2Generator:
        return StackGanStage2Generator(
            StackGanStage1Generator(*first),
            text_dim,
            two_codes // 2,
            width,
            num_residual,
            num_upsamplings,
        )

    return with_weights(build, stage2_names(num_residual, num_upsamplings), weights, origin)


def discriminator(weights: Weights, path: Path) -> JointDiscriminator:
    """The discriminator of either stage, of any width.

    Raises:
        DataError: As for the generators.
    """
    check_kind(weights, STACKGAN_D, path)
    width = shape_of(weights, "encode_img.0.weight", 4, str(path))[0]
    condition_dim = size_beside(weights, "get_cond_logits.outlogits.0.weight", 8 * width, str(path))
    resolution = next(
        (
            side
            for side in (256, 128)
            if f"encode_img.{_layer_of_conv(_num_convs(side) - 1)}.weight" in weights
        ),
        64,
    )
    has_unconditional = "get_uncond_logits.outlogits.0.weight" in weights

    def build() -> JointDiscriminator:
        if has_unconditional:
            return stackgan_stage2_discriminator(resolution, width, condition_dim)
        return stackgan_stage1_discriminator(width, condition_dim)

    names = discriminator_names(resolution, has_unconditional=has_unconditional)
    return with_weights(build, names, weights, str(path))


def _stage1_sizes(weights: Weights, before: str, origin: str) -> tuple[int, int, int, int]:
    """Noise, text, condition and width of a first stage."""
    two_codes, text_dim = shape_of(weights, f"{before}ca_net.fc.weight", 2, origin)
    z_dim = size_beside(weights, f"{before}fc.0.weight", two_codes // 2, origin)
    half_width = shape_of(weights, f"{before}img.0.weight", 4, origin)[1]
    return z_dim, text_dim, two_codes // 2, 2 * half_width
