"""Curves of trainings as inline SVG."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from creativeai.bundles.figure_kinds import FIGURE_KINDS, figure_text
from creativeai.evaluation.compare_style import COLOURS

__all__ = ["curve_chart", "curve_names"]

_WIDTH, _HEIGHT = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 10, 26
_CURVES = ("fd_lite2", "kid", "text_match", "swap_preference", "precision", "recall")


def curve_names(curves: Sequence[Sequence[dict[str, Any]]]) -> list[str]:
    """Figures of which some training has at least two measurements, in the order of the cards."""
    return [name for name in _CURVES if any(len(_points(curve, name)) > 1 for curve in curves)]


def curve_chart(name: str, curves: Sequence[Sequence[dict[str, Any]]], labels: Sequence[str]) -> str:
    """One figure of each training over the pictures it had seen.

    Args:
        name: The figure.
        curves: Measurements of each training, in turn.
        labels: Whose each is.
    """
    lines = [_points(curve, name) for curve in curves]
    xs = [x for line in lines for x, _ in line]
    ys = [y for line in lines for _, y in line]
    left, right, low, high = 0.0, max(xs) or 1.0, min(ys), max(ys)
    if low == high:
        low, high = low - 1, high + 1

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / (right - left)
        up = (y - low) / (high - low)
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = []
    for y in (low, (low + high) / 2, high):
        x1, height = place(left, y)
        parts.append(
            f'<line class="axis" x1="{x1:.1f}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>'
        )
        parts.append(
            f'<text x="{x1 - 6:.1f}" y="{height + 4:.1f}" text-anchor="end">{figure_text(name, y)}</text>'
        )
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">0</text>')
    seen = f"{_short(right)} pictures seen"
    parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">{seen}</text>')
    for index, line in enumerate(lines):
        if not line:
            continue
        points = [place(*point) for point in line]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<g class="c{index % COLOURS}"><polyline points="{drawn}"/>')
        parts.append(f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="3.5"/></g>')
    title = f"{FIGURE_KINDS[name].title} while training: {', '.join(labels)}"
    drawing = "".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{drawing}</svg>'


def _points(curve: Sequence[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    measured = [one for one in curve if _is_number(one.get("num_seen")) and _is_number(one.get(name))]
    return [(float(one["num_seen"]), float(one[name])) for one in measured]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(number: float) -> str:
    if number >= 1e6:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e3:.0f} k" if number >= 1e4 else f"{number:,.0f}"
