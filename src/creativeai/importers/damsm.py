"""AttnGAN's published text and image encoders (Xu et al. 2018, arXiv:1711.10485), with their vocabulary."""

from pathlib import Path

import torch
from torch import Tensor, nn

from creativeai.errors import DataError
from creativeai.importers.captions import PublishedCaptions
from creativeai.importers.name_map import Names, Weights, shape_of, with_weights
from creativeai.importers.recognise import ATTNGAN_IMAGE, ATTNGAN_TEXT, check_kind
from creativeai.models.damsm import DamsmImageHeads, DamsmTextEncoder
from creativeai.models.inception_v3 import InceptionV3
from creativeai.recipes.encoders.contract import EncoderGraph
from creativeai.recipes.encoders.damsm_config import DamsmConfig
from creativeai.recipes.encoders.damsm_graph import DamsmTextGraph
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, guide_bytes
from creativeai.text.damsm import VOCABULARY_NAME
from creativeai.text.vocabulary import Tokeniser, tokens_of

__all__ = [
    "TEXT_NAMES",
    "ImageEncoder",
    "check_same_dim",
    "guide_files",
    "image_encoder",
    "image_names",
    "text_encoder",
    "text_graph",
    "tokeniser_of",
]

MAX_WORDS = 25
"""Words of a caption: what the authors evaluate birds with. Their own demonstration has no limit."""

_TOKENISERS: tuple[Tokeniser, ...] = ("attngan", "plain", "unicode")
"""The authors' own first: it is taken for every vocabulary that it can read as well as the others."""
_LEAST_REACHED = 0.5
"""Share of a vocabulary's words that someone must be able to type."""

TEXT_NAMES: Names = {"encoder": "encoder", "rnn": "rnn"}
"""Our text encoder has the published names."""


class ImageEncoder(nn.Module):
    """Inception-v3 with DAMSM's two heads; its batch-norm statistics drifted while the heads were trained."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.trunk = InceptionV3()
        self.heads = DamsmImageHeads(InceptionV3.region_channels, InceptionV3.global_channels, dim)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Regions [B, D, 17, 17] and picture vectors [B, D] of pictures [B, 3, R, R] in [-1, 1]."""
        regions: Tensor
        global_code: Tensor
        regions, global_code = self.heads(*self.trunk(images))
        return regions, global_code


def image_names() -> Names:
    """Our modules and CNN_ENCODER's: torchvision's names of Inception-v3, and those of the heads."""
    with torch.device("meta"):
        trunk = InceptionV3()
    layers = [name for name, layer in trunk.named_modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    heads = {f"heads.{name}": name for name in ("emb_features", "emb_cnn_code")}
    return {f"trunk.{name}": name for name in layers} | heads


def text_encoder(weights: Weights, path: Path) -> DamsmTextEncoder:
    """The text encoder of any vocabulary and width.

    Raises:
        DataError: The tensors are of another network, or one is missing, left over or wrongly shaped.
    """
    check_kind(weights, ATTNGAN_TEXT, path)
    num_words, embedding_dim = shape_of(weights, "encoder.weight", 2, str(path))
    _, half_dim = shape_of(weights, "rnn.weight_hh_l0", 2, str(path))

    def build() -> DamsmTextEncoder:
        return DamsmTextEncoder(num_words, embedding_dim, 2 * half_dim)

    return with_weights(build, TEXT_NAMES, weights, str(path))


def image_encoder(weights: Weights, path: Path) -> ImageEncoder:
    """The image encoder, its running statistics included.

    Raises:
        DataError: As for the text encoder.
    """
    check_kind(weights, ATTNGAN_IMAGE, path)
    dim = shape_of(weights, "emb_features.weight", 4, str(path))[0]
    return with_weights(lambda: ImageEncoder(dim), image_names(), weights, str(path))


class _PublishedText(nn.Module):
    """Word vectors and the sentence vector as it is, which our own encoders bring to length 1."""

    def __init__(self, text: DamsmTextEncoder) -> None:
        super().__init__()
        self.text = DamsmTextGraph(text)

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        words, _ = self.text(ids, lengths)
        half = words.shape[2] // 2
        ends = (lengths - 1)[:, None, None].expand(-1, 1, half)
        # One direction ends at the last word, the other at the first.
        last = words[:, :, :half].gather(1, ends).squeeze(1)
        return words, torch.cat([last, words[:, 0, half:]], dim=1)


def text_graph(text: DamsmTextEncoder, path: Path, captions: PublishedCaptions) -> EncoderGraph:
    """The text encoder with its vocabulary, ready to be exported.

    Args:
        text: The encoder.
        path: Its file, for messages.
        captions: The vocabulary, and the file it is from.

    Raises:
        DataError: The vocabulary has another number of words than the encoder, or most of its words can't be
            typed.
    """
    num_rows = text.encoder.num_embeddings
    if len(captions.words) != num_rows:
        raise DataError(
            f"{path} knows {num_rows:,} words, but {captions.path} has {len(captions.words):,}: give the "
            "captions.pickle that the text encoder was trained with"
        )
    return EncoderGraph(
        name="damsm",
        network=_PublishedText(text),
        inputs={"ids": torch.ones(2, 3, dtype=torch.int64), "lengths": torch.tensor([3, 2])},
        varying={"ids": (0, 1), "lengths": (0,)},
        outputs=("words", "sentence"),
        settings={"max_words": str(MAX_WORDS), "tokeniser": tokeniser_of(captions)},
        files={VOCABULARY_NAME: "".join(f"{word}\n" for word in captions.words).encode()},
    )


def tokeniser_of(captions: PublishedCaptions) -> Tokeniser:
    """The way of taking texts apart by which most words of the vocabulary come out as they stand in it.

    Args:
        captions: The vocabulary, and the file it is from.

    Raises:
        DataError: Under half of the words can be reached by any way.
    """
    words = captions.words[1:]  # the first is the end, which nobody types
    reached = {way: sum(tokens_of(word, way) == [word] for word in words) for way in _TOKENISERS}
    best = max(_TOKENISERS, key=lambda way: reached[way])
    if not words or reached[best] < _LEAST_REACHED * len(words):
        lost = next((word for word in words if tokens_of(word, best) != [word]), "")
        raise DataError(
            f"{captions.path}: of the {len(words):,} words in its vocabulary {reached[best]:,} can be typed "
            f"(not {lost[:40]!r}): words are runs of letters, digits and _ in small letters; give the "
            "captions.pickle of a text encoder that was trained on such words"
        )
    return best


def guide_files(encoder: ImageEncoder, path: Path) -> dict[str, bytes]:
    """The guide by which `creativeai train attngan` learns; Inception-v3's weights stay in the file itself.

    Args:
        encoder: The image encoder.
        path: Its file.
    """
    config = DamsmConfig(trunk="inception_v3", trunk_weights=str(path))
    return {GUIDE_NAME: guide_bytes(config, encoder.heads, None)}


def check_same_dim(text: DamsmTextEncoder, text_path: Path, image: ImageEncoder, image_path: Path) -> None:
    """Refuse encoders that don't share a space.

    Raises:
        DataError: As said, naming both sizes.
    """
    ours, theirs = 2 * text.rnn.hidden_size, image.heads.emb_cnn_code.out_features
    if ours != theirs:
        raise DataError(
            f"{text_path} gives vectors of {ours} numbers, but {image_path} of {theirs}: give the two "
            "encoders that were trained together"
        )
