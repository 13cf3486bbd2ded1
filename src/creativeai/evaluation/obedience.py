"""Figures of how well pictures follow their sentences, each with the photos' own by the same protocol."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from creativeai.evaluation.card import Figure, no_figure
from creativeai.evaluation.intervals import bootstrap_interval
from creativeai.evaluation.judges import PictureReader
from creativeai.evaluation.questions import ColourQuestion, NameQuestion, part_pairs
from creativeai.evaluation.retrieval import retrieval_accuracy
from creativeai.text.colour_swap import swap_colours

__all__ = [
    "asked_colours_figure",
    "names_figure",
    "part_colours_figure",
    "retrieval_figure",
    "swap_figure",
]

Array = NDArray[np.floating]
_Texts = Callable[[list[str]], Array]


def retrieval_figure(
    pictures: Array,
    photos: Array,
    captions: Sequence[str],
    owners: NDArray[np.int64],
    text_codes: _Texts,
    num_candidates: int,
    seed: int,
) -> Figure:
    """How often a picture's own caption is found among others'.

    The photos' ceiling is by the same protocol: the photo that each caption describes in the picture's place,
    against the same candidates.

    Args:
        pictures: [N, K] codes of the pictures.
        photos: [M, K] codes of the photos.
        captions: [N] sentence of each picture.
        owners: [N] which of the photos each describes.
        text_codes: Gives codes [N, K] of captions.
        num_candidates: Captions to choose from.
        seed: Of the interval.
    """
    different = len(set(captions))
    if different < 2 or len(set(owners.tolist())) < 2:
        return no_figure("there are no two photos with different captions to choose between")
    codes = text_codes(list(captions))
    found = retrieval_accuracy(pictures, codes, owners, captions, num_candidates)
    ceiling = retrieval_accuracy(photos[owners], codes, owners, captions, num_candidates)
    few = different < num_candidates
    groups = _groups(captions)
    return _figure(
        found,
        ceiling,
        groups,
        seed,
        photo_groups=groups,
        chance=1 / min(num_candidates, different),
        reason=f"there are {different} different captions only" if few else "",
    )


def swap_figure(
    pictures: Array,
    photos: Array,
    captions: Sequence[str],
    owners: NDArray[np.int64],
    text_codes: _Texts,
    seed: int,
) -> Figure:
    """How often a picture fits its caption better than the same with the colours of two parts exchanged.

    Arguments as of `retrieval_figure`. A tie counts half.
    """
    swapped = {caption: swap_colours(caption, seed) for caption in dict.fromkeys(captions)}
    rows = np.array([i for i, caption in enumerate(captions) if swapped[caption] is not None], np.int64)
    if not len(rows):
        return no_figure("no caption has colours of two parts that could be exchanged")
    own = text_codes([captions[i] for i in rows])
    other = text_codes([swapped[captions[i]] or "" for i in rows])

    def preferred(codes: Array) -> Array:
        margin = (codes.astype(np.float64) * (own - other).astype(np.float64)).sum(1)
        return (np.sign(margin) + 1) / 2

    groups = _groups([captions[i] for i in rows])
    found, ceiling = preferred(pictures[rows]), preferred(photos[owners[rows]])
    return _figure(found, ceiling, groups, seed, photo_groups=groups, chance=0.5)


def part_colours_figure(
    pictures: Array,
    photos: Array,
    captions: Sequence[str],
    owners: NDArray[np.int64],
    reader: PictureReader,
    seed: int,
) -> Figure:
    """How often the reader sees a part in (one of) the colours that the caption gives it.

    Args:
        pictures: [N, P, Q] the reader's probabilities of each colour for each part.
        photos: [M, P, Q] those of the photos.
        captions: [N] sentence of each picture.
        owners: [N] which of the photos each describes.
        reader: Who saw them.
        seed: Of the interval.
    """
    rows, parts, wanted = [], [], []
    for row, caption in enumerate(captions):
        for part, colours in part_pairs(caption).items():
            known = colours & set(reader.colours)
            if part in reader.parts and known == colours:
                rows.append(row)
                parts.append(reader.parts.index(part))
                wanted.append(known)
    if not rows:
        return no_figure("no caption gives a colour to a part that the picture reader knows")

    def right(scores: Array) -> NDArray[np.bool_]:
        seen = scores[np.arange(len(parts)), parts].argmax(1)
        return np.array([reader.colours[i] in colours for i, colours in zip(seen, wanted, strict=True)])

    groups = _groups([captions[row] for row in rows])
    found, ceiling = right(pictures[rows]), right(photos[owners[rows]])
    return _figure(found, ceiling, groups, seed, photo_groups=groups, chance=1 / len(reader.colours))


def asked_colours_figure(
    pictures: Array,
    questions: Sequence[ColourQuestion],
    num_seeds: int,
    photos: Array,
    photo_captions: Sequence[str],
    reader: PictureReader,
    seed: int,
) -> Figure:
    """How often a part has its colour where the sentence asks for nothing else.

    The ceiling is that of photos whose captions say the same of a part.

    Args:
        pictures: [S * V, P, Q] the reader's probabilities, V pictures of each of S questions.
        questions: [S] what was asked for.
        num_seeds: V.
        photos: [M, P, Q] the reader's probabilities of the photos.
        photo_captions: [M] their captions.
        reader: Who saw them.
        seed: Of the interval.
    """
    known = [
        (number, reader.parts.index(question.part), reader.colours.index(question.colour))
        for number, question in enumerate(questions)
        if question.part in reader.parts and question.colour in reader.colours
    ]
    if not known:
        return no_figure("the picture reader knows no part of what the captions speak of")
    right, groups = [], []
    for number, part, colour in known:
        views = pictures[number * num_seeds : (number + 1) * num_seeds, part]
        right += (views.argmax(1) == colour).tolist()
        groups += [number] * len(views)
    asked = {(part, colour) for _, part, colour in known}
    of_photos = [
        photos[row, part].argmax() == colour
        for row, caption in enumerate(photo_captions)
        for part, colour in sorted(asked)
        if part_pairs(caption).get(reader.parts[part]) == frozenset({reader.colours[colour]})
    ]
    return _figure(
        np.array(right), np.array(of_photos), np.array(groups), seed, chance=1 / len(reader.colours)
    )


def names_figure(
    pictures: Array,
    questions: Sequence[NameQuestion],
    num_seeds: int,
    photos: Array,
    photo_labels: Sequence[str | None],
    reader: PictureReader,
    num_choices: int,
    seed: int,
) -> Figure:
    """How often the named kind is among the likeliest ones of the picture.

    Args:
        pictures: [S * V, C] the reader's scores, V pictures of each of S names.
        questions: [S] the names.
        num_seeds: V.
        photos: [M, C] the reader's scores of the photos.
        photo_labels: [M] their classes.
        reader: Who saw them.
        num_choices: How many likeliest ones.
        seed: Of the interval.
    """
    if not questions:
        return no_figure("no class of the dataset is one that the picture reader knows")
    places = {name: place for place, name in enumerate(reader.class_names)}

    def among(scores: Array, place: int) -> bool:
        return int((scores > scores[place]).sum()) < num_choices

    right = [
        among(scores, places[question.label])
        for number, question in enumerate(questions)
        for scores in pictures[number * num_seeds : (number + 1) * num_seeds]
    ]
    asked = {question.label for question in questions}
    of_photos = [
        among(scores, places[label])
        for scores, label in zip(photos, photo_labels, strict=True)
        if label in asked
    ]
    groups = np.repeat(np.arange(len(questions)), num_seeds)
    chance = min(1.0, num_choices / len(places))
    return _figure(np.array(right), np.array(of_photos), groups, seed, chance=chance)


def _figure(
    found: Array | NDArray[np.bool_],
    of_photos: Array | NDArray[np.bool_],
    groups: NDArray[np.int64],
    seed: int,
    chance: float,
    reason: str = "",
    photo_groups: NDArray[np.int64] | None = None,
) -> Figure:
    interval = bootstrap_interval(found, seed, groups)
    ceiling = bootstrap_interval(of_photos, seed, photo_groups) if len(of_photos) else None
    return Figure(
        value=float(np.mean(found)),
        low=interval.low,
        high=interval.high,
        ceiling=float(np.mean(of_photos)) if len(of_photos) else None,
        ceiling_low=ceiling and ceiling.low,
        ceiling_high=ceiling and ceiling.high,
        chance=chance,
        num=len(found),
        reason=reason,
    )


def _groups(captions: Sequence[str]) -> NDArray[np.int64]:
    """Equal numbers for equal captions."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(caption, len(numbers)) for caption in captions], np.int64)
