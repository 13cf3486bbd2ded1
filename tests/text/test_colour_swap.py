import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.text.colour_swap import recolour, swap_colours
from creativeai.text.part_colours import PartColour, part_colours


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a green bird with a red head", "a red bird with a green head"),
        ("an orange bird with a blue head", "a blue bird with an orange head"),
        ("a red-headed bird that is green", "a green-headed bird that is red"),
        ("a red-headed green bird", "a green-headed red bird"),
        ("this bird is black and white with a red beak", "this bird is red with a black and white beak"),
        ("a dark red bird with pale blue grey wings", "a dark blue grey bird with pale red wings"),
        ("a white daisy with a yellow centre", "a yellow daisy with a white centre"),
        ("A white daisy with a yellow centre", "A yellow daisy with a white centre"),
        ("a red bird with a scarlet head", None),
        ("a red bird", None),
        ("a bird", None),
        ("", None),
    ],
)
def test_exchanges_the_colours_of_two_parts(caption: str, expected: str | None) -> None:
    assert swap_colours(caption, seed=0) == expected


def test_seed_chooses_among_the_parts() -> None:
    caption = "a red bird with a blue head, a white belly and black wings"
    swapped = {swap_colours(caption, seed) for seed in range(40)}
    assert len(swapped) == 6  # pairs of four parts
    assert swap_colours(caption, 3) == swap_colours(caption, 3)


def test_recolour_takes_a_colour_the_caption_has_nowhere() -> None:
    for seed in range(20):
        recoloured = recolour("a red bird on a green leaf", seed)
        assert recoloured is not None
        [pair] = part_colours(recoloured)
        assert pair.part == "body"
        assert pair.colour not in ("red", "green")
        assert recoloured.endswith("bird on a green leaf")
    assert recolour("a red bird", 1) == recolour("a red bird", 1)
    assert recolour("a bird on a green leaf", 1) is None


def test_recolour_mends_the_article() -> None:
    texts = {recolour("a red bird", seed) for seed in range(60)}
    assert "an orange bird" in texts
    assert "a blue bird" in texts


_COLOURS = st.sampled_from(
    ["red", "green", "scarlet", "azure", "orange", "pale-blue", "jet", "olive", "golden", "grey"]
)
_PARTS = st.sampled_from(["head", "wings", "beak", "belly", "tail", "crown"])


@st.composite
def captions(draw: st.DrawFn) -> str:
    start = draw(st.sampled_from(["a {} bird with", "this bird is {} and has", "a {}-headed bird with"]))
    clauses = draw(st.lists(st.tuples(_COLOURS, _PARTS), max_size=4))
    return start.format(draw(_COLOURS)) + ",".join(f" a {colour} {part}" for colour, part in clauses)


@given(captions() | st.text(max_size=30), st.integers(0, 2**63))
def test_never_means_the_same(caption: str, seed: int) -> None:
    before = set(part_colours(caption))
    for other in (swap_colours(caption, seed), recolour(caption, seed)):
        assert other is None or set(part_colours(other)) != before


@given(captions(), st.integers(0, 1000))
def test_swap_asks_for_the_same_colours_of_other_parts(caption: str, seed: int) -> None:
    swapped = swap_colours(caption, seed)
    if swapped is not None:
        before, after = part_colours(caption), part_colours(swapped)
        assert {pair.part for pair in after} == {pair.part for pair in before}
        assert {pair.colour for pair in after} == {pair.colour for pair in before}
        assert sorted(swapped.replace(" an ", " a ").split()) != caption.split()


def test_pairs_sort_and_print_plainly() -> None:
    assert PartColour("head", "red") < PartColour("wings", "blue")
