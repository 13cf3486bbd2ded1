"""All figures of one model: it draws what the questions ask for, the judges look, photos stand beside."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.evaluation.card import Figure, no_figure
from creativeai.evaluation.drawing import Draw
from creativeai.evaluation.judges import Judges, Seen, join_seen, see_chunks
from creativeai.evaluation.obedience import (
    asked_colours_figure,
    names_figure,
    part_colours_figure,
    retrieval_figure,
    swap_figure,
)
from creativeai.evaluation.protocol import ProtocolConstants
from creativeai.evaluation.questions import Questions
from creativeai.evaluation.realism import (
    Reference,
    distance_figures,
    diversity_figure,
    inception_figures,
    memorisation_figure,
    neighbour_figures,
    seed_diversity_figure,
)

__all__ = ["PhotosSeen", "Pictures", "all_figures", "draw_all", "main_figures"]

_NO_READER = "the picture reader knows nothing of this dataset"
_NO_MATCHER = "there is no matcher for this dataset"


@dataclass(frozen=True, kw_only=True)
class PhotosSeen:
    """What the judges saw of the photos."""

    test: Seen
    """[M] of the split's, in the order of the questions' photos."""
    captions: tuple[str, ...]
    """[M] the first caption of each."""
    labels: tuple[str | None, ...]
    """[M] its class."""
    floor: Seen | None
    """[N] of as many training photos as there are pictures; None where there aren't so many."""
    training: NDArray[np.float32]
    """[T, D] features of every training photo, or none at all where nobody asks for memorisation."""


@dataclass(frozen=True)
class Pictures:
    """What the judges saw of a model's pictures, by what they were drawn for."""

    main: Seen
    """[N] of the captions."""
    sentences: Seen
    """[S * V] of several seeds of some captions."""
    colours: Seen | None
    names: Seen | None
    grid: NDArray[np.uint8]
    """[G, R, R, 3] the first seeds of the first sentences as they were drawn, row by row."""


def draw_all(
    draw: Draw,
    questions: Questions,
    constants: ProtocolConstants,
    judges: Judges,
    num_threads: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pictures:
    """Have a model draw all that is asked for, and the judges look at it.

    Args:
        draw: The model.
        questions: What is asked for.
        constants: Size of the grid.
        judges: Who looks.
        num_threads: Batches seen at a time.
        on_progress: Called with the pictures done and their number in all.
    """
    groups = questions.groups()
    total = sum(map(len, groups.values()))
    kept: dict[int, NDArray[np.uint8]] = {}
    views = questions.num_sentence_seeds
    rows = min(constants.grid_rows, len(questions.sentences))
    columns = min(constants.grid_columns, views)
    wanted = {row * views + column for row in range(rows) for column in range(columns)}
    seen: dict[str, Seen | None] = {}
    done = 0
    for name, asked in groups.items():

        def pictures(
            start: int, stop: int, name: str = name, asked: list[tuple[str, int]] = asked
        ) -> NDArray[np.uint8]:
            pixels = draw(asked[start:stop])
            if name == "sentences":
                kept.update({i: pixels[i - start] for i in wanted if start <= i < stop})
            return pixels

        def advance(num: int, _: int, before: int = done) -> None:
            on_progress(before + num, total)

        parts = see_chunks(judges, len(asked), pictures, num_threads, advance)
        seen[name] = join_seen(list(parts)) if asked else None
        done += len(asked)
    main, sentences = seen["captions"], seen["sentences"]
    assert main is not None and sentences is not None
    grid = np.stack([kept[i] for i in sorted(kept)])
    return Pictures(main, sentences, seen["colours"], seen["names"], grid)


def main_figures(
    pictures: Pictures,
    questions: Questions,
    photos: PhotosSeen,
    judges: Judges,
    constants: ProtocolConstants,
    *,
    with_intervals: bool = True,
) -> dict[str, Figure]:
    """The figures that trainings and evaluations share.

    Args:
        pictures: What was seen of the model's pictures.
        questions: What they were asked for by.
        photos: What was seen of photos.
        judges: Who saw it.
        constants: The protocol's.
        with_intervals: Whether to resample what takes long.
    """
    reference = _reference(questions, photos, constants, with_intervals=with_intervals)
    features = pictures.main.pooled
    sentences = pictures.sentences.pooled.reshape(
        len(questions.sentences), questions.num_sentence_seeds, features.shape[1]
    )
    figures = {
        **distance_figures(features, reference),
        **neighbour_figures(features, reference),
        "diversity": diversity_figure(features, reference),
        "seed_diversity": seed_diversity_figure(sentences, reference),
    }
    matcher, codes, photo_codes = judges.matcher, pictures.main.codes, photos.test.codes
    if matcher is None or codes is None or photo_codes is None:
        return figures | dict.fromkeys(("text_match", "swap_preference"), no_figure(_NO_MATCHER))
    told = codes, photo_codes, questions.captions, questions.owners, matcher.text_codes
    figures["text_match"] = retrieval_figure(*told, constants.num_candidates, questions.seed)
    figures["swap_preference"] = swap_figure(*told, questions.seed)
    return figures


def all_figures(
    pictures: Pictures,
    questions: Questions,
    photos: PhotosSeen,
    judges: Judges,
    constants: ProtocolConstants,
) -> dict[str, Figure]:
    """Every figure of an evaluation but time and memory; arguments as of `main_figures`."""
    reference = _reference(questions, photos, constants, with_intervals=True)
    figures = main_figures(pictures, questions, photos, judges, constants)
    figures |= _reader_figures(pictures, questions, photos, judges, constants)
    figures["memorisation"] = memorisation_figure(pictures.main.pooled, photos.training, reference)
    if judges.damsm is not None:
        assert pictures.main.damsm is not None and photos.test.damsm is not None
        figures["r_precision"] = retrieval_figure(
            pictures.main.damsm,
            photos.test.damsm,
            questions.captions,
            questions.owners,
            judges.damsm.text_codes,
            constants.num_candidates,
            questions.seed,
        )
    if judges.inception is not None:
        assert pictures.main.inception is not None and photos.test.inception is not None
        inception = Reference(
            photos=photos.test.inception,
            others=None if photos.floor is None else photos.floor.inception,
            groups=reference.groups,
            constants=constants,
            seed=questions.seed,
        )
        figures |= inception_figures(pictures.main.inception, inception, judges.inception.num_features)
    return figures


def _reader_figures(
    pictures: Pictures,
    questions: Questions,
    photos: PhotosSeen,
    judges: Judges,
    constants: ProtocolConstants,
) -> dict[str, Figure]:
    reader, main, test, seed = judges.reader, pictures.main, photos.test, questions.seed
    if reader is None or main.colours is None or test.colours is None or test.names is None:
        return dict.fromkeys(("part_colours", "asked_colours", "names"), no_figure(_NO_READER))
    figures = {
        "part_colours": part_colours_figure(
            main.colours, test.colours, questions.captions, questions.owners, reader, seed
        ),
        "asked_colours": no_figure("the captions speak of the parts of neither birds nor flowers"),
        "names": no_figure("no class of the dataset is one that the picture reader knows"),
    }
    if pictures.colours is not None and pictures.colours.colours is not None:
        figures["asked_colours"] = asked_colours_figure(
            pictures.colours.colours,
            questions.colours,
            questions.num_colour_seeds,
            test.colours,
            photos.captions,
            reader,
            seed,
        )
    if pictures.names is not None and pictures.names.names is not None:
        figures["names"] = names_figure(
            pictures.names.names,
            questions.names,
            questions.num_name_seeds,
            test.names,
            photos.labels,
            reader,
            constants.num_name_choices,
            seed,
        )
    return figures


def _reference(
    questions: Questions, photos: PhotosSeen, constants: ProtocolConstants, *, with_intervals: bool
) -> Reference:
    return Reference(
        photos=photos.test.pooled,
        others=None if photos.floor is None else photos.floor.pooled,
        groups=np.unique(np.array(questions.captions), return_inverse=True)[1].reshape(-1),
        constants=constants,
        seed=questions.seed,
        with_intervals=with_intervals,
    )
