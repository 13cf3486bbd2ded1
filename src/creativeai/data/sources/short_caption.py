"""A short sentence, as people type them, from the longer captions of a bird photo: "a small red bird".

How it reads a caption: word by word, colours wait until the noun they belong to.

1. A colour waits. Colours side by side are one shade and count as its last word ("olive brown" is brown,
   "blue grey" is grey); "and" and commas put several in waiting. Plain adjectives ("pale", "long") change
   nothing; "spotted" and the like halve the weight, since in "white spotted" the white may be the spots.
2. A part of a bird takes the waiting colours, weighed by how much of a bird it is. "A blue head and wings"
   colours both. Beak, legs, eyes and markings take them and count nothing.
3. Any other word (sky, leaves, background, "with", "on", "a") drops them, so the background never counts;
   unless the sentence just named the bird or a part of it and went on: "this bird is green with ..." colours
   the bird.
4. A size word before the bird (or after "is") is the bird's size.

Over all captions of a photo the colour with most weight is the bird's. A second one is named when it has at
least half as much; else the wings' colour when it is another. No colour at all gives "a bird".
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from creativeai.text.lexicon import ADJECTIVES, BIRDS, MARKINGS, SHADE_NOUNS, SHADES, SIZES, words

_MIXED = {
    ("red", "brown"): "reddish brown",
    ("orange", "brown"): "reddish brown",
    ("reddish brown", "brown"): "reddish brown",
    ("olive", "green"): "olive green",
}
"""Colours side by side count as the last; these pairs have a name of their own."""
_MERGED = (
    ("brown", "reddish brown"),
    ("white", "cream"),
    ("yellow", "golden"),
    ("green", "olive green"),
    ("green", "olive"),
)
"""Shades too near each other to be named side by side."""
_PART_WEIGHTS = {
    **dict.fromkeys(BIRDS, 3.0),
    **dict.fromkeys(words("body bodied feathers feathered plumage coat"), 3.0),
    **dict.fromkeys(words("breast breasted chest belly bellied front fronted underparts underside"), 1.5),
    **dict.fromkeys(words("back backed upperparts wings winged"), 1.5),
    **dict.fromkeys(words("head headed neck necked sides flanks tail tailed hood"), 0.8),
    **dict.fromkeys(words("face faced throat crest crested crown cap capped shoulders"), 0.5),
    **dict.fromkeys(words("cheeks nape mask rump chin forehead collar bib cape wing"), 0.3),
    **dict.fromkeys(
        words(
            "beak bill billed leg legs legged foot feet footed toes eye eyes eyed ring rings ringed skin "
            "horn casque knob wattle wattles comb pouch sac patch patches spot spots stripe stripes streak "
            "streaks bar bars band bands banded mark marks marked line lines lined tip tips tipped edge "
            "edges edged rim rimmed eyebrow brow moustache cheek ear shoulder flank side hair plume plumes "
            "topknot tuft tufts feather dots specks speckles flecks fringe tinged tinted washed scales "
            "shine sheen stained splashed topped panel ruff beard base mouth end ends markings mottling "
            "barring streaking necklace half flipper flippers"
        ),
        0.0,
    ),
}
"""How much of a bird's look each part is; whole birds and all their feathers count most."""
_WINGS = words("wings winged")
_VERBS = words("is are looks appears")


def short_caption(captions: Sequence[str]) -> str:
    """Say in a few words what size and colours the bird of these captions has.

    The rule is in the module's docstring. The result is "a [small|medium|large] [COLOUR [and COLOUR]] bird"
    or "... bird with COLOUR wings".
    """
    seen = _Seen()
    for caption in captions:
        _read(caption, seen)
    for pair in _MERGED:
        if all(seen.weights[colour] for colour in pair):
            kept, lost = sorted(pair, key=lambda colour: -seen.weights[colour])
            seen.weights[kept] += seen.weights.pop(lost)
            for colours in (seen.of_wings, seen.of_bird):
                if lost in colours:
                    colours.remove(lost)
                    colours.add(kept)
    return _sentence(seen)


@dataclass
class _Seen:
    """What all captions of one photo say."""

    weights: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    of_wings: set[str] = field(default_factory=set)
    of_bird: set[str] = field(default_factory=set)
    """Colours said of the bird itself rather than of a part."""
    sizes: set[str] = field(default_factory=set)

    def give(self, noun: str, colours: list[str], marked: bool, size: str | None) -> None:
        for colour in colours:
            self.weights[colour] += _PART_WEIGHTS[noun] * (0.5 if marked else 1.0)
        if noun in _WINGS and not marked:
            self.of_wings.update(colours)
        if noun in BIRDS:
            self.of_bird.update(colours)
            if size:
                self.sizes.add(size)


def _read(caption: str, seen: _Seen) -> None:
    waiting: list[str] = []  # colours since the last noun
    marked = False  # a word for markings came after them
    size: str | None = None  # size word since the last noun
    given: list[str] = []  # the colours the last noun got, for "a blue head and wings"
    subject: str | None = None  # the last noun, while colours that follow still describe it: "is green"
    after_verb = False
    previous = ""
    tokens = [*re.findall(r"[a-z]+|,", caption.lower()), "."]
    for word, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if word in SHADES:
            shade = waiting.pop() if waiting and previous in SHADES else None
            colour = SHADES[word]
            waiting.append(_MIXED.get((shade, colour), colour) if shade else colour)
        elif word in SIZES:
            size = SIZES[word]
        elif _is_noun(previous, word, following):
            if not waiting and previous in ("and", ","):
                waiting = given
            seen.give(word, waiting, marked, size)
            subject, given = word, waiting
            waiting, marked, size, after_verb = [], False, None, False
        elif word in _VERBS:
            waiting, marked, size, after_verb = [], False, None, True
        elif word == ",":
            subject = subject if after_verb else None
        elif word in MARKINGS:
            marked = marked or previous in SHADES
        elif not _says_nothing(word, following):
            if subject:
                seen.give(subject, waiting, marked, size)
            waiting, given, marked, size, subject, after_verb = [], [], False, None, None, False
        previous = word


def _is_noun(previous: str, word: str, following: str) -> bool:
    """Whether a part's name is what the colours before it belong to.

    It isn't in "head stripe" (the stripe is), nor in "a black long tailed bird" (the bird is).
    """
    if word not in _PART_WEIGHTS:
        return False
    if word.endswith("ed"):
        return previous in SHADES
    compound = (
        following in _PART_WEIGHTS and following not in BIRDS and following not in ("feathers", "feathered")
    )
    return word in BIRDS or not compound


def _says_nothing(word: str, following: str) -> bool:
    if word in SHADE_NOUNS:
        return following in SHADES
    return word in ADJECTIVES or word in _PART_WEIGHTS or word == "and"


def _sentence(seen: _Seen) -> str:
    chosen = [*seen.sizes] if len(seen.sizes) == 1 else []
    ranked = [colour for colour, weight in sorted(seen.weights.items(), key=lambda item: -item[1]) if weight]
    if not ranked:
        return " ".join(["a", *chosen, "bird"])
    first = ranked[0]
    second = ranked[1] if len(ranked) > 1 and 2 * seen.weights[ranked[1]] >= seen.weights[first] else None
    wing = next(iter(seen.of_wings)) if len(seen.of_wings) == 1 else None
    if wing not in (None, first) and second in (None, wing) and wing not in seen.of_bird:
        chosen += [first, "bird", "with", str(wing), "wings"]
    elif second:
        chosen += [first, "and", second, "bird"]
    else:
        chosen += [first, "bird"]
    return " ".join(["an" if chosen[0][0] in "aeiou" else "a", *chosen])
