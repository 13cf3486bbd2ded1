"""How a large picture came about: its stages, and where the model looked for each word."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.conftest import Visit
from web.standin import StandIn

Open = Callable[..., Visit]
# The heat's pixels as rows of [red, green, blue, opacity].
HEAT = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({length: data.length / 4}, (_, i) => [...data.slice(4 * i, 4 * i + 4)]);
}"""


def open_picture(visit: Open, url: str, model: str, text: str = "a red bird", **settings: Any) -> Locator:
    page = visit(f"{url}?text={text.replace(' ', '+')}&seed=7&model={model}", **settings).page
    page.locator(".tile.is-drawn").first.click()
    box = page.get_by_role("dialog", name="Picture")
    expect(box).to_be_visible()
    return box


def widths(images: Locator) -> list[int]:
    """Of the files themselves, once all are loaded."""
    for image in images.all():
        expect(image).not_to_have_js_property("naturalWidth", 0)
    return images.evaluate_all("images => images.map(image => image.naturalWidth)")


@pytest.mark.parametrize(("model", "sides"), [("beta", [16, 32]), ("gamma", [16, 32, 64])])
def test_stages_stand_side_by_side(visit: Open, demo_url: str, model: str, sides: list[int]) -> None:
    box = open_picture(visit, demo_url, model)
    tiles = box.get_by_role("group", name="Stages").get_by_role("button")
    names = ["I", "II", "III"]
    expect(tiles).to_have_text([f"Stage {name} {side} px" for name, side in zip(names, sides, strict=False)])
    assert widths(tiles.locator("img")) == sides
    boxes = [tile.bounding_box() for tile in tiles.locator("img").all()]
    shown = [(round(box["y"]), round(box["width"]), round(box["height"])) for box in boxes if box]
    assert len(set(shown)) == 1, "in one row, in one size"


def test_stage_is_shown_large(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "gamma")
    tiles = box.get_by_role("group", name="Stages").get_by_role("button")
    widths(tiles.locator("img"))
    coarse = box.locator("#coarse")
    expect(coarse).to_be_hidden()
    expect(tiles.nth(2)).to_have_attribute("aria-pressed", "true")
    tiles.nth(0).click()
    expect(box.get_by_role("img", name="a red bird, stage 1")).to_be_visible()
    assert widths(coarse) == [16]
    assert coarse.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    tiles.nth(2).click()
    expect(coarse).to_be_hidden()
    # Another picture begins with itself.
    tiles.nth(1).click()
    box.get_by_role("button", name="Next picture").click()
    expect(box.locator("#large-seed")).to_have_text("8")
    expect(coarse).to_be_hidden()
    expect(tiles.nth(2)).to_have_attribute("aria-pressed", "true")


def test_single_stage_shows_nothing_of_it(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "alpha")
    expect(box.locator("#large")).to_have_js_property("naturalWidth", 768)
    expect(box.locator("#large-text")).to_have_text("a red bird")
    for part in ["#stages", "#words", "#attention-note", "#maps", "#heat", "#coarse"]:
        expect(box.locator(part)).to_be_hidden()


def test_stages_without_attention_leave_the_sentence_alone(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "beta")
    widths(box.locator(".stage-tile img"))
    expect(box.locator("#large-text")).to_be_visible()
    expect(box.locator(".word")).to_have_count(0)


def test_pointing_at_a_word_lays_its_attention_over_the_picture(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "gamma")
    words = box.locator("#words").get_by_role("button")
    expect(words).to_have_text(["a", "red", "bird"])
    expect(box.locator("#large-text")).to_be_hidden()
    heat, note = box.locator("#heat"), box.locator("#attention-note")
    expect(heat).to_be_hidden()
    seen = []
    for index, word in enumerate(["a", "red", "bird"]):
        words.nth(index).hover()
        expect(note).to_contain_text(f"“{word}” has")
        expect(heat).to_be_visible()
        seen.append(str(heat.evaluate(HEAT)))
    assert len(set(seen)) == 3
    assert heat.bounding_box() == box.locator("#large").bounding_box()
    box.locator("#large-seed").hover()
    expect(heat).to_be_hidden()
    expect(note).to_contain_text("Point at a word")


def test_clicked_word_stays_until_clicked_again(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "gamma")
    red, bird = (box.get_by_role("button", name=name, exact=True) for name in ("red", "bird"))
    red.click()
    expect(red).to_have_attribute("aria-pressed", "true")
    bird.hover()
    expect(box.locator("#attention-note")).to_contain_text("“bird”")
    box.locator("#large-seed").hover()
    expect(box.locator("#attention-note")).to_contain_text("“red”")
    expect(box.locator("#heat")).to_be_visible()
    red.click()
    box.locator("#large-seed").hover()
    expect(box.locator("#heat")).to_be_hidden()
    expect(red).to_have_attribute("aria-pressed", "false")


def test_words_can_be_gone_through_by_keyboard(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "gamma")
    page = box.page
    expect(box.locator(".word")).to_have_count(3)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('word')"):
            break
    note = box.locator("#attention-note")
    for word in ["a", "red", "bird"]:
        expect(note).to_contain_text(f"“{word}” has")
        expect(box.locator("#heat")).to_be_visible()
        page.keyboard.press("Tab")
    expect(box.locator("#heat")).to_be_hidden()


def test_map_of_each_stage_can_be_chosen(visit: Open, demo_url: str) -> None:
    box = open_picture(visit, demo_url, "gamma")
    maps = box.get_by_role("group", name="Attention map").get_by_role("button")
    expect(maps).to_have_text(["16 px", "32 px"])
    expect(maps.nth(1)).to_have_attribute("aria-pressed", "true")
    box.get_by_role("button", name="red", exact=True).click()
    expect(box.locator("#heat")).to_have_js_property("width", 32)
    maps.nth(0).click()
    expect(box.locator("#heat")).to_have_js_property("width", 16)
    expect(maps.nth(0)).to_have_attribute("aria-pressed", "true")


def test_word_can_be_tapped(visit: Open, demo_url: str) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    box = open_picture(visit, demo_url, "gamma", **phone)
    red = box.get_by_role("button", name="red", exact=True)
    red.tap()
    expect(box.locator("#heat")).to_be_visible()
    red.tap()
    expect(box.locator("#heat")).to_be_hidden()


def test_heat_is_hot_where_the_model_looked(visit: Open, standin: StandIn, standin_url: str) -> None:
    box = open_picture(visit, standin_url, "toys", "a red bird")
    box.get_by_role("button", name="red", exact=True).hover()
    expect(box.locator("#attention-note")).to_have_text(
        "Where it is brightest, “red” has 50% of the attention."
    )
    heat = box.locator("#heat")
    expect(heat).to_be_visible()
    pixels = heat.evaluate(HEAT)
    rows = [sum(sum(pixel[:3]) for pixel in pixels[32 * row : 32 * (row + 1)]) / 32 for row in range(32)]
    assert rows[1] > 500 and max(rows[:1] + rows[2:]) < 60


def test_words_keep_their_spelling(visit: Open, demo_url: str) -> None:
    """Three words of this sentence are pieces of `Kingfisher`, and one has lost its accent."""
    box = open_picture(visit, demo_url, "gamma", "A Café-red Kingfisher, flying")
    words = box.locator("#words").get_by_role("button")
    expect(words).to_have_text(["A", "Café", "-", "red", "King", "fish", "er", ",", "flying"])
    assert box.locator("#words").text_content() == "A Café-red Kingfisher, flying"


def test_words_of_another_spelling_stand_as_they_are(
    visit: Open, standin: StandIn, standin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_inside(request: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        status, body, headers = StandIn.generate(standin, request)
        for item in body["data"]:
            for entry in item.get("attention", []):
                entry["word"] = {"ælf": "aelf", "at": "[UNK]"}.get(entry["word"], entry["word"])
        return status, body, headers

    monkeypatch.setattr(standin, "generate", look_inside)
    box = open_picture(visit, standin_url, "toys", "an ælf at sea")
    expect(box.locator("#words").get_by_role("button")).to_have_text(["an", "aelf", "[UNK]", "sea"])


def test_picture_that_was_left_does_not_come_back(visit: Open, standin: StandIn, standin_url: str) -> None:
    box = open_picture(visit, standin_url, "toys", "a bird")
    expect(box.locator(".word")).to_have_count(2)
    page: Page = box.page
    first = box.locator(".stage-tile img").first.get_attribute("src")
    standin.hold("a bird")
    num_asked = len(standin.requests)
    box.get_by_role("button", name="Next picture").click()
    expect(box.locator("#large-seed")).to_have_text("8")
    expect(box.locator(".word")).to_have_count(0)
    assert box.locator(".stage-tile img").first.get_attribute("src") is None
    while len(standin.requests) == num_asked:
        page.wait_for_timeout(20)
    box.get_by_role("button", name="Previous picture").click()
    expect(box.locator(".word")).to_have_count(2)
    standin.release("a bird")
    page.wait_for_timeout(300)
    assert box.locator(".stage-tile img").first.get_attribute("src") == first


def test_failing_to_look_inside_is_told(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(f"{standin_url}?text=a+bird&model=toys&seed=7", expects_failures=True).page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    standin.errors["toys"] = (500, {"error": {"message": "the network is down"}}, {})
    page.locator(".tile").first.click()
    expect(page.locator("#attention-note")).to_have_text(
        "How it was drawn can’t be shown: the network is down"
    )
    expect(page.locator("#large-text")).to_be_visible()
