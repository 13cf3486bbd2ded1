"""Slow, busy, lost and refusing servers, played by the stand-in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.conftest import Visit
from web.standin import StandIn

Open = Callable[..., Visit]


def expect_pictures_of(page: Page, text: str) -> None:
    expect(page.locator(".frame img").last).to_have_attribute("alt", f"{text}, picture 4 of 4")


def write(page: Page, text: str) -> None:
    page.get_by_label("Describe a picture").fill(text)


def test_stale_answer_never_replaces_a_newer_one(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.hold("a red bird")
    page = visit(standin_url).page
    write(page, "a red bird")
    standin.wait_for("a red bird")
    write(page, "a blue bird")
    expect_pictures_of(page, "a blue bird")
    expect(page.locator("html")).to_have_attribute("data-busy", "true")
    standin.release("a red bird")
    expect(page.locator("html")).to_have_attribute("data-busy", "false")
    page.wait_for_timeout(300)
    expect_pictures_of(page, "a blue bird")


def test_answer_before_the_newest_is_shown_meanwhile(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.hold("a red bird", "a blue bird")
    page = visit(standin_url).page
    for text in ["a red bird", "a blue bird"]:
        write(page, text)
        standin.wait_for(text)
    for text in ["a red bird", "a blue bird"]:
        standin.release(text)
        expect_pictures_of(page, text)


def test_slow_server_is_not_asked_for_everything(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.hold("a red bird", "a blue bird")
    page = visit(standin_url).page
    for text in ["a red bird", "a blue bird", "a green bird"]:
        write(page, text)
        standin.wait_for(text)
    expect_pictures_of(page, "a green bird")
    # The oldest was given up when the third was sent: two are as many as are under way.
    standin.release("a blue bird")
    expect(page.locator("html")).to_have_attribute("data-busy", "false")
    standin.release("a red bird")


def test_answer_after_clearing_the_text_shows_nothing(
    visit: Open, standin: StandIn, standin_url: str
) -> None:
    standin.hold("a red bird")
    page = visit(standin_url).page
    write(page, "a red bird")
    standin.wait_for("a red bird")
    write(page, "")
    standin.release("a red bird")
    page.wait_for_timeout(300)
    expect(page.locator(".tile")).to_have_count(0)


def test_skeletons_stand_in_while_the_first_pictures_are_drawn(
    visit: Open, standin: StandIn, standin_url: str
) -> None:
    standin.hold("a red bird")
    page = visit(standin_url).page
    write(page, "a red bird")
    expect(page.locator(".tile:not(.is-drawn)")).to_have_count(4)
    standin.release("a red bird")
    expect(page.locator(".tile.is-drawn")).to_have_count(4)


def test_server_away_and_back(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(f"{standin_url}?text=a+bird", expects_failures=True).page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    standin.stop()
    write(page, "a red bird")
    message = "The model server does not answer. This page keeps trying and goes on by itself."
    expect(page.get_by_role("status").filter(has_text=message)).to_be_visible()
    standin.start()
    expect(page.locator("#note")).to_be_hidden()
    expect_pictures_of(page, "a red bird")


def test_server_away_from_the_start(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.stop()
    page = visit(standin_url, expects_failures=True).page
    expect(page.locator("#note")).to_contain_text("does not answer")
    write(page, "a red bird")
    standin.start()
    expect_pictures_of(page, "a red bird")
    expect(page.locator("#chosen-title")).to_have_text("Birds")


def test_busy_server_is_asked_again(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.errors["*"] = (429, {"error": {"message": "queue full"}}, {"Retry-After": "1"})
    page = visit(f"{standin_url}?text=a+bird", expects_failures=True).page
    expect(page.locator("#note")).to_contain_text("busy")
    standin.errors.clear()
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    expect(page.locator("#note")).to_be_hidden()


def test_refusal_is_shown_in_the_servers_own_words(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.errors["a rude bird"] = (400, {"error": {"message": "no rude birds <b>here</b>"}}, {})
    page = visit(f"{standin_url}?text=a+bird", expects_failures=True).page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    write(page, "a rude bird")
    expect(page.locator("#note")).to_have_text("no rude birds <b>here</b>")
    assert standin.prompts.count("a rude bird") == 1


def test_markup_in_the_text_stays_text(visit: Open, standin: StandIn, standin_url: str) -> None:
    text = '<img src=x onerror="document.title=1"> xq<b>'
    page = visit(standin_url).page
    write(page, text)
    expect_pictures_of(page, text)
    expect(page.locator("#history-list li")).to_have_text(text)
    page.locator(".tile").first.click()
    expect(page.locator("#large-text")).to_have_text(text)
    assert page.title().startswith("CreativeAI")


def test_single_model_leaves_nothing_to_choose(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.models = standin.models[:1]
    page = visit(standin_url).page
    page.get_by_role("button", name="Model Birds").click()
    drawer = page.get_by_role("dialog", name="Models")
    expect(drawer.get_by_text("Draws birds.")).to_be_visible()
    expect(drawer.get_by_role("button")).to_have_count(1)  # Close
