"""What a toy bird looks like, and the sentences that say so."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BODY_COLOURS = ("red", "yellow", "blue", "green", "orange", "black", "white", "brown", "pink", "purple")
WING_COLOURS = (*BODY_COLOURS, "grey")
BEAK_COLOURS = ("yellow", "orange", "red", "black", "grey")
BACKGROUND_COLOURS = ("blue", "green", "white", "grey", "pink", "yellow", "orange", "purple", "black")
SIZES = ("small", "medium", "large")
POSES = ("perched", "standing", "flying", "swimming")
FACINGS = ("left", "right")


@dataclass(frozen=True, slots=True)
class ToyBird:
    """All that the captions may say of a picture."""

    body: str
    wings: str
    beak: str
    background: str
    size: str
    pose: str
    facing: str

    def attributes(self) -> dict[str, Any]:
        """The attributes by name, as records carry them."""
        return asdict(self)


def sample_bird(random: np.random.Generator) -> ToyBird:
    """Sample a bird. The wings have the body's colour in one picture of four; the background never has."""

    def pick(values: tuple[str, ...], but: str = "") -> str:
        values = tuple(value for value in values if value != but)
        return values[random.integers(len(values))]

    body = pick(BODY_COLOURS)
    return ToyBird(
        body=body,
        wings=body if random.random() < 0.25 else pick(WING_COLOURS, body),
        beak=pick(BEAK_COLOURS),
        background=pick(BACKGROUND_COLOURS, body),
        size=pick(SIZES),
        pose=pick(POSES),
        facing=pick(FACINGS),
    )


_WHERE = {
    "perched": ("perched on a branch", "sitting on a branch"),
    "standing": ("standing on the ground", "on the ground"),
    "flying": ("flying", "in flight with raised wings"),
    "swimming": ("swimming", "floating on water"),
}
_LONG = (
    "a {size} {body} bird with {wings} wings and {a_beak} beak {where} facing {facing}, {background} behind",
    "{where}, a {size} bird with {a_body} body, {wings} wings and {a_beak} beak, {background} behind it",
    "this {size} bird is {body} with {wings} wings and {a_beak} beak, {where} and turned to the {facing}",
    "{background} background, a {size} {body} bird {where}, it has {wings} wings and {a_beak} beak",
)
_LONG_PLAIN = (
    "a {size} bird, {body} all over, with {a_beak} beak {where}, facing {facing}, {background} background",
    "{where}, a {size} all {body} bird with {a_beak} beak looks {facing}, {background} behind it",
    "this {size} bird is {body} all over and has {a_beak} beak, {where} and turned to the {facing}",
)
_MIDDLE = (
    "{a_body} bird with {wings} wings {where}",
    "a {size} {body} bird {where} against {a_background} background",
    "a bird with {a_body} body and {wings} wings facing {facing}",
    "{a_body} bird {where} with {a_beak} beak",
)
_SHORT = (
    "{a_body} bird",
    "a {size} {body} bird",
    "{a_body} bird with {wings} wings",
    "{a_body} bird {where}",
)


def captions_of(bird: ToyBird, random: np.random.Generator) -> tuple[str, str, str]:
    """A long, a middling and a short sentence that are all true of the bird."""
    long = _LONG_PLAIN if bird.body == bird.wings else _LONG
    where = _WHERE[bird.pose]
    words = bird.attributes() | {
        "where": where[random.integers(len(where))],
        "a_body": _with_article(bird.body),
        "a_beak": _with_article(bird.beak),
        "a_background": _with_article(bird.background),
    }
    one, two, three = (
        templates[random.integers(len(templates))].format(**words) for templates in (long, _MIDDLE, _SHORT)
    )
    return one, two, three


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
