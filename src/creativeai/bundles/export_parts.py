"""What a bundle is made of, whether its weights come from a run or from a published file."""

import io
import json
from typing import Any

import numpy as np
import torch
from PIL import Image

from creativeai.bundles.manifest import GENERATOR_NAME, SCHEMA_VERSION, TEXT_FOLDER, parse_manifest
from creativeai.models.conditioning import text_tensors
from creativeai.models.generator_output import noise_dim_of
from creativeai.models.pixels import tensor_to_pixels
from creativeai.text.encoder import TextEncoder
from creativeai.training.monitor import picture_grid

__all__ = ["NUM_EXAMPLES", "check_fields", "example_grid"]

NUM_EXAMPLES = 6
"""Sentences that a bundle offers unless others are given."""
_GRID_COLUMNS = 6


def check_fields(fields: dict[str, Any]) -> None:
    """Refuse a wrong name or sentence now rather than after minutes of measuring.

    Raises:
        BundleError: As said.
    """
    names = (GENERATOR_NAME, f"{TEXT_FOLDER}/encoder.json")
    unwritten = {name: {"sha256": "0" * 64, "size": 0} for name in names}
    content = {"schema_version": SCHEMA_VERSION, "created": 0, "code_version": "0", "files": unwritten}
    parse_manifest(json.dumps(content | fields).encode(), "the bundle's manifest")


def example_grid(
    generator: torch.nn.Module, examples: tuple[str, ...], encoder: TextEncoder, truncation: float
) -> bytes:
    """Six pictures of each example sentence, a row a sentence, as WebP."""
    text = text_tensors(encoder.encode(list(examples))).repeated(_GRID_COLUMNS)
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(len(text.sentence), noise_dim_of(generator), generator=random) * truncation
    # Row by row: all at once takes a gigabyte at 256 px.
    rows = zip(noise.split(_GRID_COLUMNS), text.split_by(_GRID_COLUMNS), strict=True)
    with torch.no_grad():
        pixels = np.concatenate([tensor_to_pixels(generator(*row).images[-1]) for row in rows])
    file = io.BytesIO()
    Image.fromarray(picture_grid(pixels, _GRID_COLUMNS)).save(file, "WEBP", quality=88, method=6)
    return file.getvalue()
