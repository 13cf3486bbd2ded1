"""What a model is asked for: sentences with seeds, for each figure its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.data import CaptionedImages
from creativeai.errors import EvaluationError
from creativeai.evaluation.protocol import ProtocolConstants, captions_digest
from creativeai.text.part_colours import part_colours

__all__ = [
    "ASKED_COLOURS",
    "ColourQuestion",
    "NameQuestion",
    "Questions",
    "captions_of",
    "make_questions",
    "part_pairs",
]

NUM_SEEDS = 2**32
ASKED_COLOURS = ("red", "yellow", "blue", "green", "orange", "brown", "black", "white")
_COLOUR_SENTENCES = {
    "bird": {
        "head": "a bird with a {} head",
        "back": "a bird with a {} back",
        "breast": "a bird with a {} breast",
        "wings": "a bird with {} wings",
    },
    "flower": {"petals": "a {} flower"},
}
"""Sentences that ask for the colour of one part, by what the dataset shows and the part."""


@dataclass(frozen=True)
class ColourQuestion:
    """A sentence that asks for one colour of one part."""

    caption: str
    part: str
    colour: str


@dataclass(frozen=True)
class NameQuestion:
    """A sentence that only names a kind."""

    caption: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Questions:
    """All that one model is asked for. The same for every model of a protocol."""

    captions: tuple[str, ...]
    """[N] sentences of photos."""
    owners: NDArray[np.int64]
    """[N] place among the photos of the one that each describes."""
    photos: NDArray[np.int64]
    """[M] positions of the photos in the dataset, in the order of `owners`' places."""
    seed: int
    """Seed of the first picture; each further one of a group has the next."""
    sentences: tuple[str, ...]
    """Different ones among the captions, of which several pictures are drawn."""
    num_sentence_seeds: int
    colours: tuple[ColourQuestion, ...]
    num_colour_seeds: int
    names: tuple[NameQuestion, ...]
    num_name_seeds: int

    def groups(self) -> dict[str, list[tuple[str, int]]]:
        """Sentence and seed of every picture, by what it is for."""
        repeated = {
            "captions": (self.captions, 1),
            "sentences": (self.sentences, self.num_sentence_seeds),
            "colours": ([question.caption for question in self.colours], self.num_colour_seeds),
            "names": ([question.caption for question in self.names], self.num_name_seeds),
        }
        return {
            name: self._asked(captions, num, one_after_another=name == "captions")
            for name, (captions, num) in repeated.items()
        }

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        return captions_digest(self.groups())

    def _asked(
        self, captions: Sequence[str], num_seeds: int, *, one_after_another: bool
    ) -> list[tuple[str, int]]:
        # Every sentence of a group has the same seeds, so that only the words differ between them.
        if one_after_another:
            return [(caption, (self.seed + i) % NUM_SEEDS) for i, caption in enumerate(captions)]
        seeds = [(self.seed + i) % NUM_SEEDS for i in range(num_seeds)]
        return [(caption, seed) for caption in captions for seed in seeds]


def make_questions(
    dataset: CaptionedImages,
    indices: NDArray[np.int64],
    constants: ProtocolConstants,
    num_pictures: int | None,
    seed: int,
    class_names: Sequence[str] = (),
    *,
    asks_colours_and_names: bool = True,
) -> Questions:
    """What a model is asked for of a dataset.

    The i-th picture is asked for by the first written caption of the i-th photo; more pictures than photos go
    round, with each photo's next caption.

    Args:
        dataset: The prepared dataset.
        indices: Positions of the photos whose captions are asked for.
        constants: Numbers of sentences and seeds.
        num_pictures: N; None for as many as there are photos.
        seed: Of the order of the photos and of the pictures.
        class_names: Kinds that can be told from a picture; those with a photo are asked for by name.
        asks_colours_and_names: Whether to ask for these at all.

    Raises:
        EvaluationError: There is no photo, or none with a caption that says what it shows.
    """
    captions = {int(i): captions_of(dataset, int(i)) for i in indices}
    photos = np.array([i for i in captions if captions[i]], np.int64)
    if not len(photos):
        raise EvaluationError(f"{dataset.path} has no photo with a written caption to measure with")
    photos = np.random.default_rng(seed).permutation(photos)
    num = len(photos) if num_pictures is None else num_pictures
    owners = np.arange(num) % len(photos)
    rounds = np.arange(num) // len(photos)
    asked = []
    for owner, which in zip(owners, rounds, strict=True):
        of_photo = captions[int(photos[owner])]
        asked.append(of_photo[which % len(of_photo)])
    sentences = tuple(dict.fromkeys(asked))[: constants.num_sentences]
    return Questions(
        captions=tuple(asked),
        owners=owners,
        photos=photos,
        seed=seed,
        sentences=sentences,
        num_sentence_seeds=constants.num_sentence_seeds,
        colours=_colour_questions(asked) if asks_colours_and_names else (),
        num_colour_seeds=constants.num_colour_seeds,
        names=_name_questions(dataset, class_names) if asks_colours_and_names else (),
        num_name_seeds=constants.num_name_seeds,
    )


def captions_of(dataset: CaptionedImages, index: int) -> tuple[str, ...]:
    """Captions that a photo is asked for by: the written ones, or the short ones where there are none."""
    record = dataset.records[index]
    return record.captions or record.short_captions


def part_pairs(caption: str) -> dict[str, frozenset[str]]:
    """The colours that a caption gives to each part it speaks of."""
    colours: dict[str, set[str]] = {}
    for pair in part_colours(caption):
        colours.setdefault(pair.part, set()).add(pair.colour)
    return {part: frozenset(several) for part, several in colours.items()}


def _colour_questions(captions: Sequence[str]) -> tuple[ColourQuestion, ...]:
    """Sentences for what most of the captions speak of; none where that is neither bird nor flower."""
    parts = [pair.part for caption in captions for pair in part_colours(caption)]
    num_flowers = sum(part in ("petals", "centre") for part in parts)
    if not parts:
        return ()
    sentences = _COLOUR_SENTENCES["flower" if 2 * num_flowers > len(parts) else "bird"]
    return tuple(
        ColourQuestion(sentence.format(colour).replace("a orange", "an orange"), part, colour)
        for part, sentence in sentences.items()
        for colour in ASKED_COLOURS
    )


def _name_questions(dataset: CaptionedImages, class_names: Sequence[str]) -> tuple[NameQuestion, ...]:
    """The first name caption of every class that can be told from a picture."""
    known, found = set(class_names), {}
    for record in dataset.records:
        if record.label in known and record.name_captions and record.label not in found:
            found[record.label] = record.name_captions[0]
    return tuple(NameQuestion(found[label], label) for label in class_names if label in found)
