"""From a published text encoder to the folder that `creativeai train --text-encoder` takes."""

from pathlib import Path

from creativeai.bundles.text_export import export_text_encoder
from creativeai.bundles.writer import refuse_existing
from creativeai.importers.bundle import provenance_of
from creativeai.importers.published import char_cnn_rnn_encoder, damsm_encoder
from creativeai.text.alphabet import UnknownCharacters
from creativeai.text.encoder import TextEncoder

__all__ = ["import_char_cnn_rnn", "import_damsm"]


def import_damsm(
    text_encoder: Path,
    image_encoder: Path | None,
    captions: Path,
    out: Path,
    title: str | None,
    licence: str | None,
) -> TextEncoder:
    """Write AttnGAN's text encoder as a folder, with the guide for `creativeai train attngan`.

    Args:
        text_encoder: Its file.
        image_encoder: The image encoder's file; without, a model can read the vectors but not be guided.
        captions: The captions.pickle with its vocabulary.
        out: Folder to make; must not exist.
        title: One line for people.
        licence: Licence of the weights, if known.

    Raises:
        BundleError: `out` exists or can't be written.
        DataError: A file isn't what it should be, or two don't belong together.
    """
    refuse_existing(out)
    graph, _ = damsm_encoder(text_encoder, captions, image_encoder)
    files = {"text_encoder": text_encoder, "captions": captions}
    if image_encoder is not None:
        files["image_encoder"] = image_encoder
    return export_text_encoder(
        graph,
        out,
        title or "AttnGAN's text encoder, published weights",
        licence or "unknown",
        {"imported_from": provenance_of(files)},
    )


def import_char_cnn_rnn(
    file: Path, unknown_characters: UnknownCharacters, out: Path, title: str | None, licence: str | None
) -> TextEncoder:
    """Write a published character CNN-RNN as a folder.

    Args:
        file: Its `.t7`.
        unknown_characters: What becomes of capitals and unknown characters.
        out: Folder to make; must not exist.
        title: One line for people.
        licence: Licence of the weights, if known.

    Raises:
        BundleError: `out` exists or can't be written.
        DataError: The file isn't what it should be.
    """
    refuse_existing(out)
    graph = char_cnn_rnn_encoder(file, unknown_characters)
    return export_text_encoder(
        graph,
        out,
        title or "Character CNN-RNN, published weights",
        licence or "unknown",
        {"imported_from": provenance_of({"text_encoder": file})},
    )
