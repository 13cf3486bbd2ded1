"""Light and dark, phones, keyboards and screen readers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.conftest import Visit
from web.standin import StandIn

Open = Callable[..., Visit]
TEXT = "a small red bird with black wings standing on a snowy branch in front of a lake"
WIDTHS = [320, 375, 768, 1440]


def brightness(page: Page) -> int:
    """Of the page's ground, 0 to 255."""
    colour = page.locator("html").evaluate("root => getComputedStyle(root).backgroundColor")
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) // 3


@pytest.mark.parametrize(("system", "toggled"), [("light", "dark"), ("dark", "light")])
def test_colours_follow_the_system_until_toggled(
    visit: Open, standin: StandIn, standin_url: str, system: str, toggled: str
) -> None:
    page = visit(standin_url, color_scheme=system).page
    root = page.locator("html")
    expect(root).to_have_attribute("data-mantine-color-scheme", system)
    assert (brightness(page) > 128) == (system == "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", toggled)
    assert (brightness(page) > 128) == (toggled == "light")
    page.reload()
    expect(page.locator("#examples button").first).to_be_visible()
    expect(root).to_have_attribute("data-mantine-color-scheme", toggled)


def test_nothing_is_wider_than_the_screen(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(standin_url).page

    def fits(width: int) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        for element in page.locator("main :is(button, input, textarea):visible").all():
            # These two scroll sideways by themselves.
            if not element.evaluate("element => element.closest('#examples, #history-list')"):
                assert inside(element, width)

    def inside(element: Locator, width: int) -> bool:
        box = element.bounding_box()
        return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width

    expect(page.locator("#examples button").first).to_be_visible()
    for width in WIDTHS:
        fits(width)
    page.get_by_label("Describe a picture").fill(TEXT)
    expect(page.locator("#history-list li")).to_have_count(1)
    for width in WIDTHS:
        fits(width)
    page.locator(".tile").first.click()
    box = page.get_by_role("dialog", name="Picture")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert inside(box, width)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".compare-row[data-state=drawn]")).to_have_count(2)
    for width in WIDTHS:
        fits(width)
    page.locator(".compare-row .tile").last.click()
    expect(page.locator(".word").first).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for part in [box, *box.locator(":is(button, canvas):visible").all()]:
            assert inside(part, width)


def test_sentence_box_grows_with_its_text(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(standin_url).page
    text = page.get_by_label("Describe a picture")
    for sentence in ["a bird", TEXT, " ".join(TEXT for _ in range(8))]:
        text.fill(sentence)
        expect(page.locator(".frame img").first).to_have_attribute("alt", f"{sentence}, picture 1 of 4")
        assert text.evaluate("box => box.scrollHeight - box.clientHeight") <= 1


def test_all_by_keyboard(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(standin_url).page
    text = page.get_by_label("Describe a picture")
    expect(text).to_be_focused()
    page.keyboard.type("a red bird")
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('tile')"):
            break
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".tile").first).to_be_focused()


def test_everything_has_a_name(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(f"{standin_url}?text=a+bird").page

    def expect_names(*roles: str) -> None:
        for role in roles:
            nameless = page.get_by_role(role, name=re.compile(r"^\s*$"))  # type: ignore[arg-type]
            expect(nameless).to_have_count(0)

    expect(page.locator("#history-list li")).to_have_count(1)
    expect_names("button", "textbox", "slider", "radio", "link", "img")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".compare-row[data-state=drawn]")).to_have_count(2)
    expect_names("button", "textbox", "checkbox", "img")
    page.locator(".compare-row .tile").last.click()
    page.get_by_role("button", name="bird", exact=True).hover()
    expect(page.locator("#heat")).to_be_visible()
    expect_names("button", "link")  # the icon in Mantine's Close is an image to Playwright


def test_reduced_motion_stops_all_motion(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(f"{standin_url}?text=a+bird", reduced_motion="reduce").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    assert page.evaluate("() => document.getAnimations().length") == 0
