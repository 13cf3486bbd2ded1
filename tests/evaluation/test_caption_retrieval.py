import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.evaluation.caption_retrieval import caption_retrieval


def batches(num: int) -> list[tuple[Tensor, list[str]]]:
    images = torch.arange(num).float().view(num, 1, 1, 1)
    return [(part, [str(int(i)) for i in part.flatten()]) for part in images.split(3)]


def one_hot(images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
    return (
        F.one_hot(images.flatten().long(), 8).float(),
        F.one_hot(torch.tensor([int(caption) for caption in captions]), 8).float(),
    )


def test_an_encoder_that_knows_always_finds_the_caption() -> None:
    assert caption_retrieval(one_hot, batches(8), np.arange(8)) == 1


def test_one_that_takes_the_next_picture_never_does() -> None:
    def off_by_one(images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        image_codes, text_codes = one_hot(images, captions)
        return image_codes.roll(1, 1), text_codes

    assert caption_retrieval(off_by_one, batches(8), np.arange(8)) == 0


def test_captions_of_the_same_owner_never_stand_against_each_other() -> None:
    def pairs(images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        image_codes, text_codes = one_hot(images // 2, captions)
        return image_codes, F.one_hot(text_codes.argmax(1) // 2, 8).float()

    assert caption_retrieval(pairs, batches(8), np.arange(8)) == 0  # a tie is no hit
    assert caption_retrieval(pairs, batches(8), np.arange(8) // 2) == 1
