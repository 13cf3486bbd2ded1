"""Which published network a set of tensors is."""

from collections.abc import Iterable
from pathlib import Path

from creativeai.errors import DataError
from creativeai.importers.name_map import Weights

__all__ = ["check_kind", "kind_of"]

ATTNGAN_G = "AttnGAN's generator"
ATTNGAN_D = "AttnGAN's discriminator"
ATTNGAN_TEXT = "AttnGAN's text encoder"
ATTNGAN_IMAGE = "AttnGAN's image encoder"
STACKGAN_V2_G = "StackGAN-v2's generator"
STACKGAN_V2_D = "StackGAN-v2's discriminator"
STACKGAN_STAGE1_G = "StackGAN's generator of stage I"
STACKGAN_STAGE2_G = "StackGAN's generator of stage II"
STACKGAN_D = "StackGAN's discriminator"
DF_GAN_G = "DF-GAN's generator"

_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (ATTNGAN_G, ("h_net1.fc.0.weight", "h_net2.att.conv_context.weight")),
    (STACKGAN_V2_G, ("h_net1.fc.0.weight", "h_net2.jointConv.0.weight")),
    ("StackGAN-v2's or AttnGAN's generator of one stage", ("h_net1.fc.0.weight",)),
    (STACKGAN_STAGE2_G, ("STAGE1_G.fc.0.weight",)),
    (STACKGAN_STAGE1_G, ("fc.0.weight", "upsample1.1.weight", "img.0.weight")),
    (DF_GAN_G, ("GBlocks.0.c1.weight",)),
    (ATTNGAN_D, ("COND_DNET.jointConv.0.weight",)),
    (STACKGAN_V2_D, ("img_code_s16.0.weight", "jointConv.0.weight")),
    (STACKGAN_D, ("get_cond_logits.outlogits.0.weight",)),
    ("DF-GAN's discriminator", ("DBlocks.0.conv_r.0.weight",)),
    ("DF-GAN's head netC", ("joint_conv.0.weight",)),
    (ATTNGAN_TEXT, ("encoder.weight", "rnn.weight_ih_l0")),
    (ATTNGAN_IMAGE, ("emb_features.weight", "Mixed_7c.branch1x1.conv.weight")),
    ("torchvision's Inception-v3", ("Mixed_7c.branch1x1.conv.weight",)),
)
"""Tensors by which each kind is told; the first kind that has all of its signs."""


def kind_of(names: Iterable[str]) -> str | None:
    """The kind of network that has tensors of these names, or None."""
    given = set(names)
    return next((kind for kind, signs in _SIGNS if given.issuperset(signs)), None)


def check_kind(weights: Weights, wanted: str, path: Path) -> None:
    """Refuse another network than the one wanted, saying which one it looks like.

    Raises:
        DataError: As said.
    """
    kind = kind_of(weights)
    if kind is None:
        named = ", ".join(sorted(weights)[:4])
        raise DataError(f"{path} is not {wanted}, but an unknown network with tensors such as {named}")
    if kind != wanted:
        raise DataError(f"{path} looks like {kind}: give a file of {wanted}")
