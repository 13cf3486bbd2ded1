"""Captions that ask for something else with the same words: the hardest negatives for whoever matches text.

`swap_colours` exchanges the colours of two parts, `recolour` replaces one colour by another. Both read the
caption with `part_colours` and read their own result again, so that what they give surely asks for other
colours.
"""

import random
import re
from itertools import combinations

from creativeai.text.caption_reader import ColourPhrase, colour_phrases
from creativeai.text.lexicon import COLOUR_OF_SHADE, COLOURS, SHADES
from creativeai.text.part_colours import PartColour, part_colours


def swap_colours(caption: str, seed: int) -> str | None:
    """Exchange the colours of two parts.

    "A green bird with a red head" becomes "a red bird with a green head". Where several pairs of parts can
    exchange theirs the seed chooses. None when no two parts have different colours that can be exchanged.
    """
    phrases = colour_phrases(caption)
    pairs = list(combinations(phrases, 2))
    random.Random(seed).shuffle(pairs)
    for first, second in pairs:
        if set(first.parts) & set(second.parts):
            continue
        texts = [caption[phrase.start : phrase.end] for phrase in (first, second)]
        swapped = _replaced(caption, [(first, texts[1]), (second, texts[0])])
        wanted = [
            PartColour(part, colour)
            for phrase, other in ((first, second), (second, first))
            for part in phrase.parts
            for colour in other.colours
        ]
        if _asks_for_something_else(caption, swapped) and set(wanted) <= set(part_colours(swapped)):
            return swapped
    return None


def recolour(caption: str, seed: int) -> str | None:
    """Replace the colour of one part by a colour the caption has nowhere: "a red bird" becomes "a blue bird".

    The seed chooses which and what. None when the caption gives no part a colour.
    """
    chance = random.Random(seed)
    phrases = list(colour_phrases(caption))
    chance.shuffle(phrases)
    words = re.findall("[a-z]+", caption.lower())
    named = {COLOUR_OF_SHADE[SHADES[word]] for word in words if word in SHADES}
    others = [colour for colour in COLOURS if colour not in named]
    chance.shuffle(others)
    for phrase in phrases:
        for colour in others:
            recoloured = _replaced(caption, [(phrase, colour)])
            if _asks_for_something_else(caption, recoloured):
                return recoloured
    return None


def _asks_for_something_else(caption: str, other: str) -> bool:
    return set(part_colours(caption)) != set(part_colours(other))


def _replaced(caption: str, changes: list[tuple[ColourPhrase, str]]) -> str:
    """The caption with other words in the places of these phrases, and "a" or "an" as they need it."""
    for phrase, text in sorted(changes, key=lambda change: -change[0].start):
        before, after = caption[: phrase.start], caption[phrase.end :]
        article = re.search(r"\b(an?) $", before, re.IGNORECASE)
        if article:
            n = "n" if text[0].lower() in "aeiou" else ""
            before = before[: article.start() + 1] + n + " "
        caption = before + text + after
    return caption
