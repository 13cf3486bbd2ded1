"""Reading attributes back from pixels, so that tests and benchmarks can check a picture against its text."""

import numpy as np
from numpy.typing import NDArray

COLOUR_NAMES = (
    "red",
    "yellow",
    "blue",
    "green",
    "orange",
    "black",
    "white",
    "brown",
    "pink",
    "purple",
    "grey",
)
_INDEX = {name: index for index, name in enumerate(COLOUR_NAMES)}
_HUES = (
    (12, "red"),
    (40, "orange"),
    (62, "yellow"),
    (165, "green"),
    (258, "blue"),
    (305, "purple"),
    (348, "pink"),
)
"""Upper ends of the hues' ranges in degrees; what is above is red again."""


def name_colours(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Name the colour of each pixel as people would.

    Args:
        pixels: uint8 [..., 3] RGB.

    Returns:
        Positions in `COLOUR_NAMES`, uint8 [...].
    """
    hue, saturation, value = _to_hsv(pixels)
    names = np.full(hue.shape, _INDEX["red"], dtype=np.uint8)
    for end, name in reversed(_HUES):
        names[hue < end] = _INDEX[name]
    dark_warm = (hue >= 14) & (hue < 50) & (value < 0.62) | ((hue < 14) | (hue >= 348)) & (value < 0.36)
    names[dark_warm] = _INDEX["brown"]
    names[((hue >= 300) | (hue < 15)) & (saturation < 0.6) & (value > 0.7)] = _INDEX["pink"]
    pale = saturation < np.where((hue > 165) & (hue < 300), 0.2, 0.15)  # shadows on grey and white are bluish
    names[pale] = _INDEX["grey"]
    names[pale & (value > 0.72)] = _INDEX["white"]
    names[(value < 0.2) | ((saturation < 0.3) & (value < 0.27))] = _INDEX["black"]
    return names


def body_colour(pixels: NDArray[np.uint8]) -> str:
    """Name the dominant colour of what stands in the middle of a picture.

    Pixels count by their nearness to the middle, and not at all when their like occurs along the picture's
    edge, which is taken for background.

    Args:
        pixels: uint8 [R, R, 3] RGB.

    Returns:
        One of `COLOUR_NAMES`.
    """
    side = pixels.shape[0]
    offset = (np.arange(side) + 0.5) / side - 0.5
    weights = np.exp(-(offset[:, None] ** 2 + offset[None, :] ** 2) / (2 * 0.15**2))
    foreground = weights * ~_is_background(pixels)
    if foreground.sum() < 0.1 * weights.sum():  # the bird has its background's colour
        foreground = weights
    names = name_colours(pixels).ravel()
    votes = np.bincount(names, weights=foreground.ravel(), minlength=len(COLOUR_NAMES))
    return COLOUR_NAMES[int(votes.argmax())]


def _is_background(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    margin = max(1, pixels.shape[0] // 32)
    edge = np.ones(pixels.shape[:2], dtype=bool)
    edge[margin:-margin, margin:-margin] = False
    # Colours in steps of 16 are near enough; each step's neighbours are background too.
    seen = np.zeros((18, 18, 18), dtype=bool)
    seen[tuple((pixels[edge] // 16 + 1).T)] = True
    near = np.zeros_like(seen)
    shifts = (-1, 0, 1)
    for red in shifts:
        for green in shifts:
            for blue in shifts:
                near |= np.roll(seen, (red, green, blue), axis=(0, 1, 2))
    background: NDArray[np.bool_] = near[tuple(np.moveaxis(pixels // 16 + 1, -1, 0))]
    return background


def _to_hsv(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Hue in degrees, saturation and value in 0..1."""
    red, green, blue = np.moveaxis(pixels.astype(np.float32) / 255, -1, 0)
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(spread > 0, spread, 1)
    hue = np.select(
        [value == red, value == green],
        [(green - blue) / safe % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    return (hue * 60).astype(np.float32), spread / np.where(value > 0, value, 1), value
