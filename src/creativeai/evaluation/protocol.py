"""How models are measured: all that a figure depends on besides the model itself."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "REFERENCE_SIDE",
    "RESIZE_PROTOCOL",
    "STANDARD",
    "EvaluationProtocol",
    "ProtocolConstants",
    "captions_digest",
    "protocol_differences",
]


REFERENCE_SIDE = 128
"""Side in pixels that every picture is brought to first, whatever its own."""
RESIZE_PROTOCOL = (
    "8 bits, to the reference side, 8 bits, to the network's; down bicubic and antialiased, up bilinear"
)
"""How a picture comes to the network, in words for a card. It changes with what `FeatureExtractor` does."""


@dataclass(frozen=True, kw_only=True)
class ProtocolConstants:
    """What is the same in every evaluation of one version."""

    version: int
    """Raised whenever the same pictures would get another figure."""
    reference_side: int
    """Side in pixels that every photo and picture is brought to first: models of any size compare."""
    network_side: int
    """Side in pixels at which the feature network then sees it."""
    resize: str
    """How pictures come to both sizes, in words."""
    num_candidates: int
    """Captions that text match chooses from, the right one among them."""
    num_neighbours: int
    """k of precision and recall."""
    kid_subset_size: int
    """Pictures, and photos, of each of KID's subsets."""
    num_kid_subsets: int
    num_resamples: int
    """Resamples of the captions from which an interval comes."""
    num_slow_resamples: int
    """The same for a figure that takes long, such as the Frechet distance."""
    num_sentences: int
    """Sentences whose own diversity is measured."""
    num_sentence_seeds: int
    """Pictures of each of them."""
    num_colour_seeds: int
    """Pictures of each sentence that asks for one colour."""
    num_name_seeds: int
    """Pictures of each name."""
    num_name_choices: int
    """Kinds among which a name must be found."""
    grid_rows: int
    """Sentences of the grid of pictures beside the card."""
    grid_columns: int
    """Seeds of each."""


STANDARD = ProtocolConstants(
    version=1,
    reference_side=REFERENCE_SIDE,
    network_side=260,
    resize=RESIZE_PROTOCOL,
    num_candidates=100,
    num_neighbours=3,
    kid_subset_size=1000,
    num_kid_subsets=100,
    num_resamples=1000,
    num_slow_resamples=20,
    num_sentences=64,
    num_sentence_seeds=8,
    num_colour_seeds=6,
    num_name_seeds=2,
    num_name_choices=5,
    grid_rows=8,
    grid_columns=4,
)
"""What `creativeai evaluate` measures by."""


@dataclass(frozen=True, kw_only=True)
class EvaluationProtocol:
    """One evaluation's: two cards compare only if all of it is equal."""

    constants: ProtocolConstants
    dataset: str
    dataset_digest: str
    split: str
    num_photos: int
    """M, photos of the split."""
    num_pictures: int
    """N, pictures drawn of their captions."""
    captions_digest: str
    """SHA-256 over every sentence asked for and its seed, in order."""
    seed: int
    """Seed of the first picture, and of every draw."""
    truncation: float
    networks: dict[str, str]
    """SHA-256 of the weights of each network that judged, by its task."""
    software: dict[str, str]
    """Versions of what computed it."""


def captions_digest(groups: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    """SHA-256 over what is asked for: sentences with their seeds, by the figure they are for."""
    return hashlib.sha256(json.dumps(groups, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def protocol_differences(one: EvaluationProtocol, other: EvaluationProtocol) -> list[str]:
    """In what two protocols differ, a line each with the field and both values; none where they compare."""
    ours, theirs = dict(_flat(asdict(one))), dict(_flat(asdict(other)))
    return [
        f"{name}: {ours.get(name, 'none')} and {theirs.get(name, 'none')}"
        for name in {**ours, **theirs}
        if ours.get(name) != theirs.get(name)
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
