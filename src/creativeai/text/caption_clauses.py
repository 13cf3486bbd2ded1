"""The clauses of a caption: what can be left out or stand in another order without breaking the sentence."""

import re
from dataclasses import dataclass

from creativeai.text import grammar, lexicon

_WHOLES = lexicon.BIRDS | lexicon.FLOWERS
_PARTS = frozenset(lexicon.BIRD_PARTS) | frozenset(lexicon.FLOWER_PARTS)
_NOUNS = _PARTS | _WHOLES | lexicon.MARKING_NOUNS | grammar.FEATHERS
_DESCRIBING = frozenset(lexicon.SHADES) | frozenset(lexicon.SIZES) | lexicon.SHADE_NOUNS | lexicon.MARKINGS
_BEGINNINGS = (
    _DESCRIBING | lexicon.ADJECTIVES | lexicon.FURTHER_ADJECTIVES | lexicon.words("a an its one two")
)
_DOINGS = lexicon.words(
    "perched sitting standing resting swimming flying walking floating perches sits stands rests swims flies "
    "walks floats looks looking faces facing seen"
)

_VIEW = re.compile(r"^(an? )?([a-z]+ )?(close[- ]up|view|portrait|photo|picture) of (?=an? |the |two )")


@dataclass(frozen=True)
class PartList:
    """What a caption lists after "with" or "has": "a red head, grey wings and a short tail"."""

    before: str
    """The caption up to the list."""
    items: tuple[str, ...]
    """At least two parts with what is said of each."""
    after: str
    """The rest of the caption, which belongs to the last item or to the whole; it may be empty."""

    def joined(self, items: tuple[str, ...]) -> str:
        """The caption with these items in the list."""
        listed = items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
        return self.before + listed + self.after


def part_list(caption: str) -> PartList | None:
    """The first list of parts of a caption; None where it has none that is plain enough to be taken apart."""
    tokens = grammar.tokens(caption)
    words = [token.word for token in tokens]
    place = next((i for i, word in enumerate(words) if word in ("with", "has", "have")), None)
    if place is None:
        return None
    spans: list[tuple[int, int]] = []
    start = place = place + 1
    while place < len(words):
        ends = words[place] in _NOUNS and (place + 1 == len(words) or words[place + 1] not in _NOUNS)
        if not ends and (words[place] in grammar.FUNCTION_WORDS - grammar.AND or words[place] in ".;:"):
            break
        if ends:
            following = _after_conjunction(words, place + 1)
            if following == place + 1 or following == len(words):
                spans.append((start, place))
                break
            if words[following] not in _NOUNS or words[following] in lexicon.SHADES:
                spans.append((start, place))
                if not _begins(words[following]):
                    break
                start = following
            place = following - 1
        place += 1
    if len(spans) < 2:
        return None
    return PartList(
        caption[: tokens[spans[0][0]].start],
        tuple(caption[tokens[first].start : tokens[last].end] for first, last in spans),
        caption[tokens[spans[-1][1]].end :],
    )


def _begins(word: str) -> bool:
    """Whether a word can be the first of another part in a list."""
    known = grammar.NOT_ADJECTIVES | grammar.FUNCTION_WORDS | _DOINGS
    return word in _BEGINNINGS or (word not in known and grammar.ADJECTIVE_ENDING.match(word) is not None)


def _after_conjunction(words: list[str], place: int) -> int:
    """Place of the first word after a comma, an "and", or both."""
    if place < len(words) and words[place] == ",":
        place += 1
    if place < len(words) and words[place] in grammar.AND:
        place += 1
    return place


def lead_and_rest(caption: str) -> tuple[str, str] | None:
    """What stands before the subject, and the sentence: "seen from behind", "a red bird looks left".

    None where the caption begins with its subject.
    """
    lead, comma, rest = caption.partition(", ")
    if not comma or not re.match(r"(an?|the|this|two|three) ", rest):
        return None
    words = {token.word for token in grammar.tokens(lead)}
    begins = re.match(r"(an?|the|this|these|two|three) ", lead)
    if begins or words & _WHOLES or not _has_subject(rest):
        return None
    return lead, rest


def without_view(caption: str) -> str:
    """The caption without a "close-up of" or "a side view of" at its beginning."""
    return _VIEW.sub("", caption)


def without_scene(caption: str) -> str | None:
    """The caption without what it says last of the place: "... , plain grey background", "... on a twig".

    None where its end says something of the subject.
    """
    before, comma, last = caption.rpartition(", ")
    words = {token.word for token in grammar.tokens(last)}
    if comma and words & lexicon.PLACES and not words & (_PARTS | _WHOLES) and _has_subject(before):
        return before
    tokens = grammar.tokens(caption)
    for place, token in enumerate(tokens):
        rest = {other.word for other in tokens[place:]}
        if token.word in _DOINGS and place and rest & lexicon.PLACES and not rest & (_PARTS | _WHOLES):
            before = caption[: token.start].rstrip(" ,")
            joined = before.split()[-1] in grammar.FUNCTION_WORDS | grammar.VERBS
            return before if _has_subject(before) and not joined else None
    return None


def _has_subject(text: str) -> bool:
    return any(token.word in _WHOLES for token in grammar.tokens(text))
