"""Which part of the bird or flower has which colour, as a caption says it.

How it reads is in `caption_reader.py`. Where a sentence can be read in two ways the reader says nothing: its
pairs are for measuring and for teaching, which a missing pair harms less than a wrong one.
"""

from dataclasses import dataclass

from creativeai.text.caption_reader import colour_phrases


@dataclass(frozen=True, order=True)
class PartColour:
    """One thing a caption asks for: this part has this colour."""

    part: str
    """Canonical part of a bird (`lexicon.BIRD_PARTS`; "body" is the whole bird) or of a flower
    (`lexicon.FLOWER_PARTS`; "petals" is the whole flower too)."""
    colour: str
    """One of `lexicon.COLOURS`."""


def part_colours(caption: str) -> tuple[PartColour, ...]:
    """Say which canonical part has which canonical colour by the caption, each pair once, in their order.

    A caption without such a pair gives an empty tuple; no sentence is refused.
    """
    pairs = (
        PartColour(part, colour)
        for phrase in colour_phrases(caption)
        for part in phrase.parts
        for colour in phrase.colours
    )
    return tuple(dict.fromkeys(pairs))
