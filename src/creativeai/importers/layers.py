"""Name maps of what several published networks are built of."""

from creativeai.importers.name_map import Weights, num_numbered, shape_of, size_beside

__all__ = [
    "augmentation",
    "image_code",
    "initial_sizes",
    "initial_stage",
    "num_residual_of",
    "residual",
    "resolution_of_image_code",
    "stage_upsampling",
    "upsamplings",
]

_IMAGE_CODE = {
    64: ("img_code_s16.0", "img_code_s16.2", "img_code_s16.5", "img_code_s16.8"),
    128: ("img_code_s32.0", "img_code_s32_1.0"),
    256: ("img_code_s32.0", "img_code_s64.0", "img_code_s64_1.0", "img_code_s64_2.0"),
}
"""Convolutions of the published discriminators for each resolution; above 64 px, behind those of 64. All but
the first have a normalisation, numbered one higher."""


def augmentation(ours: str = "", theirs: str = "") -> dict[str, str]:
    """Conditioning augmentation; of a network within another, with what stands before its names."""
    return {f"{ours}augment.fc": f"{theirs}ca_net.fc"}


def initial_stage(ours: str, theirs: str) -> dict[str, str]:
    """The linear layer and four upsamplings up to side 64.

    Args:
        ours: Name of our module.
        theirs: What stands before the published names, such as `h_net1.`.
    """
    return {f"{ours}.fc.{part}": f"{theirs}fc.{part}" for part in (0, 1)} | upsamplings(f"{ours}.", theirs, 4)


def initial_sizes(weights: Weights, origin: str) -> tuple[int, int, int]:
    """Lengths of noise, sentence vector and condition of a generator of StackGAN-v2 or AttnGAN.

    Raises:
        DataError: A tensor they are read from is missing, or two don't belong together.
    """
    four_codes, text_dim = shape_of(weights, "ca_net.fc.weight", 2, origin)
    condition_dim = four_codes // 4
    return size_beside(weights, "h_net1.fc.0.weight", condition_dim, origin), text_dim, condition_dim


def upsamplings(ours: str, theirs: str, num: int) -> dict[str, str]:
    """Upsampling blocks in a row; the published ones count from 1, their upsampling a layer by itself."""
    return {
        f"{ours}upsample.{block}.{part}": f"{theirs}upsample{block + 1}.{part + 1}"
        for block in range(num)
        for part in (0, 1)
    }


def residual(ours: str, theirs: str, num: int) -> dict[str, str]:
    """Residual blocks: two convolutions with their normalisations each."""
    return {
        f"{ours}residual.{block}.body.{part}": f"{theirs}residual.{block}.block.{part}"
        for block in range(num)
        for part in (0, 1, 3, 4)
    }


def stage_upsampling(ours: str, theirs: str, num_residual: int) -> dict[str, str]:
    """What every further stage of StackGAN-v2 and AttnGAN ends with: residual blocks and one upsampling."""
    return residual(f"{ours}.", f"{theirs}.", num_residual) | {
        f"{ours}.upsample.{part}": f"{theirs}.upsample.{part + 1}" for part in (0, 1)
    }


def image_code(resolution: int) -> dict[str, str]:
    """Convolutions of StackGAN-v2's and AttnGAN's discriminators, ours in one row, three layers each."""
    first, *others = [*_IMAGE_CODE[64], *(_IMAGE_CODE[resolution] if resolution > 64 else ())]
    names = {"encoder.0": first}
    for place, conv in enumerate(others):
        block, _, part = conv.rpartition(".")
        names[f"encoder.{3 * place + 2}"] = conv
        names[f"encoder.{3 * place + 3}"] = f"{block}.{int(part) + 1}"
    return names


def resolution_of_image_code(weights: Weights) -> int:
    """The resolution of a published discriminator of StackGAN-v2 or AttnGAN."""
    if "img_code_s64.0.weight" in weights:
        return 256
    return 128 if "img_code_s32.0.weight" in weights else 64


def num_residual_of(weights: Weights, before: str) -> int:
    """How many residual blocks there are under a published name such as `h_net2.`."""
    return num_numbered(weights, before + "residual.{}.block.0.weight")
