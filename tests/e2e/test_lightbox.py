"""One picture large: its file, its seed, its link, its like; on the real server."""

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator, Page, expect

from e2e.conftest import Visit
from e2e.test_drawing import pictures

Open = Callable[..., Visit]


@pytest.fixture
def page(visit: Open, demo_url: str) -> Page:
    """The page with pictures of seeds 7 to 10 and variety 0.8."""
    context: Any = {"permissions": ["clipboard-read", "clipboard-write"]}
    opened = visit(f"{demo_url}?text=a+red+bird&seed=7", **context).page
    expect(opened.locator(".tile.is-drawn")).to_have_count(4)
    return opened


def open_picture(page: Page, index: int) -> Locator:
    page.locator(".tile").nth(index).click()
    box = page.get_by_role("dialog", name="Picture")
    expect(box).to_be_visible()
    return box


def test_picture_opens_large_and_smooth(page: Page) -> None:
    box = open_picture(page, 1)
    expect(box.get_by_text("a red bird")).to_be_visible()
    expect(box.locator("#large-seed")).to_have_text("8")
    expect(box.locator("#large-variety")).to_have_text("0.80")
    large = box.get_by_role("img", name="a red bird, seed 8")
    expect(large).to_have_js_property("naturalWidth", 768)
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.locator(".tile").nth(1)).to_be_focused()


def test_arrows_go_round(page: Page) -> None:
    box = open_picture(page, 0)
    seed = box.locator("#large-seed")
    page.keyboard.press("ArrowLeft")
    expect(seed).to_have_text("10")
    box.get_by_role("button", name="Next picture").click()
    expect(seed).to_have_text("7")


def test_download_is_the_picture_as_png(page: Page) -> None:
    shown = pictures(page)[1]
    box = open_picture(page, 1)
    with page.expect_download() as waiting:
        box.get_by_role("link", name="Download PNG").click()
    assert waiting.value.suggested_filename == "a-red-bird-8.png"
    file = Image.open(waiting.value.path())
    assert file.format == "PNG" and file.size == (32, 32)
    tile = Image.open(io.BytesIO(base64.b64decode(shown.split(",")[1])))
    # The tile is a JPEG of the same picture.
    difference = ImageStat.Stat(ImageChops.difference(file.convert("RGB"), tile.convert("RGB")))
    assert max(difference.mean) < 6


def test_link_leads_back_to_the_picture(page: Page, visit: Open) -> None:
    shown = pictures(page)[2]
    box = open_picture(page, 2)
    box.get_by_role("button", name="Copy link").click()
    expect(box.get_by_role("button", name="Link copied")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    friend = visit(link).page
    expect(friend.locator(".tile.is-drawn")).to_have_count(4)
    assert pictures(friend)[0] == shown


def test_more_like_this(page: Page) -> None:
    shown = pictures(page)[2]
    open_picture(page, 2).get_by_role("button", name="More like this").click()
    expect(page.locator(".tile.is-drawn")).to_have_count(12)
    more = pictures(page)
    assert more[0] == shown
    assert len(set(more)) == 12
    assert page.locator(".tag").all_text_contents() == [f"seed {9 + i}" for i in range(12)]
    expect(page.locator("#gallery-note")).to_have_text("More like seed 9, with variety 0.48")
    box = open_picture(page, 1)
    expect(box.locator("#large-variety")).to_have_text("0.48")
