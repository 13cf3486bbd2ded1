"""Published files of each model, read and put together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from torch import nn

from creativeai.errors import DataError
from creativeai.importers import attngan, char_cnn_rnn, damsm, df_gan, stackgan, stackgan_v2
from creativeai.importers.bundle import Published
from creativeai.importers.captions import read_captions
from creativeai.importers.checkpoint_file import read_weights
from creativeai.importers.name_map import Weights
from creativeai.models.df_gan import DfGanGenerator
from creativeai.recipes.encoders.contract import EncoderGraph
from creativeai.text.alphabet import UnknownCharacters

__all__ = ["char_cnn_rnn_encoder", "damsm_encoder", "published_model"]

_NUM_EXAMPLES = 6
_SENTENCES = ("a small bird with a red head and white wings", "a flower with purple petals")
"""For models whose files hold no captions: their authors published weights of birds, flowers and COCO."""


@dataclass(frozen=True)
class _Kind:
    title: str
    read: Callable[[Weights, Path], nn.Module]
    encoder: Literal["damsm", "char_cnn_rnn"]
    note: str = ""
    licence: str = "unknown"


_KINDS = {
    "attngan": _Kind("AttnGAN, published weights", attngan.generator, "damsm"),
    "df_gan": _Kind(
        "DF-GAN, published weights (non-commercial)",
        df_gan.generator,
        "damsm",
        note="DF-GAN's weights are CC BY-NC-SA: for non-commercial use only.",
        licence="CC-BY-NC-SA-4.0 (weights: non-commercial use only); pictures: unknown",
    ),
    "stackgan_stage1": _Kind("StackGAN-I, published weights", stackgan.stage1_generator, "char_cnn_rnn"),
    "stackgan_stage2": _Kind("StackGAN, published weights", stackgan.stage2_generator, "char_cnn_rnn"),
    "stackgan_v2": _Kind("StackGAN-v2, published weights", stackgan_v2.generator, "char_cnn_rnn"),
}


def published_model(
    recipe: str,
    generator: Path,
    text_encoder: Path,
    captions: Path | None,
    unknown_characters: UnknownCharacters = "port",
) -> Published:
    """A generator and its text encoder.

    Args:
        recipe: `attngan`, `df_gan`, `stackgan_stage1`, `stackgan_stage2` or `stackgan_v2`.
        generator: The file of its netG.
        text_encoder: AttnGAN's text encoder, or a character CNN-RNN's `.t7`.
        captions: captions.pickle of AttnGAN's text encoder; None for a character CNN-RNN.
        unknown_characters: What a character CNN-RNN does with capitals and unknown characters.

    Raises:
        DataError: A file isn't what it should be.
    """
    kind = _KINDS[recipe]
    network = kind.read(read_weights(generator, "netG"), generator)
    files = {"generator": generator, "text_encoder": text_encoder}
    if kind.encoder == "damsm":
        assert captions is not None
        encoder, examples = damsm_encoder(text_encoder, captions)
        files["captions"] = captions
    else:
        encoder, examples = char_cnn_rnn_encoder(text_encoder, unknown_characters), _SENTENCES
    return Published(
        recipe=recipe,
        title=kind.title,
        generator=network,
        text_dim=_text_dim(network),
        encoder=encoder,
        files=files,
        examples=examples,
        note=kind.note,
        licence=kind.licence,
    )


def damsm_encoder(
    text_encoder: Path, captions: Path, image_encoder: Path | None = None
) -> tuple[EncoderGraph, tuple[str, ...]]:
    """AttnGAN's text encoder with its vocabulary, and some test captions.

    Args:
        text_encoder: Its file.
        captions: The captions.pickle with its vocabulary.
        image_encoder: The file of the image encoder, of which a guide is made.

    Raises:
        DataError: A file isn't what it should be, or two don't belong together.
    """
    text = damsm.text_encoder(read_weights(text_encoder, "text_encoder"), text_encoder)
    vocabulary = read_captions(captions)
    graph = damsm.text_graph(text, text_encoder, vocabulary)
    if image_encoder is not None:
        image = damsm.image_encoder(read_weights(image_encoder, "image_encoder"), image_encoder)
        damsm.check_same_dim(text, text_encoder, image, image_encoder)
        graph = replace(graph, files={**graph.files, **damsm.guide_files(image, image_encoder)})
    examples = vocabulary.examples(_NUM_EXAMPLES)
    if not examples:
        raise DataError(f"{captions} has no test caption: give the whole captions.pickle")
    return graph, examples


def char_cnn_rnn_encoder(file: Path, unknown_characters: UnknownCharacters) -> EncoderGraph:
    """A character CNN-RNN of a `.t7` file.

    Raises:
        DataError: The file isn't what it should be.
    """
    return char_cnn_rnn.text_graph(char_cnn_rnn.read_text_encoder(file), unknown_characters)


def _text_dim(generator: nn.Module) -> int:
    if isinstance(generator, DfGanGenerator):
        return generator.text_dim
    return cast(int, generator.get_submodule("augment.fc").in_features)
