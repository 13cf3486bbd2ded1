"""What a model is asked for."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from creativeai.errors import EvaluationError
from creativeai.evaluation.protocol import STANDARD
from creativeai.evaluation.questions import ASKED_COLOURS, Questions, make_questions, part_pairs
from patches import COLOURS, patches


def ask(toybirds: Path, num: int | None = None, seed: int = 0, **changes: object) -> Questions:
    dataset = patches(toybirds, **changes)
    return make_questions(
        dataset, dataset.indices("test"), STANDARD, num, seed, [f"{c} patch" for c in COLOURS]
    )


def test_each_test_photo_is_asked_for_once_by_its_first_written_caption(toybirds: Path) -> None:
    questions, dataset = ask(toybirds), patches(toybirds)
    assert sorted(questions.photos) == dataset.indices("test").tolist()
    assert questions.photos.tolist() != dataset.indices("test").tolist()  # not in the dataset's order
    for caption, owner in zip(questions.captions, questions.owners, strict=True):
        assert caption == dataset.records[questions.photos[owner]].captions[0]


def test_more_pictures_go_round_with_further_captions_and_seeds(toybirds: Path) -> None:
    questions, dataset = ask(toybirds, num=150), patches(toybirds)
    assert sorted(Counter(questions.owners.tolist()).values()) == [2] * 30 + [3] * 30
    for i, which in ((5, 0), (65, 1), (125, 0)):
        assert questions.captions[i] == dataset.records[questions.photos[5]].captions[which]
    asked = questions.groups()["captions"]
    assert [seed for _, seed in asked] == list(range(150))


def test_fewer_pictures_are_of_some_photos_while_all_stay_to_compare_with(toybirds: Path) -> None:
    questions = ask(toybirds, num=10)
    assert len(questions.captions) == 10 and len(questions.photos) == 60


def test_colours_are_asked_for_one_at_a_time(toybirds: Path) -> None:
    colours = ask(toybirds).colours
    assert len(colours) == 4 * len(ASKED_COLOURS)
    for question in colours:
        assert part_pairs(question.caption) == {question.part: {question.colour}}
    assert "a bird with an orange head" in {question.caption for question in colours}


def test_flowers_are_asked_for_as_flowers_and_other_things_not_at_all(toybirds: Path) -> None:
    flowers = ask(toybirds, captions=("a flower with pink petals and a yellow centre",))
    assert {question.part for question in flowers.colours} == {"petals"}
    assert "an orange flower" in {question.caption for question in flowers.colours}
    assert ask(toybirds, captions=("a car on a road",)).colours == ()


def test_names_are_those_the_reader_knows(toybirds: Path) -> None:
    names = ask(toybirds).names
    assert {question.label for question in names} == {f"{colour} patch" for colour in COLOURS}
    assert {question.caption for question in names} == {f"a patch of {colour}" for colour in COLOURS}
    assert ask(toybirds, label=None).names == ()


def test_digest_follows_everything_that_is_asked(toybirds: Path) -> None:
    assert ask(toybirds).digest == ask(toybirds).digest
    questions = ask(toybirds)
    others = [
        ask(toybirds, num=59),
        ask(toybirds, seed=1),
        ask(toybirds, captions=("a red bird",)),
        replace(questions, names=()),
        replace(questions, num_colour_seeds=2),
        replace(questions, sentences=questions.sentences[:3]),
    ]
    assert len({one.digest for one in [questions, *others]}) == 7


def test_photos_without_a_written_caption_are_asked_for_by_a_short_one(toybirds: Path) -> None:
    questions = ask(toybirds, captions=())
    assert set(questions.captions) <= {f"a {colour} bird" for colour in COLOURS}


def test_no_photo_is_refused(toybirds: Path) -> None:
    dataset = patches(toybirds)
    with pytest.raises(EvaluationError, match="no photo with a written caption"):
        make_questions(dataset, np.array([], np.int64), STANDARD, None, 0)
