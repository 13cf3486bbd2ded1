"""Short captions say the colours of the bird, not those of what is around it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.sources.shipped_captions import read_shipped
from creativeai.data.sources.short_caption import short_caption

COLOUR = (
    "(red|yellow|blue|green|orange|black|white|brown|pink|purple|grey|tan|cream|golden|turquoise|olive"
    "|reddish brown|olive green)"
)
FORM = re.compile(
    rf"an? ((small|medium|large) )?(bird|{COLOUR} (and {COLOUR} )?bird|{COLOUR} bird with {COLOUR} wings)"
)


@pytest.mark.parametrize(
    ("expected", "captions"),
    [
        # Colour of the bird itself, and its size
        ("a small red bird", ["a small red bird on a twig"]),
        ("a white and black bird", ["a black and white bird", "this bird is white, its head black"]),
        ("an orange bird", ["an orange bird"]),
        ("a large white bird", ["a big white bird with black wing tips", "this huge bird is pure white"]),
        ("a medium brown bird", ["this is a medium sized brown bird"]),
        ("a brown bird", ["a small brown bird", "a large brown bird"]),  # the sizes disagree
        ("a small grey bird", ["a tiny gray bird", "this small bird is greyish all over"]),
        # The wings when they are clearly another colour
        ("a yellow bird with black wings", ["a bright yellow bird with a yellow breast and black wings"]),
        ("a red bird", ["a red bird with white striped wings"]),  # the white may be the stripes
        ("a black and red bird", ["a red and black bird with black wings"]),
        # Parts weigh less than the bird, and carry their colours together
        ("a blue bird", ["this bird has a blue head, back and wings and a red throat"]),
        ("a brown and cream bird", ["a bird with brown back and wings, a cream breast and a cream belly"]),
        ("a green bird", ["a green headed green bird with red legs, an orange bill and yellow eyes"]),
        ("a black bird", ["a black long tailed bird"]),
        ("a white and green bird", ["a green headed duck with a white breast"]),
        # Said after the bird
        ("a green bird", ["this bird is bright green with a red bill"]),
        ("a reddish brown bird", ["the bird is fluffy and rust brown with a yellow orange throat"]),
        ("a red bird", ["a bird whose crown and breast are brilliant red"]),
        ("a grey bird", ["this bird is plain grey all over"]),
        ("a black bird", ["the bird has a bill that is white and its body is black"]),
        # Shades
        ("a brown bird", ["an olive brown bird", "a grey brown bird"]),
        ("an olive green bird", ["an olive green bird"]),
        ("a red bird", ["a reddish bird", "a scarlet bird"]),
        ("a reddish brown bird", ["a rust colored bird", "a rusty bird"]),
        ("a golden bird", ["a golden bird"]),
        ("a yellow bird", ["a golden yellow bird", "a yellow bird", "a golden bird"]),
        ("a turquoise bird", ["an iridescent turquoise bird", "a teal bird"]),
        ("a green bird", ["an iridescent green hummingbird"]),
        ("a blue bird", ["a sky blue bird against a grey sky"]),
        ("a white bird", ["a white bird", "a cream bird"]),
        # What is around the bird doesn't count
        ("a red bird", ["a red bird on a green background"]),
        ("a red bird", ["a red bird, green leaves behind"]),
        ("a red bird", ["in a clear blue sky, a red bird with a white patch and a yellow bill"]),
        (
            "a bird",
            [
                "a bird among green leaves",
                "sitting on a brown branch before plain yellow, this bird looks left",
            ],
        ),
        ("a bird", ["a bird with an orange beak, pink legs and a red eye"]),
        ("a small bird", ["a small dark bird in front of blue water"]),
        ("a bird", ["the bird looks at green grass"]),
        ("a bird", []),
    ],
)
def test_colours_and_size(expected: str, captions: list[str]) -> None:
    assert short_caption(captions) == expected


@pytest.mark.parametrize(
    ("expected", "first", "second"),
    [
        (
            "a small olive bird with brown wings",
            "this bird has a grey head, olive brown back and wings, a dull olive belly and a short beak",
            "a small plain bird in shallow water, its grey head turned to the left above an olive body",
        ),
        (
            "a large black bird",
            "this large bird is black with short curled head feathers and an orange beak with a dark tip",
            "resting with its neck bent, a black bird lowers its orange bill in front of a brown wooden wall",
        ),
        (
            "a red bird with brown wings",
            "this is a bright red bird with a round crest, a pale eye, dark brown wings and orange legs",
            "perched on thin twigs against blurred pale green, a red bird with a fan crest faces right",
        ),
        (
            "a tan and blue bird",
            "a bird with a black head, pinkish tan body, blue wings, a long blue tail and a black bill",
            "seen from the side on a bare twig, a beige and blue bird with its tail hanging down",
        ),
        (
            "a small blue and orange bird",
            "this small bird has a bright blue head and back, pale orange and white breast and a dark tail",
            "perched on a purple twig, a blue bird with a pale orange belly turns left before yellow green",
        ),
    ],
)
def test_real_captions(expected: str, first: str, second: str) -> None:
    assert short_caption([first, second]) == expected


SHIPPED = ("birds525", "birds150")


def test_every_shipped_photo_gets_a_well_formed_caption() -> None:
    short = [short_caption(row["captions"]) for name in SHIPPED for row in read_shipped(name)]

    assert all(FORM.fullmatch(caption) for caption in short)
    assert sum(caption.endswith("a bird") for caption in short) < 0.04 * len(short)
    assert len(set(short)) > 300


WORDS = st.sampled_from(
    [
        *("a", "the", "bird", "red", "green", "olive", "brown", "small", "wings", "wing", "head", "bill"),
        *("feathers", "is", "and", ",", "with", "on", "striped", "long", "headed", "leaves", "sky", "teal"),
    ]
)


@given(st.lists(st.lists(WORDS).map(" ".join), max_size=3))
def test_any_words_give_the_form(captions: list[str]) -> None:
    assert FORM.fullmatch(short_caption(captions))


@given(st.lists(st.text(), max_size=3))
def test_any_text_gives_the_form(captions: list[str]) -> None:
    assert FORM.fullmatch(short_caption(captions))


@given(
    st.sampled_from(["red", "yellow", "blue", "green", "black"]),
    st.sampled_from(["pink", "white", "brown", "purple"]),
    st.sampled_from(
        ["on a {} background", "in a {} sky", "among {} leaves", ", {} water behind", "on {} ground"]
    ),
)
def test_background_never_counts(bird: str, around: str, place: str) -> None:
    assert short_caption([f"a {bird} bird {place.format(around)}"]) == f"a {bird} bird"
