"""What a request may hold: the same rules and messages for the command line, Python and the server."""

import unicodedata
from dataclasses import dataclass
from typing import TypeGuard

from creativeai.engine.pictures import NUM_SEEDS, PictureRequest, seed_of
from creativeai.errors import RequestError
from creativeai.request_limits import MAX_NUM_PICTURES, MAX_TEXT_LENGTH

MAX_SEED = NUM_SEEDS - 1


@dataclass(frozen=True, slots=True)
class ValidRequest:
    """A request whose every value is in range.

    Attributes:
        text: Cleaned text.
        num_pictures: 1 to MAX_NUM_PICTURES.
        seed: Seed of the first picture.
        truncation: 0 to 1.
    """

    text: str
    num_pictures: int
    seed: int
    truncation: float

    def pictures(self, attention: bool = False) -> list[PictureRequest]:
        """One request a picture, each with its own seed."""
        seeds = (seed_of(self.seed, index) for index in range(self.num_pictures))
        return [PictureRequest(self.text, seed, self.truncation, attention) for seed in seeds]


def validate_request(text: object, n: object, seed: object, truncation: object) -> ValidRequest:
    """Check a request's values. Whether the model knows any of the words is for `Engine.check_text`.

    Raises:
        RequestError: A value is of the wrong type or out of range; its `param` says which.
    """
    cleaned = clean_text(text)
    if not _is_int(n) or not 1 <= n <= MAX_NUM_PICTURES:
        raise RequestError(f"n is {_shown(n)}: ask for 1 to {MAX_NUM_PICTURES} pictures at a time", param="n")
    if not _is_int(seed) or not 0 <= seed <= MAX_SEED:
        raise RequestError(f"seed is {_shown(seed)}: give a whole number from 0 to {MAX_SEED}", param="seed")
    if not (isinstance(truncation, float) or _is_int(truncation)) or not 0 <= truncation <= 1:
        raise RequestError(
            f"truncation is {_shown(truncation)}: give a number from 0 to 1", param="truncation"
        )
    return ValidRequest(cleaned, n, seed, float(truncation))


def clean_text(text: object) -> str:
    """Text without control characters and with single spaces.

    Raises:
        RequestError: It is no text, or nothing or more than MAX_TEXT_LENGTH characters are left.
    """
    if not isinstance(text, str):
        raise RequestError(f"the text is {_shown(text)}: describe the picture in words", param="prompt")
    cleaned = " ".join("".join(_visible(character) for character in text).split())
    if not cleaned:
        raise RequestError("the text is empty: describe the picture in words", param="prompt")
    if len(cleaned) > MAX_TEXT_LENGTH:
        raise RequestError(
            f"the text has {len(cleaned)} characters: {MAX_TEXT_LENGTH} are the most a model can read",
            param="prompt",
        )
    return cleaned


def _visible(character: str) -> str:
    """A space for a control character; nothing for a formatting mark, half or private character."""
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in ("Cf", "Co", "Cs") else character


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}..."
