from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.text import lexicon
from creativeai.text.augmentation import PLAIN, TextAugmentation, text_seed
from creativeai.text.part_colours import part_colours

EVERYTHING = TextAugmentation(synonyms=1, drop=1, reorder=1, reword=1, articles=1)
NOTHING = {"synonyms": 0.0, "drop": 0.0, "reorder": 0.0, "reword": 0.0, "articles": 0.0}
CAPTIONS = (
    "a small bird with a blue head, white throat and a short black bill",
    "this bird has a red crown, grey wings and tail and a pale belly",
    "perched on a thin branch, a yellow and black bird looks left, plain green background",
    "a white duck with an orange beak swims on a blue pond",
    "this bird is bright green with a red beak",
    "a close-up of a pink rose with dark leaves behind",
    "this flower has petals that are white and has a yellow center",
    "two golden yellow daisies with brown centres in green grass",
    "a red bus",
)


def only(**shares: float) -> TextAugmentation:
    return TextAugmentation(**{**NOTHING, **shares})  # type: ignore[arg-type]


def texts(augmentation: TextAugmentation, caption: str) -> set[str]:
    return {augmentation.augment(caption, seed) for seed in range(60)}


def test_is_a_function_of_caption_and_seed() -> None:
    augmentation = TextAugmentation()
    for caption in CAPTIONS:
        assert augmentation.augment(caption, 5) == augmentation.augment(caption, 5)
    assert text_seed("a red bird", 1) == 253083101016325977
    assert text_seed("a red bird", 1) != text_seed("a red bird", 2)


def test_first_variant_is_the_caption_itself() -> None:
    assert EVERYTHING.variant("A Red bird, perched", 0) == "A Red bird, perched"
    assert EVERYTHING.variant(CAPTIONS[0], 1) == EVERYTHING.variant(CAPTIONS[0], 1) != CAPTIONS[0]


def test_plain_leaves_captions_as_they_are_but_for_capitals() -> None:
    assert texts(PLAIN, "A Red Bird") == {"a red bird"}
    assert PLAIN.variants == 1


def test_synonyms_keep_the_sense_and_mend_the_article() -> None:
    found = texts(only(synonyms=1), "a red bird with an orange bill")
    assert "a scarlet bird with a tangerine beak" in found
    assert texts(only(synonyms=1), "a black bird") == {
        "a jet black bird",
        "an ebony bird",
        "a pitch black bird",
    }


@pytest.mark.parametrize(
    "caption", ["an olive green bird", "a heart-shaped face", "a leaf green bird", "a passion flower"]
)
def test_no_synonym_within_a_compound(caption: str) -> None:
    assert texts(only(synonyms=1), caption) == {caption}


def test_parts_are_dropped_or_shuffled_but_never_all() -> None:
    dropped = texts(only(drop=1), CAPTIONS[0])
    assert dropped == {
        "a small bird with white throat and a short black bill",
        "a small bird with a blue head and a short black bill",
        "a small bird with a blue head and white throat",
    }
    shuffled = texts(only(reorder=1), CAPTIONS[0])
    assert len(shuffled) == 6
    assert "a small bird with a short black bill, white throat and a blue head" in shuffled


def test_what_follows_a_list_stays_with_its_last_part() -> None:
    caption = "a bird with a red head, grey wings and a tail with white tips"
    for text in texts(only(drop=1, reorder=1), caption):
        assert text.endswith("a tail with white tips")


def test_place_and_view_are_dropped() -> None:
    assert texts(only(drop=1), CAPTIONS[2]) == {"a yellow and black bird looks left"}
    assert texts(only(drop=1), CAPTIONS[3]) == {"a white duck with an orange beak"}
    assert texts(only(drop=1), CAPTIONS[5]) == {"a pink rose with dark leaves behind"}


def test_what_stands_before_the_subject_goes_to_the_end() -> None:
    assert texts(only(reorder=1), "seen from behind, a red bird looks left") == {
        "a red bird looks left, seen from behind"
    }


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (CAPTIONS[1], "a bird with a red crown, grey wings and tail and a pale belly"),
        (CAPTIONS[0], "this small bird has a blue head, white throat and a short black bill"),
        (CAPTIONS[4], "a bright green bird with a red beak"),
        ("the bird is orange with a black head and wings", "an orange bird with a black head and wings"),
        ("this is a white seabird with a red bill", "a white seabird with a red bill"),
        ("a white bird on a rock", "this white bird on a rock"),
        ("this old bird on a rock", "an old bird on a rock"),
    ],
)
def test_forms_are_exchanged(caption: str, expected: str) -> None:
    assert expected in texts(only(reword=1), caption)


def test_what_is_told_of_one_bird_stays_told_of_it() -> None:
    assert texts(only(reword=1), "this bird is red all over") == {"the bird is red all over"}


def test_no_second_verb_comes_in() -> None:
    caption = "a bird with black wings and a red head sits on a rock"
    assert not any(" has " in text for text in texts(only(reword=1), caption))


def test_articles_are_left_out() -> None:
    assert "a small bird with blue head, white throat and short black bill" in texts(
        only(articles=1), CAPTIONS[0]
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("written", -0.1), ("variants", 0), ("variants", 65), ("synonyms", 1.1), ("drop", -1), ("articles", 2)],
)
def test_refuses_what_can_not_be(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}={value}"):
        TextAugmentation(**{field: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not all of them 0"):
        TextAugmentation(written=0, short=0, name=0)


_SHADES = st.sampled_from(sorted(lexicon.SHADES))
_PARTS = st.sampled_from(sorted(set(lexicon.BIRD_PARTS)))
_SUBJECTS = ("a {} bird with", "this bird is {} with", "on a rock, this {} bird has", "the {} bird has")
_ENDS = (
    "",
    " perched on a green branch",
    ", plain grey background",
    " and sits on white snow",
    " with red tips",
)


@st.composite
def captions(draw: st.DrawFn) -> str:
    items = [f"a {draw(_SHADES)} {draw(_PARTS)}" for _ in range(draw(st.integers(1, 4)))]
    joint = draw(st.sampled_from([", ", " and ", ", and "]))
    subject = draw(st.sampled_from(_SUBJECTS)).format(draw(_SHADES))
    return f"{subject} {joint.join(items)}{draw(st.sampled_from(_ENDS))}"


@given(captions() | st.sampled_from(CAPTIONS) | st.text(max_size=40), st.integers(0, 2**63))
def test_never_asks_for_what_the_caption_does_not(caption: str, seed: int) -> None:
    text = EVERYTHING.augment(caption, seed)
    assert set(part_colours(text)) <= set(part_colours(caption))
    assert text == text.lower()


@given(captions(), st.integers(0, 1000))
def test_never_drops_the_subject(caption: str, seed: int) -> None:
    text = EVERYTHING.augment(caption, seed)
    assert " bird " in f"{text} "
    assert not {"a", "an", "the", "with", "and", "has"} & {text.split()[-1]}
    assert Counter(text.split())["bird"] == 1
