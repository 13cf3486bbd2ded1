import io

from PIL import Image
from rich.console import Console

from creativeai.engine.preview import print_preview


def preview(image: Image.Image, *, terminal: bool, width: int = 40) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=terminal, color_system="truecolor", width=width, no_color=False
    )
    print_preview(image, console)
    return stream.getvalue()


def test_two_pixels_a_character() -> None:
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    image.paste((0, 0, 255), (0, 1, 4, 2))
    lines = preview(image, terminal=True).splitlines()
    assert len(lines) == 2
    assert lines[0].count("▀") == 4
    assert "38;2;255;0;0;48;2;0;0;255" in lines[0] and "48;2;255;0;0" in lines[1]


def test_wide_image_fits_the_terminal() -> None:
    lines = preview(Image.new("RGB", (400, 200)), terminal=True, width=40).splitlines()
    assert len(lines) == 10 and all(line.count("▀") == 40 for line in lines)


def test_nothing_without_a_terminal() -> None:
    assert preview(Image.new("RGB", (4, 4)), terminal=False) == ""
