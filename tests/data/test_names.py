"""Names of classes become captions that agree with what is written of the picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.names import captions_of_name, kind_of, name_of, named_form, plural_of
from creativeai.data.sources.shipped_captions import read_shipped


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("flamingo", ("a flamingo", "a photo of a flamingo")),
        ("bald eagle", ("a bald eagle", "a photo of a bald eagle", "an eagle")),
        ("belted kingfisher", ("a belted kingfisher", "a photo of a belted kingfisher", "a kingfisher")),
        ("stork billed kingfisher", ("a stork billed kingfisher",)),
        ("osprey", ("an osprey", "a photo of an osprey")),
        ("eurasian magpie", ("a eurasian magpie",)),
        (
            "wilson's bird of paradise",
            ("a wilson's bird of paradise", "a photo of a wilson's bird of paradise", "a bird of paradise"),
        ),
        ("001.Black_footed_Albatross", ("a black footed albatross",)),
        ("northern red bishop", ("a northern red bishop", "a photo of a northern red bishop")),
        ("lenten rose", ("a lenten rose", "a photo of a lenten rose")),
        ("sword lily", ("a sword lily", "a photo of a sword lily", "a gladiolus")),
        ("watercress", ("watercress", "a photo of watercress")),
        ("orange dahlia", ("a dahlia", "a photo of a dahlia")),
    ],
)
def test_names(label: str, expected: tuple[str, ...]) -> None:
    assert captions_of_name(label)[: len(expected)] == expected
    assert len(expected) == 1 or captions_of_name(label) == expected


@pytest.mark.parametrize(
    "label", [None, "7", "class_00001", "", "!", "a1", "one two three four five six seven"]
)
def test_labels_that_are_no_names(label: str | None) -> None:
    assert captions_of_name(label) == () and named_form("a bird", label) is None


@pytest.mark.parametrize(
    ("label", "written", "expected"),
    [
        ("rose", ["two pink roses on a dark ground"], "two roses"),
        ("rose", ["two large white flowers with yellow centres"], "two roses"),
        ("english marigold", ["three orange marigolds"], "three english marigolds"),
        ("tulip", ["a sunny bed full of red and orange tulips"], "tulips"),
        ("tulip", ["a red tulip", "tulips behind it"], "tulips"),
        ("rose", ["a single red rose with two green leaves"], "a rose"),
        ("hawaiian goose", ["two grey geese stand close together"], "two hawaiian geese"),
        ("bald eagle", ["two eyes of a brown bird that looks at us"], "a bald eagle"),
        ("osprey", ["a bird sits on a stump by pink flowers"], "an osprey"),
    ],
)
def test_number_is_the_written_captions(label: str, written: list[str], expected: str) -> None:
    assert captions_of_name(label, written)[0] == expected


def test_no_name_where_the_photo_shows_another_flower() -> None:
    assert captions_of_name("tulip", ["white and yellow pansies among leaves", "white pansies"]) == ()
    assert captions_of_name("sunflower", ["a yellow daisy-like flower in front of a fence"]) != ()
    assert captions_of_name("great blue heron", ["a grey heron stands among water lilies"]) != ()


@pytest.mark.parametrize(
    ("caption", "label", "expected"),
    [
        ("this bird has a red head", "northern cardinal", "this cardinal has a red head"),
        ("a bird with brown wings", "bald eagle", "an eagle with brown wings"),
        ("A bird sits there", "emperor penguin", "A penguin sits there"),
        ("an odd small bird", "kakapo", "an odd small kakapo"),
        ("two birds on a branch", "mourning dove", "two doves on a branch"),
        ("a red bird, on snow", "northern cardinal", "a red cardinal, on snow"),
        ("a yellow flower with a dark centre", "gazania", "a yellow gazania with a dark centre"),
        # Nothing to be replaced, or no single place.
        ("a red thing", "northern cardinal", None),
        ("a bird on a bird house", "northern cardinal", None),
        ("a cardinal, a red bird", "northern cardinal", None),
        # "bird" and "flower" that are part of another word.
        ("on a bird feeder", "northern cardinal", None),
        ("a bird-like shape", "northern cardinal", None),
        ("a bird of prey", "bald eagle", None),
        ("a yellow canna flower", "canna lily", None),
        ("pink flower buds", "rose", None),
        # Names that say a colour themselves, and photos of something else.
        ("a grey bird", "purple swamphen", None),
        ("a pansy and a white flower", "tulip", None),
    ],
)
def test_the_name_takes_the_place_of_the_bird(caption: str, label: str, expected: str | None) -> None:
    assert named_form(caption, label) == expected


@given(st.sampled_from(["northern cardinal", "rose", "bald eagle", "orange dahlia"]), st.text())
def test_any_text_has_a_named_form_or_none(label: str, caption: str) -> None:
    first = named_form(caption, label)

    assert first is None or first != caption
    assert first == named_form(caption, label)


def test_named_forms_keep_every_other_word() -> None:
    rows = [row for name in ("birds525", "flowers") for row in read_shipped(name)][::7]
    changed = 0
    for row in rows:
        for caption in row["captions"]:
            form = named_form(caption, row["label"])
            if form is None:
                continue
            changed += 1
            name = name_of(row["label"])
            assert name is not None
            own = {*(kind_of(name) or name).split(), *plural_of(kind_of(name) or name).split(), "a", "an"}
            generic = {"bird", "birds", "flower", "flowers", "bloom", "blooms", "blossom", "blossoms"}
            assert set(caption.replace(",", "").split()) - generic - {"a", "an"} <= set(
                form.replace(",", "").split()
            )
            assert set(form.replace(",", "").split()) - own <= set(caption.replace(",", "").split())
    assert changed > 100


@pytest.mark.parametrize(
    ("name", "plural"),
    [
        ("rose", "roses"),
        ("daisy", "daisies"),
        ("bald eagle", "bald eagles"),
        ("glossy ibis", "glossy ibises"),
        ("hawaiian goose", "hawaiian geese"),
        ("finch", "finches"),
        ("bird of paradise", "birds of paradise"),
        ("blue jay", "blue jays"),
    ],
)
def test_plurals(name: str, plural: str) -> None:
    assert plural_of(name) == plural


@given(st.text())
def test_any_label_is_a_name_or_none(label: str) -> None:
    for caption in captions_of_name(label, [label]):
        assert caption == " ".join(caption.split()) and caption
