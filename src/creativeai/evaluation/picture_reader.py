"""Reading a picture: its species, and the colours of its parts, by a classifier on EfficientNet-Lite2.

It says whether a picture has what its caption asked for. How often it is right about photos is the ceiling of
what it can say about generated pictures, and stands beside every figure of it. How it was made:
`tools/train_judge.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from creativeai.errors import TrainingError
from creativeai.evaluation.matcher import JUDGE_FILE
from creativeai.evaluation.weights_file import read_weights, write_weights
from creativeai.models.picture_reader import PictureReaderNetwork
from creativeai.models.text_image_matcher import DescriptionLayout
from creativeai.text.part_colours import part_colours

__all__ = [
    "READER_FILE",
    "PictureReader",
    "ReaderFacts",
    "load_picture_reader",
    "shipped_picture_reader",
    "train_picture_reader",
]

READER_FILE = JUDGE_FILE.with_name("reader_lite2.safetensors")
_BATCH_SIZE = 256
_LEARNING_RATE = 1e-3
_AT_ONCE = 512


@dataclass(frozen=True)
class ReaderFacts:
    """What a reader is besides its weights."""

    class_names: tuple[str, ...]
    """Labels that it tells apart, of all its datasets."""
    classes_of: dict[str, tuple[str, ...]]
    """Those of each dataset, by the dataset's name."""
    parts: tuple[str, ...]
    colours: tuple[str, ...]
    lite: int
    """Number of the EfficientNet-Lite whose features it reads."""
    side: int
    """Side in pixels at which that network sees the pictures."""
    layout: DescriptionLayout


class PictureReader:
    """Says of pictures, by their descriptions, what they show.

    Args:
        network: The classifier, frozen.
        facts: What its outputs mean.
        digest: SHA-256 of its file.
    """

    def __init__(self, network: PictureReaderNetwork, facts: ReaderFacts, digest: str) -> None:
        self.network = network.eval().requires_grad_(False)
        self.facts = facts
        self.digest = digest

    @property
    def class_names(self) -> tuple[str, ...]:
        """Labels, in the order of `name_scores`."""
        return self.facts.class_names

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts, in the order of `colour_scores`."""
        return self.facts.parts

    @property
    def colours(self) -> tuple[str, ...]:
        """Colours, in the order of `colour_scores`."""
        return self.facts.colours

    def classes_of(self, dataset: str) -> tuple[str, ...]:
        """Labels of a dataset that it knows; none for one that it has not learned."""
        return self.facts.classes_of.get(dataset, ())

    def name_scores(self, descriptions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Class logits [N, C] of descriptions [N, I]."""
        return self._read(descriptions)[0]

    def colour_scores(self, descriptions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities [N, P, Q] of each part's colours, of descriptions [N, I]."""
        return self._read(descriptions)[1]

    def save(self, path: Path) -> None:
        """Write it to a file.

        Raises:
            TrainingError: The file can't be written.
        """
        write_weights(path, self.network.state_dict(), asdict(self.facts))

    @torch.no_grad()
    def _read(self, descriptions: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        names, colours = [], []
        for chunk in np.array_split(descriptions, max(1, -(-len(descriptions) // _AT_ONCE))):
            of_class, of_parts = self.network(torch.from_numpy(np.asarray(chunk, np.float32)))
            names.append(of_class)
            colours.append(of_parts.softmax(2))
        return torch.cat(names).numpy(), torch.cat(colours).numpy()


def load_picture_reader(path: Path) -> PictureReader:
    """The reader in a file.

    Raises:
        TrainingError: It is missing, damaged or no picture reader.
    """
    stored = read_weights(path)
    try:
        given = stored.facts
        facts = ReaderFacts(
            class_names=tuple(given["class_names"]),
            classes_of={name: tuple(labels) for name, labels in given["classes_of"].items()},
            parts=tuple(given["parts"]),
            colours=tuple(given["colours"]),
            lite=given["lite"],
            side=given["side"],
            layout=DescriptionLayout(given["layout"]["thumbnail"], tuple(given["layout"]["grids"])),
        )
        network = _network(facts, stored.weights["standardise.mean"].numel())
        network.load_state_dict(stored.weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{path} is no picture reader: {str(error).splitlines()[0]}") from error
    return PictureReader(network, facts, stored.digest)


@lru_cache(maxsize=1)
def shipped_picture_reader() -> PictureReader:
    """The reader that comes with CreativeAI, loaded once.

    Raises:
        TrainingError: Its file is missing or damaged.
    """
    return load_picture_reader(READER_FILE)


def _network(facts: ReaderFacts, description_dim: int) -> PictureReaderNetwork:
    return PictureReaderNetwork(description_dim, len(facts.class_names), len(facts.parts), len(facts.colours))


def train_picture_reader(
    views: Sequence[NDArray[np.floating]],
    labels: Sequence[str | None],
    captions: Sequence[Sequence[str]],
    facts: ReaderFacts,
    *,
    seed: int,
    num_steps: int = 2000,
) -> PictureReaderNetwork:
    """Train the reader on photos: by their labels, and by what their captions say of their parts.

    Args:
        views: Descriptions [N, I] of the photos, once for each view.
        labels: The label of each photo; one that is no class of the reader's teaches no name.
        captions: The written captions of each photo.
        facts: Classes, parts and colours.
        seed: Seed of weights and batches.
        num_steps: Steps of 256 photos.

    Returns:
        The network, frozen and in evaluation mode.
    """
    class_index = {name: index for index, name in enumerate(facts.class_names)}
    classes = torch.tensor([class_index.get(label or "", -1) for label in labels])
    said = torch.stack([_said(texts, facts) for texts in captions])  # [N, P, Q]
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(facts, views[0].shape[1])
        network.standardise.fit(views)
        optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=num_steps)
        network.train()
        for _ in range(num_steps):
            view = views[int(rng.integers(len(views)))]
            rows = np.sort(rng.choice(len(view), min(_BATCH_SIZE, len(view)), replace=False))
            of_class, of_parts = network(torch.from_numpy(np.asarray(view[rows], np.float32)))
            loss = _reading_loss(of_class, of_parts, classes[rows], said[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    return network.eval().requires_grad_(False)


def _said(captions: Sequence[str], facts: ReaderFacts) -> Tensor:
    """What captions say of the parts, [P, Q]: each part's row shares out 1 among its colours, or is zero."""
    counts = torch.zeros(len(facts.parts), len(facts.colours))
    for caption in captions:
        for pair in part_colours(caption):
            if pair.part in facts.parts:
                counts[facts.parts.index(pair.part), facts.colours.index(pair.colour)] += 1
    return counts / counts.sum(1, keepdim=True).clamp(min=1)


def _reading_loss(of_class: Tensor, of_parts: Tensor, classes: Tensor, said: Tensor) -> Tensor:
    """Cross-entropy of the class where there is one, and of each part's colours where any is said."""
    named = classes >= 0
    naming = F.cross_entropy(of_class[named], classes[named]) if named.any() else of_class.sum() * 0
    known = said.sum(2) > 0
    colouring = -(said * of_parts.log_softmax(2)).sum(2)[known]
    return naming + (colouring.mean() if len(colouring) else of_parts.sum() * 0)
