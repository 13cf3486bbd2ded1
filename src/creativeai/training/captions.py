"""The caption of a mirrored picture."""

import re

__all__ = ["mirrored_caption"]

_SIDES = {"left": "right", "right": "left"}


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored picture: left and right change places."""
    return re.sub(r"\b(left|right)\b", lambda match: _SIDES[match[0].lower()], caption, flags=re.IGNORECASE)
