"""A dataset of two-coloured patches, and judges that read them: what is right can be seen.

The upper half of a patch is its "head", the lower its "breast", each in one of eight colours. A patch is a
"bird" of the kind that its breast's colour names.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from creativeai.data import CaptionedImages
from creativeai.data.captioned_images import CaptionRecord
from creativeai.evaluation.judges import Judges
from creativeai.text.part_colours import part_colours

SIDE = 32
COLOURS = {
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "blue": (0, 0, 255),
    "green": (0, 160, 0),
    "orange": (255, 128, 0),
    "brown": (110, 60, 20),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
_PAIRS = [(head, breast) for head in COLOURS for breast in COLOURS if head != breast]


def patch(head: str, breast: str, noise: int = 0, spread: float = 18) -> NDArray[np.uint8]:
    """One patch uint8 [32, 32, 3], a little unlike others of the same colours."""
    pixels = np.empty((SIDE, SIDE, 3))
    pixels[: SIDE // 2], pixels[SIDE // 2 :] = COLOURS[head], COLOURS[breast]
    rng = np.random.default_rng(noise)
    blots = rng.normal(0, spread, (4, 4, 3)).repeat(SIDE // 4, 0).repeat(SIDE // 4, 1)
    return np.clip(pixels + blots, 0, 255).astype(np.uint8)


def caption_of(head: str, breast: str) -> str:
    return f"a bird with a {head} head and a {breast} breast"


def colours_of(caption: str) -> tuple[str, str]:
    """Head and breast that a caption asks for; what it doesn't speak of is red, as the whole bird may be."""
    asked = {pair.part: pair.colour for pair in part_colours(caption)}
    rest = asked.get("body", "red")
    if caption.startswith("a patch of "):
        rest = caption.split()[-1]
    return asked.get("head", rest), asked.get("breast", rest)


def patches(
    toybirds: Path, num_train: int = 90, num_test: int = 60, num_validation: int = 30, **changes: Any
) -> CaptionedImages:
    """The dataset, in memory: two captions, a short one and a name for each patch.

    Args:
        toybirds: Any prepared dataset, whose description is taken over.
        num_train: Patches to train on.
        num_test: Test patches.
        num_validation: Validation patches.
        changes: Fields of every record.
    """
    splits = ["train"] * num_train + ["test"] * num_test + ["validation"] * num_validation
    records, pixels = [], []
    for i, split in enumerate(splits):
        head, breast = _PAIRS[i * 11 % len(_PAIRS)]
        pixels.append(patch(head, breast, i))
        record = CaptionRecord(
            f"{i}.png",
            (caption_of(head, breast), f"{caption_of(head, breast)} on a branch"),
            split,
            label=f"{breast} patch",
            short_captions=(f"a {breast} bird",),
            name_captions=(f"a patch of {breast}",),
        )
        records.append(replace(record, **changes))
    images = np.stack(pixels)
    digest = hashlib.sha256(repr(records).encode() + images.tobytes()).hexdigest()
    meta = replace(
        CaptionedImages.open(toybirds).meta,
        name="patches",
        num_pictures=len(splits),
        digest=digest,
        resolutions=(SIDE,),
    )
    return CaptionedImages(toybirds.parent / "patches", meta, records, {SIDE: images})


def _halves(images: Tensor) -> NDArray[np.float32]:
    """[N, 6] mean colours of upper and lower half, in [-1, 1]."""
    return F.adaptive_avg_pool2d(images, (2, 1)).permute(0, 2, 1, 3).reshape(len(images), 6).numpy()


class PatchExtractor:
    """Features: mean colours of 4 x 4 fields, and a few products of them that make distances less flat."""

    digest = "1" * 64
    side = 64
    reference_side = SIDE

    def about(self) -> dict[str, str | int]:
        return {"network": "patches", "weights": self.digest}

    def __call__(self, images: Tensor) -> Any:
        pooled = F.adaptive_avg_pool2d(images, 4).flatten(1) + 1.5
        return SimpleNamespace(pooled=pooled, descriptions=torch.from_numpy(_halves(images)))


def _unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-6)


def _vector(colour: str) -> NDArray[np.float32]:
    return np.array(COLOURS.get(colour, (127, 127, 127)), np.float32) / 127.5 - 1


@dataclass
class PatchMatcher:
    """Colours of both halves against those the caption gives."""

    name: str = "patches"
    digest: str = "2" * 64
    datasets: tuple[str, ...] = ("patches",)

    def picture_codes(self, descriptions: NDArray[np.float32]) -> NDArray[np.float32]:
        return _unit(descriptions)

    def text_codes(self, captions: list[str]) -> NDArray[np.float32]:
        rows = [np.concatenate([_vector(colour) for colour in colours_of(caption)]) for caption in captions]
        # A little of the words themselves, so that no two captions are quite the same to it.
        own = np.array([[len(caption) * 1e-4] * 6 for caption in captions], np.float32)
        return _unit(np.stack(rows).astype(np.float32) + own)


@dataclass
class PatchReader:
    """The nearest colour of each half; the kind is the breast's."""

    digest: str = "3" * 64
    class_names: tuple[str, ...] = tuple(f"{colour} patch" for colour in COLOURS)
    parts: tuple[str, ...] = ("head", "breast")
    colours: tuple[str, ...] = tuple(COLOURS)

    def colour_scores(self, descriptions: NDArray[np.float32]) -> NDArray[np.float32]:
        known = np.stack([_vector(colour) for colour in self.colours])
        distances = ((descriptions.reshape(-1, 2, 1, 3) - known) ** 2).sum(3)
        scores = np.exp(-distances)
        return scores / scores.sum(2, keepdims=True)

    def name_scores(self, descriptions: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.colour_scores(descriptions)[:, 1]


def patch_judges(**changes: Any) -> Judges:
    return replace(Judges(PatchExtractor(), PatchMatcher(), PatchReader()), **changes)


def painter(wrong: Callable[[int], bool] = lambda seed: False) -> Callable[..., NDArray[np.uint8]]:
    """Draws what is asked for, but for seeds of which it draws red over white whatever the sentence."""

    def draw(asked: Sequence[tuple[str, int]]) -> NDArray[np.uint8]:
        return np.stack(
            [
                patch("red", "white", seed + 1000)
                if wrong(seed)
                else patch(*colours_of(caption), seed + 1000)
                for caption, seed in asked
            ]
        )

    return draw
