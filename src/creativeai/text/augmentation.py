"""Captions said in other words while a network trains: the same picture, another sentence."""

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from creativeai.text import grammar, lexicon
from creativeai.text.caption_clauses import lead_and_rest, part_list, without_scene, without_view
from creativeai.text.part_colours import part_colours

__all__ = ["PLAIN", "TextAugmentation", "text_seed"]

_SHARES = ("synonyms", "drop", "reorder", "reword", "articles")


@dataclass(frozen=True, kw_only=True)
class TextAugmentation:
    """How often captions are said in other words. A text never asks for what its caption doesn't."""

    written: float = 0.6
    """Weight of the captions that people wrote of the picture."""
    short: float = 0.25
    """Weight of the short captions derived from them."""
    name: float = 0.15
    """Weight of the captions that only name what is seen."""
    variants: int = 4
    """Texts made of each caption; the first is the caption as it is. Each is encoded once and kept."""
    synonyms: float = 0.4
    """Share of the words with synonyms that one of them replaces."""
    drop: float = 0.3
    """How often each kind of clause is left out: a part, what stands before the subject, the place."""
    reorder: float = 0.4
    """How often parts are listed in another order, and what stands before the subject goes to the end."""
    reword: float = 0.4
    """How often "this bird has" and "a bird with", and other such forms, are exchanged."""
    articles: float = 0.2
    """Share of the articles before parts that are left out."""

    def __post_init__(self) -> None:
        weights = (self.written, self.short, self.name)
        if min(weights) < 0 or sum(weights) == 0:
            raise ValueError(
                f"written={self.written}, short={self.short} and name={self.name} must be 0 or more, and not "
                "all of them 0"
            )
        if not 1 <= self.variants <= 64:
            raise ValueError(f"variants={self.variants} must be from 1 to 64")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be from 0 to 1")

    def variant(self, caption: str, number: int) -> str:
        """One of a caption's texts, by its number below `variants`; the first is the caption itself."""
        return self.augment(caption, text_seed(caption, number)) if number else caption

    def augment(self, caption: str, seed: int) -> str:
        """The caption in other words and in lower case, as a function of caption and seed."""
        chance = random.Random(seed)
        text = caption.lower()
        asked = set(part_colours(text))
        changes: list[tuple[float, Callable[[str, random.Random], str]]] = [
            (self.drop, _without_lead),
            (self.drop, _without_scene),
            (self.drop, _without_part),
            (self.reorder, _lead_last),
            (self.reorder, _parts_shuffled),
            (self.reword, _reworded),
            (1.0, lambda text, chance: _with_synonyms(text, chance, self.synonyms)),
            (1.0, lambda text, chance: _fewer_articles(text, chance, self.articles)),
        ]
        for share, change in changes:
            if chance.random() < share:
                changed = change(text, chance)
                # What the sentence seems to ask for now decides, not what the change was meant to do.
                if set(part_colours(changed)) <= asked:
                    text = changed
        return text


PLAIN = TextAugmentation(
    written=1, short=0, name=0, variants=1, synonyms=0, drop=0, reorder=0, reword=0, articles=0
)
"""The captions as they are, as the papers have it."""


def text_seed(text: str, number: int) -> int:
    """A seed that is a function of a text and a number, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{number} {text}".encode(), digest_size=8).digest(), "big")


def _without_lead(text: str, chance: random.Random) -> str:
    split = lead_and_rest(text)
    return split[1] if split else without_view(text)


def _lead_last(text: str, chance: random.Random) -> str:
    split = lead_and_rest(text)
    return f"{split[1]}, {split[0]}" if split else text


def _without_scene(text: str, chance: random.Random) -> str:
    return without_scene(text) or text


def _without_part(text: str, chance: random.Random) -> str:
    listed = part_list(text)
    if listed is None:
        return text
    # What follows the list may belong to its last item, which then has to stay.
    left_out = chance.randrange(len(listed.items) - bool(listed.after))
    return listed.joined(tuple(item for i, item in enumerate(listed.items) if i != left_out))


def _parts_shuffled(text: str, chance: random.Random) -> str:
    listed = part_list(text)
    if listed is None:
        return text
    movable = list(listed.items[:-1] if listed.after else listed.items)
    chance.shuffle(movable)
    return listed.joined((*movable, *listed.items[len(movable) :]))


_WHOLE = f"(?:{'|'.join(sorted(lexicon.BIRDS | lexicon.FLOWERS))})"
_WORDS = r"(?:[a-z-]+,? ){0,6}?"  # what stands before the noun
_HAS = re.compile(rf"(this|the) ({_WORDS}{_WHOLE}) has (.*)")
_WITH = re.compile(rf"an? ({_WORDS}{_WHOLE}) with (.*)")
_IS = re.compile(rf"(?:this|the) ({_WORDS})({_WHOLE}) is ((?:[a-z-]+,? ){{1,5}}?)(with .*)")
_THIS_IS = re.compile(r"this is (an? .*)")
_SUBJECT = re.compile(rf"(an?|the|this) ({_WORDS})({_WHOLE}\b.*)")


def _reworded(text: str, chance: random.Random) -> str:
    if (match := _IS.fullmatch(text)) and _describes(match[3]):
        return f"{_article(match[3])} {match[3]}{match[1]}{match[2]} {match[4]}"
    if (match := _HAS.fullmatch(text)) and not _has_function_word(match[2]):
        return f"{_article(match[2])} {match[2]} with {match[3]}"
    if match := _THIS_IS.fullmatch(text):
        return match[1]
    if (match := _WITH.fullmatch(text)) and not _has_function_word(match[1]):
        listed = part_list(text)
        # "A bird with black wings sits": with "has" that sentence would have two verbs.
        if listed is not None and not listed.after:
            return f"{chance.choice(('this', 'the'))} {match[1]} has {match[2]}"
    if (match := _SUBJECT.fullmatch(text)) and not _has_function_word(match[2]):
        if match[3].split()[0].endswith("s"):  # "the roses": there is no "a roses"
            return text
        own = "a" if match[1] == "an" else match[1]
        told = re.match(r"\w+ (is|has|that)\b", match[3])  # "this bird is red" tells of one that is seen
        articles = ("the", "this") if told else ("a", "the", "this")
        article = chance.choice([word for word in articles if word != own])
        named = match[2] + match[3]
        return f"{_article(named) if article == 'a' else article} {named}"
    return text


def _describes(words: str) -> bool:
    """Whether these words can all stand before a noun: "bright yellow green"."""
    known = lexicon.ADJECTIVES | lexicon.FURTHER_ADJECTIVES | lexicon.SHADE_NOUNS | grammar.CONJUNCTIONS
    return all(
        token.word in known or token.word in lexicon.SHADES or token.word in lexicon.SIZES
        for token in grammar.tokens(words)
    )


def _has_function_word(words: str) -> bool:
    tokens = grammar.tokens(words)
    return any(token.word in grammar.FUNCTION_WORDS - grammar.AND for token in tokens)


def _article(words: str) -> str:
    return "an" if words[:1] in "aeiou" else "a"


_SYNONYMS = {word: group for group in lexicon.SYNONYMS for word in group if " " not in word}
_COMPOUNDS = lexicon.words("shaped like coloured colored eyed eagle slice")
"""Words that make one word of the one before: "heart-shaped"."""
_BEFORE_FLOWERS = lexicon.ADJECTIVES | grammar.ARTICLES | frozenset(lexicon.SIZES)
_SHADED = lexicon.words(
    "pale light dark darker lighter bright brighter deep dull dusky soft warm rich vivid pastel very nearly"
)


def _with_synonyms(text: str, chance: random.Random, share: float) -> str:
    tokens = grammar.tokens(text)
    for place in reversed(range(len(tokens))):
        token = tokens[place]
        group = _SYNONYMS.get(token.word)
        if group is None or chance.random() >= share:
            continue
        other = chance.choice([word for word in group if word != token.word])
        if _stands_alone([token.word for token in tokens], place):
            text = _put(text, token.start, token.end, other)
    return text


def _stands_alone(words: list[str], place: int) -> bool:
    """Whether a word means just itself: not in "olive green", "pale yellow" or "grass green"."""
    word = words[place]
    before = words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    if after in lexicon.SHADES:  # also of nouns that shade a colour: "leaf green"
        return False
    if after in _COMPOUNDS:
        return False
    if word in lexicon.FLOWERS and not (before in lexicon.SHADES or before in _BEFORE_FLOWERS):
        return False  # "passion flower"
    shaded = before in lexicon.SHADES or before in lexicon.SHADE_NOUNS or before in _SHADED
    return not (word in lexicon.SHADES and shaded)


def _put(text: str, start: int, end: int, words: str) -> str:
    """The text with other words in a place, and "a" or "an" before them as they need it."""
    before = text[:start]
    if article := re.search(r"\ban? $", before):
        before = f"{before[: article.start()]}{_article(words)} "
    return before + words + text[end:]


def _fewer_articles(text: str, chance: random.Random, share: float) -> str:
    listed = part_list(text)
    if listed is None:
        return text
    items = tuple(re.sub(r"^an? ", "", item) if chance.random() < share else item for item in listed.items)
    return listed.joined(items)
