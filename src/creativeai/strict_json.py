"""JSON that has only finite numbers and whole characters."""

import json
import math
from typing import Any

__all__ = ["parse_json"]


def parse_json(data: bytes) -> Any:
    """Read JSON that has only finite numbers and whole characters.

    Raises:
        ValueError: It is no such JSON.
    """
    try:
        content = json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)
        json.dumps(content, ensure_ascii=False).encode()  # fails for halves of characters
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return content


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
