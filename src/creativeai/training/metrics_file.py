"""`metrics.jsonl`: what was measured of a run, one line each time."""

import json
from pathlib import Path
from typing import Any

from creativeai.strict_json import parse_json

__all__ = ["append_measurement", "last_measurements"]

_NAME = "metrics.jsonl"
_MAX_TAIL = 1_000_000
"""Bytes of the end that are looked at: thousands of lines."""


def append_measurement(run: Path, figures: dict[str, Any]) -> None:
    """Add a line to the file in a run's folder."""
    with open(run / _NAME, "a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")


def last_measurements(run: Path, most: int) -> list[dict[str, Any]]:
    """The last ones, oldest first, up to so many; none where nothing was measured or the file can't be read.

    Lines that were half written when a training was killed are left out, and those with NaN.
    """
    try:
        with (run / _NAME).open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _MAX_TAIL))
            lines = stream.read().splitlines()
    except OSError:
        return []
    measurements = []
    for line in lines:
        try:
            content = parse_json(line)
        except ValueError:
            continue
        if isinstance(content, dict):
            measurements.append(content)
    return measurements[-most:]
