"""Typing draws, on the real server."""

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from e2e.conftest import Visit

Open = Callable[..., Visit]
IS_PAINTED = """() => [...document.querySelectorAll(".tile")].every(({ wanted, firstChild: frame }) =>
  frame.children.length === 1 && frame.firstChild === wanted)"""


def pictures(page: Page) -> list[str]:
    """What the tiles show, once nothing is wished for and every tile's newest picture has faded in."""
    expect(page.locator("html")).to_have_attribute("data-busy", "false")
    end = time.monotonic() + 10
    while not page.evaluate(IS_PAINTED):
        assert time.monotonic() < end, "a picture was not painted"
        page.wait_for_timeout(20)
    return page.locator(".frame img").evaluate_all("images => images.map(image => image.src)")


def num_drawings(opened: Visit) -> int:
    return len([url for url in opened.requested if url.endswith("/api/pictures")])


def query(page: Page) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}


def settled(page: Page) -> None:
    """Wait until the sentence is in the history, which a pause in the typing puts it into."""
    text = page.get_by_label("Describe a picture").input_value()
    expect(page.locator("#history-list li").first).to_contain_text(text)


def test_empty_page_shows_examples_and_asks_for_nothing(visit: Open, demo_url: str) -> None:
    opened = visit(demo_url)
    page = opened.page
    expect(page.locator("#chosen-title")).to_have_text("Alpha")
    expect(page.get_by_role("button", name="a small red bird with black wings")).to_be_visible()
    expect(page.locator("#samples img")).to_be_visible()
    page.get_by_label("Describe a picture").fill("   ")
    page.wait_for_timeout(400)
    assert num_drawings(opened) == 0
    expect(page.locator(".tile")).to_have_count(0)


def test_typing_draws_and_changes_the_pictures(visit: Open, demo_url: str) -> None:
    page = visit(demo_url).page
    text = page.get_by_label("Describe a picture")
    text.press_sequentially("a red bird", delay=10)
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    first = pictures(page)
    assert len(set(first)) == 4
    text.press_sequentially(" in snow", delay=10)
    expect(page.locator(".frame img").first).to_have_attribute("alt", "a red bird in snow, picture 1 of 4")
    assert not set(pictures(page)) & set(first)
    expect(page.locator("#timing")).to_have_text(re.compile(r"^4 pictures in \d+ ms$"))
    assert query(page)["text"] == "a red bird in snow"


def test_wishes_within_a_pause_become_one_request(visit: Open, demo_url: str) -> None:
    asked = visit(demo_url).page.evaluate(
        """async () => {
          const asked = [];
          const artist = creativeai.createArtist({
            ask: async (request) => asked.push(request), show() {}, fail() {}, busy() {},
          });
          for (const text of ["a", "a bl", "a blue", "a blue bird"]) artist.wish(text, 50);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return asked;
        }"""
    )
    assert asked == ["a blue bird"]


def test_example_set_and_clearing(visit: Open, demo_url: str) -> None:
    page = visit(demo_url).page
    page.get_by_role("button", name="a blue bird on a branch").click()
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    live = pictures(page)
    page.locator("#set-size").get_by_text("16").click()
    page.get_by_role("button", name="Draw 16").click()
    expect(page.locator(".tile.is-drawn")).to_have_count(16)
    larger = pictures(page)
    assert larger[:4] == live
    assert len(set(larger)) == 16
    page.get_by_label("Describe a picture").fill("")
    expect(page.locator(".tile")).to_have_count(0)
    expect(page.get_by_role("heading", name="Try one of these")).to_be_visible()
    assert query(page) == {}


def test_enter_draws_the_larger_set(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird").page
    page.get_by_label("Describe a picture").press("Enter")
    expect(page.locator(".tile.is-drawn")).to_have_count(12)
    expect(page.get_by_label("Describe a picture")).to_have_value("a bird")


def test_seed_dice_and_variety_change_the_pictures(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird&seed=7").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    seen = [tuple(pictures(page))]
    assert page.locator(".tag").all_text_contents() == [f"seed {7 + i}" for i in range(4)]
    page.get_by_role("button", name="New seed").click()
    expect(page.locator("#seed")).not_to_have_value("7")
    seen.append(tuple(pictures(page)))
    page.get_by_role("textbox", name="Seed").fill("7")
    expect(page.locator(".tag").first).to_have_text("seed 7")
    seen.append(tuple(pictures(page)))
    page.get_by_role("slider", name="Variety").press("Home")
    expect(page.locator("#variety-value")).to_have_text("0.00")
    seen.append(tuple(pictures(page)))
    assert seen[0] == seen[2]
    assert len({*seen}) == 3
    assert len(set(seen[3])) == 1, "without variety every seed gives the same picture"


def test_surprise_picks_an_example(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird&seed=7").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    page.get_by_role("button", name="Surprise me").click()
    examples = {"a small red bird with black wings", "a blue bird on a branch"}
    expect(page.locator("#text")).not_to_have_value("a bird")
    assert page.locator("#text").input_value() in examples
    pictures(page)
    assert query(page)["seed"] != "7"


def test_unknown_words_are_marked(visit: Open, demo_url: str) -> None:
    page = visit(demo_url).page
    page.get_by_label("Describe a picture").fill("a red привет bird")
    expect(page.locator("#mirror mark")).to_have_text("привет")
    expect(page.get_by_role("status").filter(has_text="can’t use “привет”")).to_be_visible()
    page.get_by_label("Describe a picture").fill("a red bird")
    expect(page.locator("#mirror mark")).to_have_count(0)
    expect(page.locator("#note")).to_be_hidden()


def test_text_the_server_refuses_is_answered_in_its_own_words(visit: Open, demo_url: str) -> None:
    page = visit(demo_url, expects_failures=True).page
    text = page.get_by_label("Describe a picture")
    text.fill("🙂🙂")
    expect(page.locator("#note")).to_contain_text("knows no word")
    text.fill("bird " * 300)
    expect(page.locator("#note")).to_contain_text("1000")
    text.fill("a bird")
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    expect(page.locator("#note")).to_be_hidden()


def test_models_tell_what_they_are_and_can_be_chosen(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird&seed=7").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    page.get_by_role("button", name="Model Alpha").click()
    drawer = page.get_by_role("dialog", name="Models")
    expect(drawer.get_by_text("Blots, 10 pictures").first).to_be_visible()
    expect(drawer.get_by_text("123.4").first).to_be_visible()
    expect(drawer.get_by_role("img", name="Pictures drawn by Beta")).to_be_visible()
    drawer.get_by_role("button", name="Use Beta").click()
    expect(drawer).to_be_hidden()
    expect(page.locator("#chosen-title")).to_have_text("Beta")
    expect(page.locator("#variety-value")).to_have_text("0.50")
    pictures(page)
    assert query(page) == {"text": "a bird", "model": "beta", "seed": "7", "variety": "0.5"}


def test_history_brings_sentences_back(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red+bird&seed=7").page
    settled(page)
    before = pictures(page)
    page.get_by_role("button", name="New seed").click()
    page.get_by_label("Describe a picture").fill("a blue bird")
    settled(page)
    page.reload()
    entries = page.locator("#history-list button")
    expect(entries).to_have_count(2)
    assert entries.locator("img").first.evaluate("image => image.naturalWidth") == 192
    entries.filter(has_text="a red bird").click()
    expect(page.locator("#text")).to_have_value("a red bird")
    expect(page.locator(".frame img").last).to_have_attribute("alt", "a red bird, picture 4 of 4")
    assert pictures(page) == before
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#history-section")).to_be_hidden()


def test_sentence_typed_on_stays_one_entry_of_the_history(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red&seed=7").page
    settled(page)
    page.get_by_label("Describe a picture").press_sequentially(" bird")
    settled(page)
    expect(page.locator("#history-list li")).to_have_text(["a red bird"])


def test_link_restores_what_it_shows(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red+bird&model=beta&seed=4294967295&variety=0.3").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    expect(page.locator("#chosen-title")).to_have_text("Beta")
    expect(page.locator("#seed")).to_have_value("4294967295")
    expect(page.locator("#variety-value")).to_have_text("0.30")
    assert page.locator(".tag").all_text_contents() == ["seed 4294967295", "seed 0", "seed 1", "seed 2"]


def test_broken_link_still_works(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird&model=gone&seed=-1&variety=much").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    expect(page.locator("#chosen-title")).to_have_text("Alpha")
