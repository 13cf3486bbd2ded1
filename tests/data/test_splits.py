"""A picture's split follows from its name, the source or its class, and near-duplicates stay together."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.splits import assign_splits, split_of
from creativeai.errors import DataError

NAMES = [f"{number}.jpg" for number in range(400)]
NONE: list[str | None] = [None] * len(NAMES)
SPLITS = ("train", "validation", "test")


def name_in(split: str, start: int = 0) -> int:
    return next(i for i in range(start, len(NAMES)) if split_of(NAMES[i]) == split)


def test_split_is_known_forever() -> None:
    held_out = {split: [n for n in range(60) if split_of(f"images/{n}.jpg") == split] for split in SPLITS}

    assert held_out["validation"] == [6, 11, 16, 36, 54]
    assert held_out["test"] == [22, 27, 34, 35, 44, 47]


@given(st.text())
def test_split_is_the_contracts_hash(file_name: str) -> None:
    rest = int(hashlib.sha1(file_name.encode(errors="surrogatepass")).hexdigest()[:8], 16) % 20

    assert split_of(file_name) == ("validation" if rest == 0 else "test" if rest < 3 else "train")


def test_published_splits_stand_and_what_is_missing_is_taken_from_training() -> None:
    published = ["test" if i >= 300 else "train" for i in range(400)]
    found = assign_splits(NAMES, published, NONE, [])

    assert set(found.splits[300:]) == {"test"}
    by_hash = ["validation" if split_of(name) == "validation" else "train" for name in NAMES[:300]]
    assert list(found.splits[:300]) == by_hash
    assert found.rule == (
        "as the source publishes them; "
        "validation taken out of its training pictures by a hash of the file name"
    )


def test_training_and_validation_leave_test_to_the_hash() -> None:
    published = ["validation" if i >= 300 else "train" for i in range(400)]
    found = assign_splits(NAMES, published, NONE, [])

    assert set(found.splits[300:]) == {"validation"}
    assert [s == "test" for s in found.splits[:300]] == [split_of(name) == "test" for name in NAMES[:300]]


def test_what_is_like_a_training_picture_becomes_one() -> None:
    train, test, validation = (name_in(split) for split in ("train", "test", "validation"))
    found = assign_splits(NAMES, NONE, NONE, [[train, test, validation]])

    assert {found.splits[i] for i in (train, test, validation)} == {"train"}
    assert (found.num_moved, found.num_apart) == (2, 0)


def test_without_a_training_picture_the_first_one_decides() -> None:
    test, validation = name_in("test"), name_in("validation")
    found = assign_splits(NAMES, NONE, NONE, [[validation, test]])

    assert found.splits[test] == found.splits[validation] == split_of(NAMES[min(test, validation)])
    assert found.num_moved == 1


def test_a_published_test_picture_stays_and_is_counted() -> None:
    published = ["test" if i >= 300 else "train" for i in range(400)]
    train = name_in("train")
    found = assign_splits(NAMES, published, NONE, [[train, 399]])

    assert (found.splits[train], found.splits[399]) == ("train", "test")
    assert (found.num_moved, found.num_apart) == (0, 1)


def test_classes_are_disjoint_and_stable() -> None:
    labels = [f"class {i % 40}" for i in range(400)]
    found = assign_splits(NAMES, NONE, labels, [], by_class=True)
    classes = {split: {labels[i] for i in range(400) if found.splits[i] == split} for split in SPLITS}

    assert [len(classes[split]) for split in SPLITS] == [34, 2, 4]
    assert len(set().union(*classes.values())) == 40
    again = assign_splits(NAMES[::-1], NONE, labels[::-1], [], by_class=True)
    assert again.splits == found.splits[::-1]


def test_classes_that_share_a_picture_stay_together() -> None:
    labels = [f"class {i % 40}" for i in range(400)]
    alone = assign_splits(NAMES, NONE, labels, [], by_class=True)
    train, test = alone.splits.index("train"), alone.splits.index("test")
    found = assign_splits(NAMES, NONE, labels, [[train, test]], by_class=True)

    assert {found.splits[i] for i in range(400) if labels[i] == labels[test]} == {"train"}
    assert found.num_moved == 10


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["owl"] * 399 + [None], "1 of 400 pictures have no label"),
        (["owl", "emu"] * 200, "needs 10 classes or more, there are 2"),
    ],
)
def test_classes_that_cant_be_parted(labels: list[str | None], message: str) -> None:
    with pytest.raises(DataError, match=message):
        assign_splits(NAMES, NONE, labels, [], by_class=True)
