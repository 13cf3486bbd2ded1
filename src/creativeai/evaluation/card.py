"""The evaluation card: every figure of one model with its interval, its floor and all it depends on."""

import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from creativeai.bundles.decoding import from_json
from creativeai.bundles.figure_kinds import FIGURE_KINDS
from creativeai.errors import EvaluationError
from creativeai.evaluation.protocol import EvaluationProtocol
from creativeai.strict_json import parse_json

__all__ = [
    "CARD_NAME",
    "GRID_NAME",
    "SCHEMA_VERSION",
    "EvaluatedModel",
    "EvaluationCard",
    "Figure",
    "GridFile",
    "card_bytes",
    "card_metrics",
    "no_figure",
    "parse_card",
    "read_card",
]

CARD_NAME = "evaluation.json"
"""The card's name in a bundle."""
GRID_NAME = "evaluation.webp"
"""That of its grid."""
SCHEMA_VERSION = 1
_MAX_SIZE = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure; what it means is in `creativeai.bundles.figure_kinds`."""

    value: float | None
    """None where it can't be measured: `reason` says why."""
    low: float | None = None
    """Lower end of the 95% interval over the captions, or None where there is none."""
    high: float | None = None
    """Its upper end."""
    floor: float | None = None
    """The same of other real photos, those to train on, at the same numbers."""
    ceiling: float | None = None
    """The same of the very photos that the captions describe, in the pictures' place."""
    ceiling_low: float | None = None
    """Lower end of the ceiling's interval."""
    ceiling_high: float | None = None
    chance: float | None = None
    """What guessing gives."""
    error: float | None = None
    """Standard error of the value."""
    num: int | None = None
    """Pictures, or questions, that it rests on."""
    reason: str = ""
    """Why there is no value, or what to keep in mind of it."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number")
        if self.value is None and not self.reason:
            raise ValueError("a figure without a value needs a reason")

    @property
    def photos(self) -> float | None:
        """What real photos have: the ceiling of text figures, else the floor."""
        return self.floor if self.ceiling is None else self.ceiling


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
    """The model that was measured."""

    name: str
    title: str
    digest: str
    """SHA-256 of its generator's graph."""
    text_encoder: str
    """The encoder's name and SHA-256."""
    recipe: str
    preset: str
    resolution: int
    trained_on: str
    """Name of the dataset it was trained on."""
    steps: int | None
    images_seen: int | None
    cpu_seconds: float | None
    curve: tuple[dict[str, Any], ...]
    """Measurements while it trained, in turn: `step`, `num_seen` and figures on the validation photos."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9][a-z0-9_.-]{0,63}", self.name):
            raise ValueError(f"name is {self.name[:80]!r}")
        if not re.fullmatch("[0-9a-f]{64}", self.digest):
            raise ValueError("digest must be a SHA-256")


@dataclass(frozen=True, kw_only=True)
class GridFile:
    """Pictures of some sentences, a row each, in a file beside the card."""

    file: str
    sha256: str
    sentences: tuple[str, ...]
    seeds: tuple[int, ...]
    """Of the columns."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}", self.file):
            raise ValueError(f"file is {self.file[:80]!r}: it must be a plain name beside the card")


@dataclass(frozen=True, kw_only=True)
class EvaluationCard:
    """What an evaluation found, and all it depends on."""

    schema_version: int
    created: int
    """Unix time."""
    code_version: str
    """Version of CreativeAI that measured."""
    model: EvaluatedModel
    protocol: EvaluationProtocol
    figures: dict[str, Figure]
    notes: tuple[str, ...]
    """What to keep in mind, a line each."""
    grid: GridFile | None

    def __post_init__(self) -> None:
        unknown = self.figures.keys() - FIGURE_KINDS.keys()
        if unknown:
            raise ValueError(f"figures has {sorted(unknown)[0][:80]!r}, which this version doesn't know")


def no_figure(reason: str) -> Figure:
    """A figure that can't be measured, and why."""
    return Figure(value=None, reason=reason)


def card_bytes(card: EvaluationCard) -> bytes:
    """The card as JSON; no number is rounded."""
    content = asdict(card)
    for figure in content["figures"].values():
        for name in [name for name, value in figure.items() if value in (None, "") and name != "value"]:
            del figure[name]
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_card(data: bytes, origin: str) -> EvaluationCard:
    """Read a card.

    Args:
        data: Its JSON.
        origin: What it is, for messages.

    Raises:
        EvaluationError: It is no card, has a missing, unknown or wrong value, or is of a newer version.
    """
    try:
        content = parse_json(data)
    except ValueError as error:
        raise EvaluationError(f"{origin} is no evaluation card: it is not JSON ({_line(error)})") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise EvaluationError(
            f"{origin} was made by a newer CreativeAI (schema version {version}, this one reads "
            f"{SCHEMA_VERSION}): upgrade with `pip install -U creativeai`"
        )
    try:
        card: EvaluationCard = from_json(EvaluationCard, content)
    except (ValueError, OverflowError) as error:
        raise EvaluationError(f"{origin} is no right evaluation card: {_line(error)}") from None
    return card


def read_card(file: Path) -> EvaluationCard:
    """The card in a file.

    Raises:
        EvaluationError: As `parse_card`, or it can't be read.
    """
    try:
        if file.stat().st_size > _MAX_SIZE:
            raise EvaluationError(f"{file} is no evaluation card: it is larger than any")
        return parse_card(file.read_bytes(), str(file))
    except OSError as error:
        raise EvaluationError(f"can't read the evaluation card {file}: {error.strerror}") from None


def card_metrics(card: EvaluationCard) -> dict[str, Any]:
    """The card's figures as a manifest's `metrics`: each value, its interval, and what photos have."""
    metrics: dict[str, Any] = {}
    for name, figure in card.figures.items():
        if figure.value is None:
            continue
        parts = {
            "": figure.value,
            "_low": figure.low,
            "_high": figure.high,
            "_error": figure.error,
            "_of_photos": figure.photos,
        }
        metrics |= {name + ending: value for ending, value in parts.items() if value is not None}
    return {
        **metrics,
        "num_generated": card.protocol.num_pictures,
        "num_real": card.protocol.num_photos,
        "measured_on": card.protocol.split,
        "truncation": card.protocol.truncation,
    }


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
