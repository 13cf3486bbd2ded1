"""Cards side by side: only those of one protocol."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from creativeai.errors import EvaluationError
from creativeai.evaluation.card import CARD_NAME, EvaluationCard, read_card
from creativeai.evaluation.protocol import protocol_differences

__all__ = ["CARD_ENDING", "Compared", "find_cards", "labels_of", "read_compared", "refuse_unlike"]

CARD_ENDING = ".card.json"
"""What the names of cards in a report end with."""
_MOST_BYTES = 50_000_000


@dataclass(frozen=True)
class Compared:
    """A card and the pictures beside it."""

    card: EvaluationCard
    origin: Path
    """The card's file."""
    grid: bytes | None
    """WebP of the sentences' pictures; None where the file is not beside the card."""


def find_cards(places: Sequence[Path]) -> list[Path]:
    """Files of cards: those given, those of the reports and bundles whose folders are given.

    Raises:
        EvaluationError: There is nothing of that name, or no card in a folder.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            if not place.is_file():
                raise EvaluationError(f"there is no evaluation card {place}: give a card, report or bundle")
            found.append(place)
            continue
        cards = (
            [place / CARD_NAME] if (place / CARD_NAME).is_file() else sorted(place.glob(f"*{CARD_ENDING}"))
        )
        if not cards:
            raise EvaluationError(
                f"{place} has no evaluation card: make one with creativeai evaluate, or export it again"
            )
        found += cards
    return found


def read_compared(files: Sequence[Path]) -> list[Compared]:
    """Cards with their grids.

    Raises:
        EvaluationError: A card is not right, or the grid beside it is not the one it was written with.
    """
    return [Compared(card, file, _grid(card, file)) for file in files for card in (read_card(file),)]


def refuse_unlike(compared: Sequence[Compared]) -> None:
    """Refuse cards whose figures say nothing about each other.

    Raises:
        EvaluationError: Two differ in protocol; the message names every field and both values.
    """
    first = compared[0]
    for other in compared[1:]:
        if differences := protocol_differences(first.card.protocol, other.card.protocol):
            raise EvaluationError(
                f"{first.origin} and {other.origin} were not measured alike, so that their figures don't "
                f"compare: {'; '.join(differences)}. Measure both with the same creativeai evaluate"
            )


def labels_of(compared: Sequence[Compared]) -> list[str]:
    """A name for each card, with the beginning of its graph's digest where models share a name."""
    count = Counter(one.card.model.name for one in compared)
    models = [one.card.model for one in compared]
    return [m.name if count[m.name] == 1 else f"{m.name} ({m.digest[:8]})" for m in models]


def _grid(card: EvaluationCard, file: Path) -> bytes | None:
    if card.grid is None:
        return None
    path = file.parent / card.grid.file
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise EvaluationError(f"{path} is too large for a grid of pictures")
        data = path.read_bytes()
    except FileNotFoundError:
        return None  # a card that was copied alone
    except OSError as error:
        raise EvaluationError(f"can't read {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != card.grid.sha256:
        raise EvaluationError(f"{path} is not the grid that {file} was written with: copy both again")
    return data
