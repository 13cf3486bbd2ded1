"""Figures of painters whose pictures are right or wrong by sight, and of what makes figures impossible."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.evaluation.card import Figure
from creativeai.evaluation.judges import Judges
from creativeai.evaluation.measure import Pictures, all_figures, draw_all
from creativeai.evaluation.photos import see_photos_of
from creativeai.evaluation.protocol import STANDARD
from creativeai.evaluation.questions import make_questions
from patches import COLOURS, painter, patch, patch_judges, patches
from tiny_training import quiet_console

SMALL = replace(STANDARD, num_resamples=50, num_slow_resamples=3, num_kid_subsets=4)


def measured(
    dataset: CaptionedImages,
    draw: Callable[..., Any] | None = None,
    judges: Judges | None = None,
    num: int | None = None,
    num_threads: int = 1,
) -> tuple[dict[str, Figure], Pictures]:
    judges = judges or patch_judges()
    names = judges.reader.class_names if judges.reader else ()
    questions = make_questions(dataset, dataset.indices("test"), SMALL, num, 0, names)
    photos = see_photos_of(dataset, questions, judges, quiet_console(), num_threads)
    pictures = draw_all(draw or painter(), questions, SMALL, judges, num_threads)
    return all_figures(pictures, questions, photos, judges, SMALL), pictures


@pytest.fixture(scope="module")
def right(toybirds: Path) -> dict[str, Figure]:
    return measured(patches(toybirds))[0]


def test_painter_of_right_colours_is_as_good_as_photos(right: dict[str, Figure]) -> None:
    for name in ("text_match", "swap_preference", "part_colours", "asked_colours", "names"):
        figure = right[name]
        assert figure.value is not None and figure.ceiling is not None, name
        assert figure.value >= figure.ceiling - 0.15, name
        assert figure.low is not None and figure.low <= figure.value
    assert right["swap_preference"].value == right["part_colours"].value == 1
    kid, fd = right["kid"], right["fd_lite2"]
    assert kid.error is not None and kid.value is not None and abs(kid.value) < 6 * kid.error
    assert fd.value is not None and fd.floor is not None and fd.value < 1.5 * fd.floor
    assert right["diversity"].value == pytest.approx(1, abs=0.15)


def test_painter_that_errs_half_of_the_time_is_found_out(toybirds: Path, right: dict[str, Figure]) -> None:
    half = measured(patches(toybirds), painter(lambda seed: seed % 2 == 1))[0]
    # A half of the pictures is right in all; red heads and white breasts are so by chance in the other.
    assert half["part_colours"].value == pytest.approx(0.5 + 0.5 / 8, abs=0.08)
    assert half["asked_colours"].value == pytest.approx(0.5 + 0.5 / 8, abs=0.08)
    for name in ("text_match", "swap_preference"):
        assert half[name].value < right[name].value, name  # type: ignore[operator]
        assert half[name].ceiling == right[name].ceiling, name  # the photos are none the worse
    assert half["kid"].value > right["kid"].value + 3 * half["kid"].error  # type: ignore[operator]


def test_painter_of_one_picture_has_no_diversity(toybirds: Path) -> None:
    figures = measured(patches(toybirds), lambda asked: np.stack([patch("red", "white")] * len(asked)))[0]
    assert figures["diversity"].value == pytest.approx(0, abs=1e-3)
    assert figures["seed_diversity"].value == pytest.approx(0, abs=1e-3)
    assert figures["recall"].value < 0.2  # type: ignore[operator]
    assert figures["names"].value == pytest.approx(5 / 8)  # the five kinds that white is most like


def test_copies_of_training_photos_are_noticed(toybirds: Path) -> None:
    dataset = patches(toybirds)
    train = dataset.indices("train")
    images = dataset.images(32)
    copied = measured(dataset, lambda asked: images[train[[seed % len(train) for _, seed in asked]]])[0]
    assert copied["memorisation"].value == 1
    assert measured(dataset)[0]["memorisation"].value < 0.5  # type: ignore[operator]


def test_floor_is_as_many_other_photos_against_the_same(toybirds: Path) -> None:
    """A1: what training photos score at the numbers of the pictures, not half of the few against half."""
    dataset = patches(toybirds)
    train = dataset.indices("train")
    images = dataset.images(32)
    # The floor's photos themselves, drawn as if a model had made them: they must score just the floor.
    order = np.random.default_rng(0).permutation(train)
    figures = measured(dataset, lambda asked: images[order[[seed % len(order) for _, seed in asked]]])[0]
    for name in ("fd_lite2", "kid", "precision", "recall", "diversity"):
        assert figures[name].value == figures[name].floor, name


def test_no_floor_where_there_are_not_as_many_photos(toybirds: Path) -> None:
    figures = measured(patches(toybirds, num_train=20))[0]
    assert figures["fd_lite2"].floor is None and figures["fd_lite2"].value is not None


def test_text_match_of_photos_and_model_are_by_one_protocol(toybirds: Path) -> None:
    """A2: a model that gives back each caption's photo has exactly the ceiling, however many captions."""
    dataset = patches(toybirds)
    records, images = dataset.records, dataset.images(32)
    by_caption = {
        caption: i for i, r in enumerate(records) if r.split == "test" for caption in r.captions[::-1]
    }
    questions = make_questions(dataset, dataset.indices("test"), SMALL, 150, 0)
    owner = {
        (c, s): int(questions.photos[o])
        for (c, s), o in zip(questions.groups()["captions"], questions.owners, strict=True)
    }

    def album(asked: Any) -> Any:
        return np.stack([images[owner.get((c, s), by_caption.get(c, 0))] for c, s in asked])

    figures = measured(dataset, album, num=150)[0]
    for name in ("text_match", "swap_preference", "part_colours"):
        figure = figures[name]
        assert figure.value == figure.ceiling and figure.low == figure.ceiling_low, name


@pytest.mark.parametrize("num_threads", [2, 3])
def test_figures_are_equal_to_the_last_digit_whatever_the_threads(
    toybirds: Path, right: dict[str, Figure], num_threads: int
) -> None:
    assert measured(patches(toybirds), num_threads=num_threads)[0] == right


def test_captions_that_all_are_the_same(toybirds: Path) -> None:
    figures = measured(patches(toybirds, captions=("a bird",)))[0]
    for name in ("text_match", "swap_preference", "part_colours"):
        assert figures[name].value is None and figures[name].reason, name
    assert figures["kid"].value is not None
    assert figures["seed_diversity"].reason == "of 1 sentences only"


def test_class_with_one_photo_and_photos_without_label(toybirds: Path) -> None:
    dataset = patches(toybirds)
    records = [
        replace(r, label=f"{c} patch" if i % 9 == 0 else None, name_captions=())
        for i, (r, c) in enumerate(
            zip(dataset.records, ([*COLOURS] * 30)[: len(dataset.records)], strict=True)
        )
    ]
    records[0] = replace(records[0], label="red patch", name_captions=("a patch of red",))
    one = CaptionedImages(dataset.path, dataset.meta, records, {32: dataset.images(32)})
    figures = measured(one)[0]
    assert figures["names"].num == SMALL.num_name_seeds
    nobody = patches(toybirds, label=None)
    assert measured(nobody)[0]["names"].value is None


def test_nobody_to_judge_the_text(toybirds: Path) -> None:
    figures = measured(patches(toybirds), judges=patch_judges(matcher=None, reader=None))[0]
    for name in ("text_match", "swap_preference", "part_colours", "asked_colours", "names"):
        assert figures[name].value is None
    assert figures["fd_lite2"].value is not None


@pytest.mark.parametrize("num_test", [1, 2, 3, 5])
def test_hardly_any_photo(toybirds: Path, num_test: int) -> None:
    figures = measured(patches(toybirds, num_test=num_test))[0]
    assert (figures["fd_lite2"].value is None) == (num_test < 2)
    assert (figures["kid"].value is None) == (num_test < 4)
    assert figures["fd_lite2"].reason
    if num_test > 1:
        assert f"only {num_test} photos" in figures["fd_lite2"].reason


def test_grid_has_the_first_seeds_of_the_first_sentences(toybirds: Path) -> None:
    dataset = patches(toybirds)
    pictures = measured(dataset)[1]
    questions = make_questions(dataset, dataset.indices("test"), SMALL, None, 0)
    assert len(pictures.grid) == SMALL.grid_rows * SMALL.grid_columns
    expected = painter()([(questions.sentences[1], 2)])[0]
    np.testing.assert_array_equal(pictures.grid[SMALL.grid_columns + 2], expected)
    assert isinstance(quiet_console(), Console)


def test_progress_counts_every_picture_once(toybirds: Path) -> None:
    dataset = patches(toybirds)
    judges = patch_judges()
    questions = make_questions(dataset, dataset.indices("test"), SMALL, None, 0, judges.reader.class_names)  # type: ignore[union-attr]
    told: list[tuple[int, int]] = []
    draw_all(painter(), questions, SMALL, judges, 1, lambda *state: told.append(state))
    total = sum(map(len, questions.groups().values()))
    assert told[-1] == (total, total) and told == sorted(told)
