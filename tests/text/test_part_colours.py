import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.text import lexicon
from creativeai.text.caption_reader import colour_phrases
from creativeai.text.part_colours import PartColour, part_colours


def pairs(caption: str) -> set[str]:
    return {f"{pair.part} {pair.colour}" for pair in part_colours(caption)}


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a bird with a red head", "head red"),
        ("a red-headed bird", "head red"),
        ("a bird with red and black wings", "wings red, wings black"),
        ("this bird is green with a red head", "body green, head red"),
        ("its head is red", "head red"),
        ("its head and neck are red", "head red, neck red"),
        ("the bird's wings are black and white", "wings black, wings white"),
        ("this bird is yellow below and grey above", "belly yellow, back grey"),
        ("a small bird, brown above and white below", "back brown, belly white"),
        (
            "the bird is black on the head and breast with a white tail",
            "head black, breast black, tail white",
        ),
        ("a bird with a blue head and wings, white belly", "head blue, wings blue, belly white"),
        ("a green, red headed bird", "body green, head red"),
        ("this bird is green, red head", "body green, head red"),
        ("a tail of rust and black, brown barred wings of a bird", "tail brown, tail black"),
        ("an olive brown bird", "body brown"),
        ("a blue-grey headed bird", "head grey"),
        ("a jet black bird with a snow-white throat", "body black, throat white"),
        ("a crimson bird, its chest azure, with a golden bill", "body red, beak yellow"),
        ("a bird with orange wing feathers and a silvery tail", "wings orange, tail grey"),
        ("this flower has petals that are white and has a yellow center", "petals white, centre yellow"),
        ("a white swan beside its grey chick", "body white"),
        ("an eagle with a crown of long brown feathers", "crown brown"),
        ("desert rose flowers with white petals in a bed of red roses", "petals white"),
        ("a white parrot with a yellow crest in front of green leaves", "body white, crown yellow"),
        ("a close-up of deep red rose petals", "petals red"),
        ("a bird with a white breast streaked with black", "breast white"),
        ("three yellow black-eyed susans", "petals yellow, centre black"),
        ("a purple violet in green grass", "petals purple"),
        ("a pale lilac passion flower", "petals purple"),
        ("a violet and yellow pansy", "petals purple, petals yellow"),
        ("A RED ROSE WITH A WHITE CENTRE.", "petals red, centre white"),
        ("an orange quuxbird with a black beak", "body orange, beak black"),
    ],
)
def test_says_which_part_has_which_colour(caption: str, expected: str) -> None:
    assert pairs(caption) == set(expected.split(", "))


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "a bird",
        "a red bus in a green street",
        "a bird on a red flower before green leaves and a blue sky",
        "a bird with a white wing patch and a yellow eye ring",
        "a bird with a white spotted breast and a red tipped tail",
        "a bird with a dark head glinting purple, scaly below",
        "a golden eagle",
        "a bird eating half an orange, its beak open",
        "a violet",
    ],
)
def test_says_nothing_of_markings_places_and_names(caption: str) -> None:
    assert part_colours(caption) == ()


def test_background_of_a_flower_is_a_birds_place() -> None:
    assert pairs("a green parrot with a red beak on a yellow flower") == {"body green", "beak red"}


def test_each_pair_stands_once_in_the_order_of_the_sentence() -> None:
    found = part_colours("a red bird with black wings and a scarlet body")
    assert found == (PartColour("body", "red"), PartColour("wings", "black"))


def test_phrase_covers_the_words_of_its_colours() -> None:
    caption = "a bird with a sky blue and dark red head and tail"
    [phrase] = colour_phrases(caption)
    assert caption[phrase.start : phrase.end] == "sky blue and dark red"
    assert (phrase.colours, phrase.parts) == (("blue", "red"), ("head", "tail"))


_PARTS = {*lexicon.BIRD_PARTS, *lexicon.FLOWER_PARTS}
_SMALL = lexicon.words("a the bird flower and with is are on of its above xyz , - .")
_WORDS = st.sampled_from(
    sorted({*_SMALL, *lexicon.SHADES, *_PARTS, *lexicon.MARKINGS, *lexicon.EDGES, *lexicon.PLACES})
)


@given(st.lists(_WORDS, max_size=14).map(" ".join) | st.text(max_size=40))
def test_reads_any_sentence(caption: str) -> None:
    parts = {*lexicon.BIRD_PARTS.values(), *lexicon.FLOWER_PARTS.values()}
    for pair in part_colours(caption):
        assert pair.colour in lexicon.COLOURS
        assert pair.part in parts
    for phrase in colour_phrases(caption):
        assert 0 <= phrase.start < phrase.end <= len(caption)
        assert any(word in caption[phrase.start : phrase.end].lower() for word in lexicon.SHADES)


@given(
    st.sampled_from(sorted(lexicon.SHADES)),
    st.sampled_from(sorted(set(lexicon.BIRD_PARTS) - {"feathers", "plumage", "coat", "front"})),
)
def test_reads_every_shade_on_every_part(shade: str, part: str) -> None:
    colour = lexicon.COLOUR_OF_SHADE[lexicon.SHADES[shade]]
    found = part_colours(f"a bird with a {shade} {part}")
    assert found == (PartColour(lexicon.BIRD_PARTS[part], colour),)
