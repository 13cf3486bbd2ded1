"""Curves as small panels in one picture, with Pillow alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Curve", "Panel", "draw_panels", "smoothed", "value_range"]

_COLUMNS = 4
_WIDTH, _HEIGHT, _MARGIN, _TOP = 360, 220, 44, 30
_OVERSAMPLING = 2
_INK, _PALE = (40, 40, 40), (220, 220, 220)
_COLOURS = ((31, 119, 180), (255, 127, 14), (140, 190, 230), (255, 190, 120))


@dataclass(frozen=True)
class Curve:
    """Values in order; panels are as wide as the longest, whatever the number of values."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """Curves on common axes."""

    title: str
    curves: Sequence[Curve]


def smoothed(values: Sequence[float], num_points: int) -> np.ndarray:
    """Means of `num_points` neighbouring parts; the values themselves where there are not more."""
    if len(values) <= num_points:
        return np.asarray(values, float)
    return np.array([part.mean() for part in np.array_split(np.asarray(values, float), num_points)])


def value_range(curves: Sequence[np.ndarray]) -> tuple[float, float]:
    """Where all but one in a hundred values lie, at either end."""
    values = np.concatenate([*curves, np.empty(0)])
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, (1, 99))
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def draw_panels(panels: Sequence[Panel], file: Path) -> None:
    """Write the panels, four a row, as a picture of the kind that the file's name says."""
    num_rows = -(-len(panels) // _COLUMNS)
    scale = _OVERSAMPLING
    size = (_COLUMNS * _WIDTH * scale, num_rows * _HEIGHT * scale)
    picture = Image.new("RGB", size, "white")
    for index, panel in enumerate(panels):
        row, column = divmod(index, _COLUMNS)
        _draw_panel(ImageDraw.Draw(picture), panel, column * _WIDTH * scale, row * _HEIGHT * scale)
    picture.resize((size[0] // scale, size[1] // scale), Image.Resampling.LANCZOS).save(file)


def _draw_panel(pen: ImageDraw.ImageDraw, panel: Panel, left: int, top: int) -> None:
    scale = _OVERSAMPLING
    x0, x1 = left + _MARGIN * scale, left + (_WIDTH - 10) * scale
    y0, y1 = top + _TOP * scale, top + (_HEIGHT - 12) * scale
    font, small = (ImageFont.load_default(size * scale) for size in (13, 10))
    curves = [smoothed(curve.values, _WIDTH // 2) for curve in panel.curves]
    low, high = value_range(curves)
    pen.text((x0, top + 2 * scale), panel.title, _INK, font)
    for value in np.linspace(low, high, 3):
        y = y1 - (value - low) / (high - low) * (y1 - y0)
        pen.line((x0, y, x1, y), _PALE, scale)
        pen.text((x0 - 4 * scale, y), f"{value:.3g}", _INK, small, anchor="rm")
    for number, (curve, values) in enumerate(zip(panel.curves, curves, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        xs = np.linspace(x0, x1, len(values))
        ys = y1 - (values.clip(low, high) - low) / (high - low) * (y1 - y0)
        pen.line(np.stack([xs, ys], 1).ravel().tolist(), colour, 2 * scale)
        pen.text((x0 + number * 76 * scale, top + 17 * scale), curve.label, colour, small)
