"""The small words of captions, and the words of a sentence with their places in it."""

import re
from dataclasses import dataclass
from itertools import pairwise

from creativeai.text import lexicon

ARTICLES = lexicon.words("a an the its this these those their his her each both another")
VERBS = lexicon.words("is are looks look appears appear was were")
FEATHERS = lexicon.words("feathers plumage coverts")
AND = lexicon.words("and &")
CONJUNCTIONS = AND | {","}
UPPER = lexicon.words("above")
LOWER = lexicon.words("below underneath beneath")
POSTURES = lexicon.words(
    "raised spread folded open up down turned half held tucked out stretched cocked lifted fanned closed "
    "tilted bowed bent drooped drooping lowered hanging pointing to toward towards forward high low back "
    "tightly loosely away extended outstretched partly slightly fully flared dangling trailing"
)
"""Words after a part that say how it is held: such a part has no share in the colours before it."""
THINGS_TOO = lexicon.words("rose lilac lavender violet cherry wine plum peach teal")
"""Colours that are things too; they are colours only before a colour or a noun."""
NOT_ADJECTIVES = lexicon.words(
    "with bed reed weed seed shed feed speed red need body berry sky lily daisy ivy canary they by away "
    "my any only every poppy lady honey baby pansy peony fly tidy they carry"
)
ADJECTIVE_ENDING = re.compile(r".{2,}(?:y|ed|like|ish|ous|al|ular)$")
FLOWER_SIGNS = lexicon.words("petal petals petaled petalled sepals spathe stamens stamen bract bracts")
BIRD_SIGNS = lexicon.words("beak bill wings winged tail feathers feathered plumage billed beaked breasted")
OF_FRUIT = lexicon.words("slice half fruit tree")
INSECTS = lexicon.words("bee bees butterfly bumblebee insect beetle ladybird wasp hoverfly moth")
FUNCTION_WORDS = lexicon.words(
    "with without on in at of by from to for into over under above below behind beside near among against "
    "and or but as that which who whose has have had while when where there it between around through "
    "across along before after onto off up down out away toward towards inside atop amid like than then "
    "perched standing sitting flying facing looking seen rests sits stands perches flies"
)


@dataclass(frozen=True)
class Token:
    """A word or a punctuation mark."""

    word: str
    """In lower case."""
    start: int
    """Where it begins in the sentence, in characters."""
    end: int


def tokens(caption: str) -> list[Token]:
    """Split a caption into its words of Latin letters and its punctuation marks; nothing else is one."""
    found = re.finditer(r"[A-Za-z]+|[,.;:&]", caption)
    split = [Token(match.group().lower(), match.start(), match.end()) for match in found]
    # "the bird's head": the "s" says nothing, and the bird only owns the head.
    return [token for token in split if token.word != "s"]


def domain(caption: str) -> str | None:
    """Whether the caption shows a "bird" or a "flower"; None when it doesn't say."""
    found = [token.word for token in tokens(caption)]
    for word, following in pairwise([*found, ""]):
        if word in lexicon.BIRDS and not (following == "of" or following in lexicon.FLOWERS):
            return "bird"
    if any(word in FLOWER_SIGNS or word in lexicon.FLOWERS for word in found):
        signs = sum(word in BIRD_SIGNS for word in found)
        insect = any(word in INSECTS for word in found)
        return "bird" if signs > 1 and not insect else "flower"
    return "bird" if any(word in BIRD_SIGNS for word in found) else None
