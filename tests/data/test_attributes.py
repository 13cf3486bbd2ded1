"""Colours are named as people name them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from creativeai.data.attributes import COLOUR_NAMES, body_colour, name_colours


@pytest.mark.parametrize(
    ("name", "shades"),
    [
        ("red", ["red", "crimson", "firebrick", "#b01010"]),
        ("yellow", ["yellow", "gold", "#e8d020"]),
        ("blue", ["blue", "royalblue", "dodgerblue", "#204090"]),
        ("green", ["green", "limegreen", "forestgreen", "olivedrab"]),
        ("orange", ["orange", "darkorange", "#f07020"]),
        ("black", ["black", "#101014", "#202022"]),
        ("white", ["white", "whitesmoke", "snow"]),
        ("brown", ["saddlebrown", "#5c3a1e", "#7a5230"]),
        ("pink", ["pink", "hotpink", "lightpink"]),
        ("purple", ["purple", "indigo", "mediumpurple", "#7a3fa0"]),
        ("grey", ["grey", "dimgrey", "#909498"]),
    ],
)
def test_shades_have_their_everyday_names(name: str, shades: list[str]) -> None:
    pixels = np.array([ImageColor.getrgb(shade) for shade in shades], dtype=np.uint8)

    assert [COLOUR_NAMES[index] for index in name_colours(pixels)] == [name] * len(shades)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20))
def test_every_colour_has_one_name_whatever_its_neighbours(colours: list[tuple[int, int, int]]) -> None:
    names = name_colours(np.array(colours, dtype=np.uint8))

    assert names.max() < len(COLOUR_NAMES)
    for colour, name in zip(colours, names, strict=True):
        assert name_colours(np.array([colour], dtype=np.uint8))[0] == name


def scene(body: str, background: str, side: int = 64) -> np.ndarray:
    pixels = np.empty((side, side, 3), dtype=np.uint8)
    pixels[:] = ImageColor.getrgb(background)
    pixels[side // 3 : -side // 3, side // 3 : -side // 3] = ImageColor.getrgb(body)
    return pixels


def test_body_is_told_from_background() -> None:
    assert body_colour(scene("red", "forestgreen")) == "red"
    assert body_colour(scene("white", "dodgerblue")) == "white"


def test_small_body_still_wins_over_its_background() -> None:
    pixels = scene("white", "dodgerblue")
    pixels[20:30, 20:30] = (20, 20, 20)
    pixels[:16] = (120, 200, 90)

    assert body_colour(pixels) == "white"


def test_bird_of_its_backgrounds_colour_is_named_nonetheless() -> None:
    assert body_colour(scene("dodgerblue", "dodgerblue")) == "blue"
