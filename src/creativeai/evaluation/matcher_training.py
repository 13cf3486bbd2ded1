"""Training the text-image matcher on the described photos of one dataset or several."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from creativeai.data import CaptionRecord
from creativeai.evaluation.matcher import (
    MatcherFacts,
    ReadCaptions,
    matcher_network,
    reader_of,
)
from creativeai.models.conditioning import TextTensors
from creativeai.models.text_image_matcher import TextImageMatcher, matching_loss
from creativeai.text.colour_swap import swap_colours
from creativeai.text.mirroring import mirrored_caption
from creativeai.text.vocabulary import build_vocabulary

__all__ = ["DescribedPhotos", "MatcherTraining", "described_photos", "train_matcher", "words_of_captions"]

_NUM_SWAPS = 2
"""Different ways in which the colours of a caption are exchanged."""


@dataclass(frozen=True)
class DescribedPhotos:
    """The photos of one dataset that a matcher learns from."""

    name: str
    """The dataset's name."""
    views: tuple[NDArray[np.floating], ...]
    """Descriptions [N, I] of the photos, once for each view."""
    written: tuple[Sequence[Sequence[str]], ...]
    """The written captions of each photo, once for each view: those of a mirrored view are mirrored."""
    others: tuple[Sequence[Sequence[str]], ...]
    """Its short ones and names, likewise; a photo may have none."""


def described_photos(
    name: str, views: Sequence[NDArray[np.floating]], records: Sequence[CaptionRecord]
) -> DescribedPhotos:
    """Photos with the captions of their records.

    Args:
        name: The dataset's name.
        views: Descriptions [N, I] of the photos, once for each view; every other view is a mirrored one.
        records: Those of the photos.
    """
    written: list[tuple[str, ...]] = [record.captions for record in records]
    others = [(*record.short_captions, *record.name_captions) for record in records]

    def of_views(captions: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], ...]:
        mirrored = [tuple(map(mirrored_caption, texts)) for texts in captions]
        return tuple(mirrored if number % 2 else captions for number in range(len(views)))

    return DescribedPhotos(name, tuple(views), of_views(written), of_views(others))


@dataclass(frozen=True, kw_only=True)
class MatcherTraining:
    """How a matcher is trained."""

    num_steps: int = 3000
    """Steps of AdamW under a one-cycle schedule."""
    batch_size: int = 256
    """Pairs a step, all of one dataset."""
    learning_rate: float = 1e-3
    """The highest, after 15% of the steps."""
    weight_decay: float = 0.05
    """AdamW's."""
    other_share: float = 0.2
    """Share of the pairs that have one of the photo's other captions, where it has any."""
    forgotten_words: float = 0.08
    """Share of the words that are left out, so that a word never seen does no harm."""


def words_of_captions(captions: Iterable[str], min_count: int = 3) -> tuple[str, ...]:
    """The vocabulary of a matcher that is to be trained on these captions, for its facts.

    Args:
        captions: The captions.
        min_count: How often a word must stand in them.
    """
    return build_vocabulary(captions, min_count).words


def train_matcher(
    datasets: Sequence[DescribedPhotos],
    facts: MatcherFacts,
    *,
    seed: int,
    training: MatcherTraining,
    read: ReadCaptions | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TextImageMatcher:
    """Train a matcher by InfoNCE with colour-swapped captions as further negatives.

    A batch is of one dataset: among flowers it is too easy to find a bird's caption. Larger sets come more
    often, by their size to the power of 3/4.

    Args:
        datasets: The photos.
        facts: What the matcher is to be, and what has described the photos.
        seed: Seed of weights and batches. One seed gives the same weights on one machine.
        training: Steps and rates.
        read: Gives captions as the network takes them; by default as the facts say.
        on_progress: Called with the steps done and their number.

    Returns:
        The network, frozen and in evaluation mode.
    """
    rng = np.random.default_rng(seed)
    remembered = _Remembered(read or reader_of(facts))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = matcher_network(facts, datasets[0].views[0].shape[1])
        network.standardise.fit([view for photos in datasets for view in photos.views])
        optimizer = torch.optim.AdamW(
            network.parameters(), training.learning_rate, (0.9, 0.98), weight_decay=training.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, training.learning_rate, total_steps=training.num_steps, pct_start=0.15
        )
        sizes = np.array([len(photos.views[0]) for photos in datasets]) ** 0.75
        network.train()
        for step in range(training.num_steps):
            photos = datasets[rng.choice(len(datasets), p=sizes / sizes.sum())]
            loss = _loss(network, photos, remembered, training, rng)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            if on_progress is not None:
                on_progress(step + 1, training.num_steps)
    return network.eval().requires_grad_(False)


def _loss(
    network: TextImageMatcher,
    photos: DescribedPhotos,
    read: ReadCaptions,
    training: MatcherTraining,
    rng: np.random.Generator,
) -> Tensor:
    view = int(rng.integers(len(photos.views)))
    num = len(photos.views[view])
    rows = np.sort(rng.choice(num, min(training.batch_size, num), replace=False))
    captions = [
        _one_of(photos.written[view][row], photos.others[view][row], training.other_share, rng)
        for row in rows
    ]
    swapped = [swap(caption, int(rng.integers(_NUM_SWAPS))) for caption in captions]
    texts = captions + [caption for caption in swapped if caption is not None]
    text = read(texts)
    kept = torch.from_numpy(rng.random(tuple(text.mask.shape)) >= training.forgotten_words)
    codes = network.text_codes(_with_words(text, kept))
    has_swap = torch.tensor([caption is not None for caption in swapped])
    swapped_codes = codes.new_zeros(len(rows), codes.shape[1])
    swapped_codes[has_swap] = codes[len(rows) :]
    descriptions = torch.from_numpy(np.asarray(photos.views[view][rows], np.float32))
    unlike = np.array(captions)
    return matching_loss(
        network.image_codes(descriptions),
        codes[: len(rows)],
        network.logit_scale,
        same_text=torch.from_numpy(unlike[:, None] == unlike[None, :]),
        swapped_codes=swapped_codes,
        has_swap=has_swap,
    )


@lru_cache(maxsize=2**18)
def swap(caption: str, seed: int) -> str | None:
    """`swap_colours`, remembered: each caption is met a dozen times."""
    return swap_colours(caption, seed)


def _one_of(
    written: Sequence[str], others: Sequence[str], other_share: float, rng: np.random.Generator
) -> str:
    captions = others if others and (not written or rng.random() < other_share) else written
    return captions[int(rng.integers(len(captions)))]


def _with_words(text: TextTensors, kept: Tensor) -> TextTensors:
    """The captions with those of their words alone, [B, T], in order, with all empty places behind."""
    kept = kept & text.mask
    order = torch.argsort((~kept).int(), dim=1, stable=True)
    mask = kept.gather(1, order)
    rows = torch.arange(len(order))[:, None]
    words = text.words[rows, order]
    return TextTensors(text.sentence, words * mask.view(mask.shape + (1,) * (words.dim() - 2)), mask)


class _Remembered:
    """Captions that are read once each; word vectors are kept in half precision."""

    def __init__(self, read: ReadCaptions) -> None:
        self._read = read
        self._known: dict[str, tuple[Tensor, Tensor]] = {}

    def __call__(self, captions: Sequence[str]) -> TextTensors:
        for caption in captions:
            if caption not in self._known:
                text = self._read([caption])
                words = text.words[0][text.mask[0]]
                self._known[caption] = text.sentence[0], words.half() if words.is_floating_point() else words
        known = [self._known[caption] for caption in captions]
        words = pad_sequence([words for _, words in known], batch_first=True)
        if words.is_floating_point():
            words = words.float()
        lengths = torch.tensor([len(words) for _, words in known])
        if not words.shape[1]:  # not one known word in any caption
            words = words.new_zeros(len(known), 1, *words.shape[2:])
        mask = torch.arange(words.shape[1]) < lengths[:, None]
        return TextTensors(torch.stack([sentence for sentence, _ in known]), words, mask)
