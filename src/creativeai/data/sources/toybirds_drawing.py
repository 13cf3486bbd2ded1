"""Drawing one toy bird with Pillow: four times as large as needed, since Pillow's shapes have hard edges.

Shapes are smooth closed curves through a few points, in the bird's own coordinates: it faces right, its body
is about one unit long, y points down.
"""

import colorsys
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from creativeai.data.sources.toybirds_scene import ToyBird

SIDE = 512
"""Side length of a drawing in pixels: four times the usual 128."""

Points = Sequence[tuple[float, float]]
Colour = tuple[int, int, int]
Place = Callable[[Points], list[tuple[float, float]]]

_HSV = {
    "red": ((352, 364), (0.80, 0.95), (0.75, 0.90)),
    "yellow": ((49, 56), (0.75, 0.92), (0.94, 1.00)),
    "blue": ((208, 228), (0.65, 0.88), (0.66, 0.90)),
    "green": ((100, 140), (0.55, 0.80), (0.48, 0.72)),
    "orange": ((20, 30), (0.85, 0.98), (0.92, 1.00)),
    "black": ((200, 260), (0.05, 0.20), (0.09, 0.15)),
    "white": ((30, 60), (0.00, 0.04), (0.96, 1.00)),
    "brown": ((19, 28), (0.55, 0.70), (0.38, 0.48)),
    "pink": ((335, 346), (0.35, 0.50), (0.95, 1.00)),
    "purple": ((270, 286), (0.50, 0.70), (0.50, 0.72)),
    "grey": ((200, 240), (0.00, 0.06), (0.48, 0.60)),
}
"""Ranges of hue in degrees, saturation and value from which a named colour is drawn."""

# fmt: off
_BODIES: dict[str, Points] = {
    "perched": (
        (0.44, -0.10), (0.38, 0.18), (0.12, 0.38), (-0.22, 0.30),
        (-0.50, 0.10), (-0.22, -0.22), (0.12, -0.42),
    ),
    "flying": (
        (0.54, -0.06), (0.42, 0.24), (0.05, 0.36), (-0.34, 0.22),
        (-0.64, -0.02), (-0.25, -0.22), (0.20, -0.32),
    ),
    "swimming": (
        (0.58, -0.04), (0.52, 0.26), (0.10, 0.42), (-0.40, 0.36),
        (-0.72, -0.06), (-0.30, -0.18), (0.20, -0.26),
    ),
}
_WINGS: dict[str, Points] = {
    "perched": (
        (0.12, -0.14), (0.08, 0.06), (-0.14, 0.18), (-0.46, 0.26),
        (-0.80, 0.33), (-0.48, 0.06), (-0.16, -0.14),
    ),
    "flying": (
        (0.06, -0.20), (-0.10, -0.06), (-0.34, -0.12), (-0.56, -0.36),
        (-0.62, -0.78), (-0.34, -0.62), (-0.06, -0.40),
    ),
    "swimming": (
        (0.10, -0.06), (0.04, 0.09), (-0.18, 0.13), (-0.48, 0.08),
        (-0.78, -0.14), (-0.46, -0.13), (-0.12, -0.13),
    ),
}
_FAR_WING: Points = ((0.24, -0.2), (0.0, -0.2), (-0.1, -0.44), (-0.06, -0.84), (0.16, -0.62), (0.28, -0.38))
_TAILS: dict[str, Points] = {
    "perched": ((-0.34, -0.02), (-0.76, 0.26), (-1.02, 0.44), (-0.96, 0.57), (-0.62, 0.42), (-0.34, 0.22)),
    "flying": (
        (-0.46, -0.07), (-0.78, -0.15), (-1.04, -0.20), (-0.96, 0.00),
        (-1.02, 0.17), (-0.74, 0.09), (-0.46, 0.07),
    ),
    "swimming": (
        (-0.52, -0.04), (-0.78, -0.22), (-0.96, -0.36), (-0.90, -0.12), (-0.70, 0.06), (-0.52, 0.12),
    ),
}
# fmt: on
_HEADS = {"perched": (0.34, -0.44, 0.26), "flying": (0.56, -0.18, 0.21), "swimming": (0.56, -0.46, 0.23)}
"""Middle and radius."""
_SCALES = {"small": 0.27, "medium": 0.345, "large": 0.42}
"""Length of a body in pictures' sides."""


def draw(bird: ToyBird, seed: Sequence[int]) -> Image.Image:
    """Draw a bird: [512, 512] RGB, the same for the same bird and seed."""
    random = np.random.default_rng(seed)
    background = _soften(_sample_colour(random, bird.background))
    body, wings, beak = (_sample_colour(random, name) for name in (bird.body, bird.wings, bird.beak))
    shape = "perched" if bird.pose == "standing" else bird.pose
    place = _placing(random, bird, shape)
    picture = _draw_background(random, background)
    if bird.pose in ("perched", "standing"):
        _draw_support(picture, random, bird.pose, background, place)
    _draw_bird(picture, shape, place, body, wings, beak)
    if bird.pose == "swimming":
        _draw_water(picture, random, background, place([(0.0, 0.29)])[0][1])
    return picture


def _sample_colour(random: np.random.Generator, name: str) -> Colour:
    hue, saturation, value = (random.uniform(low, high) for low, high in _HSV[name])
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _soften(colour: Colour) -> Colour:
    """Paler, as backgrounds are: a third of the way to light grey, except for black."""
    red, green, blue = (
        channel if max(colour) < 60 else round(channel + (225 - channel) * 0.33) for channel in colour
    )
    return red, green, blue


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


def _placing(random: np.random.Generator, bird: ToyBird, shape: str) -> Place:
    """From the bird's coordinates to pixels: the body stands in the middle whatever size, tilt and facing."""
    middle = np.array([0.5, {"perched": 0.5, "flying": 0.51, "swimming": 0.54}[shape]]) + random.uniform(
        -0.03, 0.03, 2
    )
    scale = _SCALES[bird.size] * random.uniform(0.94, 1.06)
    angle = np.deg2rad(random.uniform(-7, 7)) * (shape != "swimming")
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = np.array([1.0 if bird.facing == "right" else -1.0, 1.0])

    def place(points: Points) -> list[tuple[float, float]]:
        placed = (np.asarray(points) @ turn.T * mirror * scale + middle) * SIDE
        return [(float(x), float(y)) for x, y in placed]

    return place


def _draw_background(random: np.random.Generator, colour: Colour) -> Image.Image:
    """A soft gradient with blurred blobs, as a lens leaves of things far away."""
    side = 64
    picture = Image.new("RGB", (side, side))
    shades = np.linspace(random.uniform(1.02, 1.12), random.uniform(0.86, 0.96), side)
    rows = np.clip(np.outer(shades, colour), 0, 255).astype(np.uint8)
    picture.paste(Image.fromarray(np.repeat(rows[:, None], side, axis=1)))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.integers(3, 9)):
        x, y = random.uniform(0, side, 2)
        radius = random.uniform(3, 11)
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=_scaled(colour, random.uniform(0.88, 1.1)))
    return picture.filter(ImageFilter.GaussianBlur(2.5)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _draw_support(
    picture: Image.Image, random: np.random.Generator, pose: str, background: Colour, place: Place
) -> None:
    """The legs, and the branch or the ground under them."""
    pen = ImageDraw.Draw(picture)
    feet = place([(-0.06, 0.56), (0.12, 0.56)])
    level = feet[0][1]
    if pose == "perched":
        slope = random.uniform(-0.12, 0.12) * SIDE
        bark = _scaled((118, 104, 92), random.uniform(0.75, 1.15))
        ends = [(-10.0, level + slope), (SIDE + 10.0, level - slope + SIDE * 0.02)]
        pen.line(ends, fill=bark, width=round(SIDE * random.uniform(0.03, 0.055)))
        pen.line([(x, y - 4) for x, y in ends], fill=_scaled(bark, 1.25), width=4)
    else:
        hill = _scaled(background, 0.72)
        pen.ellipse((-0.5 * SIDE, level - 8, 1.5 * SIDE, level + SIDE), fill=hill)
        pen.ellipse((-0.6 * SIDE, level + 34, 1.4 * SIDE, level + SIDE), fill=_scaled(hill, 0.9))
    for hip, foot in zip(place([(-0.06, 0.24), (0.06, 0.24)]), feet, strict=True):
        pen.line([hip, foot], fill=(96, 84, 80), width=round(SIDE * 0.011))


def _draw_bird(
    picture: Image.Image, shape: str, place: Place, body: Colour, wings: Colour, beak: Colour
) -> None:
    x, y, radius = _HEADS[shape]
    if shape == "flying":
        _paint(picture, place(_curve(_FAR_WING)), _scaled(wings, 0.9))
    _paint(picture, place(_curve(_TAILS[shape])), _scaled(wings, 0.95))
    if shape == "swimming":  # a neck
        _paint(picture, place(_curve([(0.38, -0.5), (0.74, -0.4), (0.6, 0.1), (0.2, 0.0)])), body)
    _paint(picture, place(_curve(_BODIES[shape])), body)
    bill = [(x + 0.7 * radius, y - 0.09), (x + radius + 0.24, y + 0.05), (x + 0.7 * radius, y + 0.14)]
    _paint(picture, place(bill), beak)
    _paint(picture, place(_circle(x, y, radius)), body)
    wing = _curve(_WINGS[shape])
    _paint(picture, place([(px - 0.01, py + 0.035) for px, py in wing]), _scaled(body, 0.82))
    _paint(picture, place(wing), wings)
    _draw_feathers(picture, place, _WINGS[shape], wings)
    eye_x, eye_y = x + 0.38 * radius, y - 0.12 * radius
    for size, colour in ((0.062, (236, 236, 228)), (0.046, (16, 14, 18))):
        ImageDraw.Draw(picture).polygon(place(_circle(eye_x, eye_y, size)), fill=colour)
    ImageDraw.Draw(picture).polygon(place(_circle(eye_x + 0.015, eye_y - 0.015, 0.014)), fill=(255, 255, 255))


def _draw_feathers(picture: Image.Image, place: Place, wing: Points, colour: Colour) -> None:
    """Darker lines from the wing's root towards its tip."""
    root, tips = np.asarray(wing[0]), np.asarray(wing[3:6])
    pen = ImageDraw.Draw(picture)
    for tip in ((3 * tips[0] + tips[2]) / 4, tips.mean(axis=0), (tips[0] + 3 * tips[2]) / 4):
        line = np.stack([0.6 * root + 0.4 * tip, 0.1 * root + 0.9 * tip])
        pen.line(place(line.tolist()), _scaled(colour, 0.8), 4)


def _draw_water(picture: Image.Image, random: np.random.Generator, colour: Colour, level: float) -> None:
    """Water of the background's colour over all below the bird's waterline, which shines through a little."""
    top = round(level)
    water = Image.new("RGB", (SIDE, SIDE - top), _scaled(colour, 0.8))
    pen = ImageDraw.Draw(water)
    for _ in range(14):
        x, y, length = random.uniform(0, SIDE), random.uniform(4, SIDE - top), random.uniform(30, 120)
        pen.line([(x - length, y), (x + length, y)], _scaled(colour, random.choice((0.7, 0.95))), 4)
    below = picture.crop((0, top, SIDE, SIDE))
    picture.paste(Image.blend(below, water, 0.8), (0, top))


def _paint(picture: Image.Image, points: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a shape, lit from above."""
    corners = np.asarray(points)
    left, top = (int(least) for least in np.floor(corners.min(axis=0)))
    width, height = (int(most) + 1 for most in np.ceil(corners.max(axis=0)) - (left, top))
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points], fill=255)
    rows = np.clip(np.outer(np.linspace(1.06, 0.86, height), colour), 0, 255).astype(np.uint8)
    picture.paste(Image.fromarray(rows[:, None]).resize((width, height)), (left, top), mask)


def _circle(x: float, y: float, radius: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return [(x + radius * float(np.cos(angle)), y + radius * float(np.sin(angle))) for angle in angles]


def _curve(points: Points) -> Points:
    """A smooth closed curve through the points (Catmull-Rom)."""
    before, start, end, after = (
        np.roll(np.asarray(points), shift, axis=0)[:, None] for shift in (1, 0, -1, -2)
    )
    t = np.linspace(0, 1, 8, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]
