"""The engine as Python users have it: a name in, a model that turns text into PIL images."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from creativeai.bundles import BundleManifest, find_bundle, read_bundle
from creativeai.engine.engine import Engine
from creativeai.engine.pictures import NUM_SEEDS, Picture
from creativeai.engine.saving import stage_row
from creativeai.engine.validation import validate_request


class Model:
    """A trained model, ready to make pictures.

    Args:
        path: Folder of its bundle.
        num_threads: Pictures made at the same time.
    """

    def __init__(self, path: Path, num_threads: int = 1) -> None:
        self.name = path.name
        self.engine = Engine(read_bundle(path), num_threads)

    @property
    def manifest(self) -> BundleManifest:
        """What the bundle says of itself."""
        return self.engine.manifest

    def generate(
        self,
        text: str,
        n: int = 1,
        seed: int | None = None,
        truncation: float | None = None,
        stages: bool = False,
    ) -> list[Image.Image]:
        """Make pictures of what the text says.

        Args:
            text: 1 to 1000 characters.
            n: Number of pictures, 1 to 64.
            seed: Picture i has the seed (seed + i) mod 2**32; None for a random one.
            truncation: From 0, the most typical picture, to 1, full variety; None for the model's default.
            stages: Whether each image is a row of all the picture's stages, coarse to fine, each enlarged to
                the size of the last by repeating its pixels.

        Returns:
            RGB images; the `info` of each has `text`, `seed`, `truncation`, `model` and `stages`, as it takes
            to make it again.

        Raises:
            RequestError: A value is out of range, or no word of the text can be used.
        """
        pictures = self.pictures(text, n, seed, truncation)
        return [self.to_image(picture, stages) for picture in pictures]

    def pictures(
        self,
        text: str,
        n: int = 1,
        seed: int | None = None,
        truncation: float | None = None,
        attention: bool = False,
    ) -> Sequence[Picture]:
        """As `generate`, but pixels and stages as arrays, and attention maps if asked for.

        Raises:
            RequestError: As in `generate`, or attention is asked of a model without.
        """
        if seed is None:
            seed = random.SystemRandom().randrange(NUM_SEEDS)
        if truncation is None:
            truncation = self.manifest.default_truncation
        request = validate_request(text, n, seed, truncation)
        if attention:
            self.engine.check_attention()
        self.engine.check_text(request.text)
        return self.engine.generate(request.pictures(attention))

    def unknown_words(self, text: str) -> list[str]:
        """Words of the text the model can't make use of."""
        return self.engine.unknown_words(text)

    def to_image(self, picture: Picture, stages: bool = False) -> Image.Image:
        """An RGB image of a picture, with what it takes to make it again in its `info`."""
        image = stage_row(picture) if stages else Image.fromarray(picture.pixels)
        info: dict[str, Any] = {
            "text": picture.text,
            "seed": picture.seed,
            "truncation": picture.truncation,
            "model": self.name,
            "stages": stages,
        }
        image.info.update(info)
        return image


def load(name: str | Path | None = None, num_threads: int = 1) -> Model:
    """Load a model.

    Args:
        name: Name of a model (see `list_models`) or path of a bundle; None for the default model.
        num_threads: Pictures made at the same time.

    Raises:
        UnknownModelError: There is no such model.
        BundleError: The bundle is damaged.
    """
    return Model(find_bundle(None if name is None else str(name)), num_threads)
