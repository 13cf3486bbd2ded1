"""Training the text-image matcher on a dataset's real photos."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import TextImageMatcher, matching_loss
from creativeai.text.caption_vectors import EncodedCaptions

__all__ = ["train_matcher"]

_BATCH_SIZE = 256
_LEARNING_RATE = 1e-3
_TEXT_NOISE = 0.01
_LARGEST_SCALE = 50.0


def train_matcher(
    images: NDArray[np.uint8],
    captions: EncodedCaptions,
    pictures: NDArray[np.int64],
    describe: Callable[[Tensor], Tensor],
    seed: int,
    num_views: int,
    num_steps: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> TextImageMatcher:
    """A matcher trained by InfoNCE on real pictures, frozen.

    Args:
        images: [N, R, R, 3] the dataset's pictures.
        captions: Their captions.
        pictures: Positions of those to train on.
        describe: Gives the image tower's input [B, I] of pictures [B, 3, R, R]; it may augment them. The
            matcher lives where its result does.
        seed: Seed of weights, views and batches.
        num_views: How often each picture is described, every other time mirrored: 2 where `describe` is the
            same each time, more where it augments.
        num_steps: Steps of 256 pairs.
        on_progress: Called with the pictures described and their number.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    matcher = TextImageMatcher(captions.dim)
    mirrored = np.arange(num_views) % 2
    views = []
    for view in range(num_views):
        parts = []
        for chunk in np.array_split(pictures, -(-len(pictures) // 64)):
            pixels = images[chunk][:, :, :: -1 if mirrored[view] else 1]
            parts.append(describe(pixels_to_tensor(pixels)))
            if on_progress:
                on_progress(view * len(pictures) + sum(map(len, parts)), num_views * len(pictures))
        views.append(torch.cat(parts))
    descriptions = torch.stack(views)  # [V, N, I]
    optimizer = torch.optim.AdamW(matcher.parameters(), lr=_LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=num_steps)
    matcher.train()
    for _ in range(num_steps):
        rows = rng.choice(len(pictures), min(_BATCH_SIZE, len(pictures)), replace=False)
        chosen_views = rng.integers(0, num_views, len(rows))
        chosen = pictures[rows]
        caption = captions.rows(chosen, rng.integers(0, captions.num_captions(chosen)))
        sentence = torch.from_numpy(captions.features(caption, mirrored[chosen_views]).sentence)
        sentence = sentence + torch.randn_like(sentence) * _TEXT_NOISE
        loss = matching_loss(
            matcher.image_codes(descriptions[chosen_views, rows]),
            matcher.text_codes(sentence),
            matcher.log_scale.exp().clamp(max=_LARGEST_SCALE),
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return matcher.eval().requires_grad_(False)
