"""DF-GAN's published generator (Tao et al. 2022, arXiv:2008.05865): for inference, non-commercial."""

from pathlib import Path

from creativeai.importers.name_map import Names, Weights, num_numbered, shape_of, size_beside, with_weights
from creativeai.importers.recognise import DF_GAN_G, check_kind
from creativeai.models.df_gan import DfGanGenerator

__all__ = ["generator", "generator_names"]

_LAYERS = {"scale": "fc_gamma", "shift": "fc_beta"}


def generator_names(num_blocks: int) -> Names:
    """Our modules and DF-GAN's netG."""
    names = {"fc": "fc", "to_image.1": "to_rgb.1"}
    for block in range(num_blocks):
        ours, theirs = f"blocks.{block}", f"GBlocks.{block}"
        names |= {f"{ours}.conv{conv}": f"{theirs}.c{conv}" for conv in (1, 2)}
        # The last three blocks of any depth halve the channels, and so have a shortcut with weights.
        if block >= num_blocks - 3:
            names[f"{ours}.shortcut"] = f"{theirs}.c_sc"
        for fusion in (1, 2):
            for affine in (0, 1):
                for layer, published in _LAYERS.items():
                    inner = f"{ours}.fusion{fusion}.affine.{affine}.{layer}"
                    outer = f"{theirs}.fuse{fusion}.affine{affine}.{published}"
                    names |= {f"{inner}.0": f"{outer}.linear1", f"{inner}.2": f"{outer}.linear2"}
    return names


def generator(weights: Weights, path: Path) -> DfGanGenerator:
    """The generator of any width and number of blocks.

    Raises:
        DataError: The tensors are of another network, or one is missing, left over or wrongly shaped.
    """
    check_kind(weights, DF_GAN_G, path)
    origin = str(path)
    _, z_dim = shape_of(weights, "fc.weight", 2, origin)
    text_dim = size_beside(weights, "GBlocks.0.fuse1.affine0.fc_gamma.linear1.weight", z_dim, origin)
    width = shape_of(weights, "to_rgb.1.weight", 4, origin)[1]
    num_blocks = num_numbered(weights, "GBlocks.{}.c1.weight")

    def build() -> DfGanGenerator:
        return DfGanGenerator(z_dim, text_dim, width, num_blocks)

    return with_weights(build, generator_names(num_blocks), weights, origin)
