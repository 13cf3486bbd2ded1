"""How well a trained text encoder finds the caption of a picture."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from creativeai.evaluation.retrieval import retrieval_accuracy

__all__ = ["caption_retrieval"]


def caption_retrieval(
    codes: Callable[[Tensor, list[str]], tuple[Tensor, Tensor]],
    batches: Iterable[tuple[Tensor, list[str]]],
    owners: NDArray[np.integer],
    num_candidates: int = 100,
) -> float:
    """How often a picture's own caption is chosen among those of other pictures. Chance is 1 / candidates.

    Args:
        codes: Gives vectors [B, K] of pictures [B, 3, R, R] and of captions, such as `EncoderRecipe.codes`.
        batches: Held-out pictures, each with one of its captions.
        owners: Which picture each row of all batches is; other captions of it never stand against it. Given
            classes instead, captions of the same class don't either.
        num_candidates: Captions to choose from, the right one among them.
    """
    images, texts, words = zip(
        *((*codes(pictures, captions), captions) for pictures, captions in batches), strict=True
    )
    image_codes, text_codes = (
        np.concatenate([code.float().cpu().numpy() for code in parts]) for parts in (images, texts)
    )
    asked = [caption for captions in words for caption in captions]
    return float(retrieval_accuracy(image_codes, text_codes, owners, asked, num_candidates).mean())
