"""Pictures in the terminal: two pixels a character, as the halves of a block."""

import numpy as np
from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style


def print_preview(image: Image.Image, console: Console, max_width: int = 96) -> None:
    """Print an image as wide as the terminal and `max_width` allow; nothing where there is no terminal."""
    if not console.is_terminal:
        return
    width = min(console.width, max_width, image.width)
    height = max(2, round(image.height * width / image.width / 2) * 2)
    small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(small)
    segments = []
    for y in range(0, height, 2):
        for x in range(width):
            upper, lower = (Color.from_rgb(*pixels[row, x].tolist()) for row in (y, y + 1))
            segments.append(Segment("▀", Style(color=upper, bgcolor=lower)))
        segments.append(Segment.line())
    console.print(Segments(segments))
