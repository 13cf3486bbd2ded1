"""From a published generator and its text encoder to a bundle that engine, server and page read."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import nn

from creativeai.bundles.export_parts import check_fields, example_grid
from creativeai.bundles.manifest import GENERATOR_NAME, TEXT_FOLDER
from creativeai.bundles.model_card import model_card
from creativeai.bundles.onnx_export import generator_to_onnx
from creativeai.bundles.reader import Bundle
from creativeai.bundles.text_export import export_text_encoder
from creativeai.bundles.writer import refuse_existing, write_bundle
from creativeai.errors import DataError
from creativeai.importers.options import BundleOptions
from creativeai.models.generator_output import noise_dim_of
from creativeai.recipes.encoders.contract import EncoderGraph
from creativeai.text.encoder import TextEncoder

__all__ = ["Published", "provenance_of", "write_imported"]

PRESET = "published"
_UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published model, its tensors in our networks."""

    recipe: str
    title: str
    generator: nn.Module
    text_dim: int
    """Length of the sentence vectors that the generator reads."""
    encoder: EncoderGraph
    files: Mapping[str, Path]
    """What it was made of: `generator` and further files by what they are."""
    examples: tuple[str, ...]
    note: str = ""
    """What its users must know, for the description."""
    licence: str = _UNKNOWN


def write_imported(model: Published, out: Path, options: BundleOptions) -> Bundle:
    """Write a published model as a bundle; what is unknown of its training is unknown in its manifest.

    Args:
        model: The model.
        out: Folder to make; must not exist.
        options: Name and words.

    Raises:
        BundleError: `out` exists or can't be written, a name isn't right, or a weight is too large for half
            precision.
        DataError: Generator and text encoder don't belong together.
        TextError: No word of an example sentence is known.
    """
    refuse_existing(out)
    title = options.title or model.title
    licence = options.licence or model.licence
    provenance = provenance_of(model.files)
    examples = options.examples or model.examples
    resolutions = cast(tuple[int, ...], model.generator.resolutions)
    fields: dict[str, Any] = {
        "name": options.name,
        "title": title,
        "description": _description(model, options.description or f"{title}, imported."),
        "recipe": model.recipe,
        "preset": PRESET,
        "noise_dim": noise_dim_of(model.generator),
        "stages": [{"output": f"image_{side}", "resolution": side} for side in resolutions],
        "text_encoder": {"name": model.encoder.name, "digest": "0" * 64, "folder": TEXT_FOLDER},
        "dataset": {
            "name": _UNKNOWN,
            "title": _UNKNOWN,
            "digest": None,
            "licence": licence,
            "num_train": None,
            "num_val": None,
            "description": "The files don't say which pictures its authors trained it on.",
        },
        "training": {
            "steps": None,
            "images_seen": None,
            "seconds": None,
            "cpu_seconds": None,
            "earlier_steps": 0,
            "hyperparameters": {"imported_from": provenance},
        },
        "metrics": {},
        "default_truncation": options.default_truncation,
        "examples": list(examples),
    }
    check_fields(fields)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent) as scratch:
        folder = Path(scratch) / TEXT_FOLDER
        encoder = export_text_encoder(
            model.encoder, folder, f"Text encoder of {title}", licence, {"imported_from": provenance}
        )
        _check_same_dim(model, encoder)
        fields["text_encoder"]["digest"] = encoder.digest
        exported = generator_to_onnx(model.generator, encoder.dim, encoder.max_words)
        fields["attention"] = [
            {"output": f"attention_{side}", "resolution": side} for side in exported.attention_resolutions
        ]
        files: dict[str, bytes | Path] = {
            GENERATOR_NAME: exported.graph,
            "samples.webp": example_grid(model.generator, examples, encoder, options.default_truncation),
            "MODEL_CARD.md": model_card(fields).encode(),
        }
        stated = json.loads((folder / "encoder.json").read_bytes())["files"]
        files |= {f"{TEXT_FOLDER}/{name}": folder / name for name in ["encoder.json", *stated]}
        return write_bundle(out, fields, files)


def provenance_of(files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Name and SHA-256 of each file, by what it is.

    Raises:
        DataError: One can't be read.
    """
    entries = {}
    for role, path in files.items():
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"can't read {path}: {error.strerror or error}") from None
        entries[role] = {"file": path.name, "sha256": digest}
    return entries


def _description(model: Published, description: str) -> str:
    return f"{description} {model.note}" if model.note else description


def _check_same_dim(model: Published, encoder: TextEncoder) -> None:
    if encoder.dim != model.text_dim:
        raise DataError(
            f"{model.files['generator']} reads sentences of {model.text_dim} numbers, but the text encoder "
            f"{model.files['text_encoder']} gives {encoder.dim}: give the encoder that it was trained with"
        )
