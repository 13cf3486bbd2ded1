"""Reads a caption word by word for its colours and for the parts they belong to.

Colours wait until the noun they belong to.

1. Colours side by side are one shade and count as its last word ("olive brown" is brown); "and" and commas
   put several in waiting. Plain adjectives change nothing.
2. A part takes the waiting colours: "a red and black wing". A part named right after another takes the same:
   "a blue head and wings". "Red-headed" takes the colour before it. The subject as a whole is the part "body"
   of a bird and "petals" of a flower, also by a name unknown here where the caption begins with it.
3. After "is" and "are" the colours go to the noun before: "this bird is green with a red head", "its head is
   red". There "above" means the back and "below" the belly.
4. Markings ("a white wing patch", "white tipped", "white spotted") take their colours and count as no part.
5. Any other word (sky, leaves, "with", "on", "a") drops what waits, so that the background never counts.
"""

from dataclasses import dataclass
from functools import lru_cache

from creativeai.text import grammar, lexicon


@dataclass(frozen=True)
class ColourPhrase:
    """The words that give colours to parts: "dark red and black" of "a dark red and black head and tail"."""

    start: int
    """Where the first colour begins in the caption, in characters."""
    end: int
    """Where the last colour ends."""
    colours: tuple[str, ...]
    """Canonical colours, in their order."""
    parts: tuple[str, ...]
    """Canonical parts that have these colours."""


@lru_cache(maxsize=4096)  # augmentation and swaps ask for the same captions again and again
def colour_phrases(caption: str) -> tuple[ColourPhrase, ...]:
    """The phrases of colours of the caption and the parts they belong to, in their order in the sentence."""
    reader = _Reader(caption)
    reader.read()
    return tuple(phrase for phrase in reader.phrases if phrase.parts)


@dataclass(frozen=True)
class _Colour:
    start: int
    end: int
    name: str
    joint: str
    """The word or comma just before it."""


_CLOSING = lexicon.PLACES | grammar.VERBS
_MARKED = lexicon.MARKINGS | lexicon.EDGES
_SIDES = grammar.UPPER | grammar.LOWER
_KNOWN = _CLOSING | grammar.ARTICLES
_OPENING = grammar.ARTICLES | {"is"}
_PLAIN = lexicon.ADJECTIVES | lexicon.FURTHER_ADJECTIVES | frozenset(lexicon.SIZES) | lexicon.MARKING_NOUNS
_ANY_NOUNS = lexicon.MARKING_NOUNS | lexicon.MARKINGS | lexicon.EDGES


class _Reader:
    """The state while one caption is read."""

    def __init__(self, caption: str) -> None:
        tokens, domain = grammar.tokens(caption), grammar.domain(caption)
        end = tokens[-1].end if tokens else 0
        self.caption = caption
        self.tokens = [*tokens, grammar.Token(".", end, end)]
        self.domain = domain
        flower = domain == "flower"
        self.wholes = lexicon.FLOWERS if flower else lexicon.BIRDS if domain == "bird" else frozenset[str]()
        self.whole = "petals" if flower else "body"
        self.parts = lexicon.FLOWER_PARTS if flower else lexicon.BIRD_PARTS
        self.part_adjectives = lexicon.FLOWER_PART_ADJECTIVES if flower else lexicon.BIRD_PART_ADJECTIVES
        self.phrases: list[ColourPhrase] = []
        self.waiting: list[_Colour] = []
        self.subject: list[str] = []  # what "is" speaks of: the nouns just before it
        self.after_verb = False
        self.opening = True  # nothing was read but the first words of the sentence's first noun
        self.onto = False  # after "is black on", before "the"
        self.trailing = False  # after "dotted" or "glinting", whose colours are no part's
        self.seen = False  # whether the bird or the flower itself was named
        self.aside = False  # after a preposition, until the next comma
        self.owner: list[str] = []  # the part before "of": "a crown of brown feathers"
        self.last: int | None = None  # place of the phrase the last noun got, for "a blue head and wings"

    def read(self) -> None:
        for place, token in enumerate(self.tokens):
            self._read(place, token.word)

    def _word(self, place: int) -> str:
        return self.tokens[place].word if 0 <= place < len(self.tokens) else ""

    def _read(self, place: int, word: str) -> None:
        following = self._word(place + 1)
        self.trailing = self.trailing and (word in grammar.AND or self._is_colour(place))
        if self._is_colour(place):
            self._wait(place)
        elif self._leaves_a_trace(place):
            self.waiting, self.trailing = [], True
        elif word in lexicon.MARKINGS or word in lexicon.EDGES:
            self._mark(place, word)
        elif word in self.part_adjectives and self._is_colour(place - 1):
            self._give([self.part_adjectives[word]], self._last_colours())
            self.subject = []
        elif self._is_noun(place):
            self._noun(place, self._name(place))
        elif word in _SIDES and self.waiting and self._ends(following):
            self._give(["back" if word in grammar.UPPER else "belly"], self.waiting)
        elif word in grammar.CONJUNCTIONS or self._says_nothing(place):
            self.aside = self.aside and word != ","
        elif word in grammar.ARTICLES and not self.waiting:
            self.subject = []
        else:
            self._other(place, word)
        if word in _CLOSING or self._is_noun(place):
            self.opening = False

    def _leaves_a_trace(self, place: int) -> bool:
        """Whether a word gives the noun before it but a trace of what follows: "a head glinting purple"."""
        word, before = self._word(place), self._word(place - 1)
        return (
            word.endswith(("ed", "ing"))
            and self._is_colour(place + 1)
            and (before in self.wholes or before in self.parts)
        )

    def _is_colour(self, place: int) -> bool:
        word, following = self._word(place), self._word(place + 1)
        if word not in lexicon.SHADES:
            return False
        if word in ("golden",) and following in ("eagle", "retriever"):
            return False
        if word == "rose" and following in lexicon.FLOWERS:
            return False
        if word in grammar.THINGS_TOO:
            if self.domain == "flower" and self._word(place - 1) in lexicon.SHADES:
                return following in lexicon.SHADES  # "deep red rose petals"
            describes = following in lexicon.ADJECTIVES or following in lexicon.FURTHER_ADJECTIVES
            listed = following in grammar.AND and self._word(place + 2) in lexicon.SHADES
            return describes or listed or following in lexicon.SHADES or self._names_a_noun(following)
        return not (word == "orange" and following in grammar.OF_FRUIT)

    def _names_a_noun(self, word: str) -> bool:
        own = word in self.wholes or word in self.parts or word in self.part_adjectives
        return own or word in _ANY_NOUNS

    def _wait(self, place: int) -> None:
        token = self.tokens[place]
        colour = lexicon.COLOUR_OF_SHADE[lexicon.SHADES[token.word]]
        before = self._word(place - 1)
        start = self.tokens[place - 1].start if before in lexicon.SHADE_NOUNS else token.start
        if self.trailing:
            return
        if self.waiting and self._is_colour(place - 1) and not self._is_apart(place):
            first = self.waiting.pop()
            self.waiting.append(_Colour(first.start, token.end, colour, first.joint))
        else:
            self.waiting.append(_Colour(start, token.end, colour, before))

    def _is_apart(self, place: int) -> bool:
        """Whether hyphens tell that this colour is no shade of the one before: "yellow black-eyed"."""
        before, token, after = self.tokens[place - 1 : place + 2]
        return (
            after.word in self.part_adjectives
            and token.end + 1 == after.start
            and (self.caption[token.end] == "-" and self.caption[before.end] != "-")
        )

    def _mark(self, place: int, word: str) -> None:
        """Take away the colour that is the marking's: "white spotted"."""
        if self._is_colour(place - 1) and self.waiting:
            if word in lexicon.EDGES:
                self.waiting = []
            elif not (self.waiting[-1].joint in grammar.AND and len(self.waiting) > 1):
                popped = self.waiting.pop()
                if popped.joint == "," and self.after_verb:
                    self._give(self.subject, self.waiting)

    def _last_colours(self) -> list[_Colour]:
        """The last colour alone: the ones before an "and" or a comma may be another noun's."""
        last = self.waiting.pop()
        if last.joint in grammar.AND:
            self.waiting = []
        return [last]

    def _is_noun(self, place: int) -> bool:
        """Whether a word is the noun that colours before it belong to.

        It isn't in "head stripe" (the stripe is), nor in "a black long tailed bird" (the bird is).
        """
        word, following = self._word(place), self._word(place + 1)
        if word in self.wholes:
            return not (
                following in self.wholes
                or following in lexicon.MARKING_NOUNS
                or (self.domain == "flower" and following in self.parts)
            )
        if word in lexicon.MARKING_NOUNS:
            return following not in lexicon.MARKING_NOUNS and not (
                following in self.parts or following in self.part_adjectives
            )
        if word not in self.parts:
            return False
        marked = following in _MARKED  # "eye spotted feathers"
        if following in grammar.FEATHERS or (marked and self._names_a_noun(self._word(place + 2))):
            return False
        if word == "front" and following == "of":
            return False
        return not (following in self.parts or following in lexicon.MARKING_NOUNS or following in self.wholes)

    def _name(self, place: int) -> list[str]:
        """The part that a noun names; none for markings."""
        word = self._word(place)
        if word in self.wholes:
            # A second bird or flower is part of the background: "beside its grey chick".
            seen, self.seen = self.seen, True
            return [] if seen and self.aside else [self.whole]
        if word in grammar.FEATHERS and self._word(place - 1) in self.parts:
            return [self.parts[self._word(place - 1)]]
        if word in grammar.FEATHERS and self.owner:
            return self.owner
        return [] if word in lexicon.MARKING_NOUNS else [self.parts[word]]

    def _noun(self, place: int, parts: list[str]) -> None:
        before, following = self._word(place - 1), self._word(place + 1)
        joined = before in grammar.CONJUNCTIONS
        if self.after_verb and self.waiting:
            # "this bird is green, red head": what stands before the last comma is the subject's.
            joined_to = [colour.joint in grammar.CONJUNCTIONS for colour in self.waiting]
            cut = max((i for i, found in enumerate(joined_to) if found), default=0)
            self._give(self.subject, self.waiting[:cut] if not joined else self.waiting)
            self.waiting = self.waiting[cut:] if not joined else []
            joined = False
        self.after_verb = False
        if self.waiting:
            self._give(parts, self.waiting)
            self.subject = parts
        elif joined and self.last is not None and self._shares(before, following):
            phrase = self.phrases[self.last]
            whole = ColourPhrase(phrase.start, phrase.end, phrase.colours, (*phrase.parts, *parts))
            self.phrases[self.last] = whole
            self.subject = [*self.subject, *parts]
        else:
            self.subject = [*self.subject, *parts] if joined else parts
            self.last = None

    def _shares(self, before: str, following: str) -> bool:
        """Whether a noun after "and" or a comma has the colours of the noun before it."""
        if before == ",":
            return following in grammar.CONJUNCTIONS
        return following not in grammar.POSTURES

    def _give(self, parts: list[str], colours: list[_Colour]) -> None:
        if not colours:
            return
        names = tuple(dict.fromkeys(colour.name for colour in colours))
        self.phrases.append(ColourPhrase(colours[0].start, colours[-1].end, names, tuple(parts)))
        self.last = len(self.phrases) - 1
        if colours is self.waiting:
            self.waiting = []

    def _ends(self, word: str) -> bool:
        return word in grammar.CONJUNCTIONS or word in (".", ";", "with", "in", "on", "who", "that")

    def _says_nothing(self, place: int) -> bool:
        word, following = self._word(place), self._word(place + 1)
        if word in lexicon.SHADE_NOUNS and self._is_colour(place + 1):
            return True
        if word == "front" and following == "of":
            return False
        if word in lexicon.PLACES or word in grammar.VERBS:
            return word in self.parts or (
                word in lexicon.ADJECTIVES and (following in lexicon.SHADES or self._names_a_noun(following))
            )
        return (
            word in _PLAIN
            or word in self.parts
            or word in self.part_adjectives
            or word in self.wholes
            or (word not in grammar.NOT_ADJECTIVES and grammar.ADJECTIVE_ENDING.match(word) is not None)
        )

    def _other(self, place: int, word: str) -> None:
        """A word that ends what went before."""
        self.owner = self.subject if word == "of" else []
        self.aside = self.aside or (word in grammar.FUNCTION_WORDS and word not in ("of", "that", "which"))
        if word == "on" and self.waiting and self.after_verb and self._word(place + 1) in grammar.ARTICLES:
            # "is black on the head and wings": the colour is that of the parts that follow.
            self.after_verb, self.subject, self.onto = False, [], True
            return
        if word in grammar.ARTICLES and self.onto:
            self.onto = False
            return
        self.onto = False
        if word == "of" and self.subject and not self.waiting and self._is_colour(place + 1):
            self.after_verb = True  # "a tail of rust and black" is as good as "is rust and black"
            return
        if self.waiting and self.after_verb:
            self._give(self.subject, self.waiting)
        elif self.waiting and self.opening and self._names_the_subject(place):
            self._give([self.whole], self.waiting)
            self.subject, self.opening = [self.whole], False
            return
        if word in grammar.VERBS:
            self.after_verb = bool(self.subject)
        elif word not in ("that", "which"):
            self.after_verb, self.subject = False, []
        self.waiting, self.last, self.opening = [], None, self.opening and word in _OPENING

    def _names_the_subject(self, place: int) -> bool:
        """Whether an unknown word at the start of the caption is what the caption shows."""
        word = self._word(place)
        known = word in _KNOWN or not word.isalpha()
        return self.domain is not None and not known and word not in grammar.FUNCTION_WORDS
