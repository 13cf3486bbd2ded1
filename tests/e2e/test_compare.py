"""The same sentence and seeds by several models, a row each."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from e2e.conftest import Visit
from e2e.test_drawing import pictures
from web.standin import MODELS, StandIn

Open = Callable[..., Visit]
# Of the demo's models those that the tests made: others are shipped.
ALL = "compare=alpha&compare=beta&compare=gamma"


def rows(page: Page) -> Locator:
    return page.locator(".compare-row")


def compare(page: Page) -> None:
    page.get_by_role("button", name="Compare").click()


def drawn(page: Page, text: str, *titles: str) -> None:
    """Wait until these models' rows, and no others, show pictures of the text."""
    expect(rows(page).get_by_role("heading")).to_have_text(list(titles))
    for row, title in enumerate(titles):
        images = rows(page).nth(row).locator(".frame img")
        expect(images.last).to_have_attribute(
            "alt", re.compile(f"^{re.escape(text)}, seed \\d+, by {title}$")
        )
        expect(images).to_have_count(4)


def test_a_row_a_model_with_the_same_seeds(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red+bird&seed=4294967294&{ALL}").page
    drawn(page, "a red bird", "Alpha", "Beta", "Gamma")
    expect(page.locator("#gallery")).to_be_hidden()
    seeds = ["seed 4294967294", "seed 4294967295", "seed 0", "seed 1"]
    expect(page.locator("#compare-seeds span")).to_have_text(seeds)
    for row in rows(page).all():
        assert row.locator(".tag").all_text_contents() == seeds
        expect(row.get_by_role("status")).to_have_text(re.compile(r"^\d+ ms$"))
    shown = pictures(page)
    assert shown[:4] == shown[4:8], "Alpha and Beta are the same network, so they draw the same"
    assert len(set(shown)) == 8
    compare(page)
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#gallery .tile.is-drawn")).to_have_count(4)
    assert pictures(page) == shown[:4], "a model draws as it does alone"


def test_typing_draws_with_every_model(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?{ALL}").page
    text = page.get_by_label("Describe a picture")
    text.press_sequentially("a red bird", delay=10)
    drawn(page, "a red bird", "Alpha", "Beta", "Gamma")
    text.press_sequentially(" in snow", delay=10)
    drawn(page, "a red bird in snow", "Alpha", "Beta", "Gamma")
    page.get_by_role("textbox", name="Seed").fill("41")
    expect(page.locator("#compare-seeds span").first).to_have_text("seed 41")
    text.press("Enter")
    expect(rows(page).first.locator(".tile")).to_have_count(4)
    text.fill("")
    expect(rows(page)).to_have_count(0)


def test_models_are_chosen_by_checkboxes(visit: Open, demo_url: str) -> None:
    opened = visit(f"{demo_url}?text=a+bird&seed=7&{ALL}")
    page = opened.page
    drawn(page, "a bird", "Alpha", "Beta", "Gamma")
    choice = page.get_by_role("group", name="Models to compare")
    beta = choice.get_by_role("checkbox", name="Beta")
    beta.uncheck()
    expect(beta).to_be_focused()
    drawn(page, "a bird", "Alpha", "Gamma")
    num_asked = len(opened.requested)
    beta.check()
    drawn(page, "a bird", "Alpha", "Beta", "Gamma")
    new = [url for url in opened.requested[num_asked:] if url.endswith("/api/pictures")]
    assert len(new) == 1, "only the model that came is asked"
    for name in ["Alpha", "Beta", "Gamma"]:
        choice.get_by_role("checkbox", name=name).uncheck()
    expect(rows(page)).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-busy", "false")


def test_all_models_are_compared_unless_chosen(visit: Open, standin: StandIn, standin_url: str) -> None:
    page = visit(f"{standin_url}?text=a+bird").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    compare(page)
    drawn(page, "a bird", "Birds", "Toy birds")


def test_eight_models_at_most(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.models = [MODELS[0] | {"id": f"m{i}", "title": f"Model {i}"} for i in range(10)]
    page = visit(f"{standin_url}?text=a+bird").page
    compare(page)
    drawn(page, "a bird", *(f"Model {i}" for i in range(8)))
    boxes = page.get_by_role("checkbox")
    expect(boxes.nth(9)).to_be_disabled()
    boxes.nth(0).uncheck()
    expect(boxes.nth(9)).to_be_enabled()
    boxes.nth(9).check()
    drawn(page, "a bird", *(f"Model {i}" for i in [*range(1, 8), 9]))
    expect(boxes.nth(0)).to_be_disabled()


def test_single_model_is_not_compared(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.models = standin.models[:1]
    page = visit(f"{standin_url}?text=a+bird&compare=birds").page
    expect(page.locator(".tile.is-drawn")).to_have_count(4)
    expect(page.get_by_role("button", name="Compare")).to_be_hidden()
    expect(rows(page)).to_have_count(0)


def test_failing_model_tells_so_and_leaves_the_others_alone(
    visit: Open, standin: StandIn, standin_url: str
) -> None:
    standin.errors["toys"] = (500, {"error": {"message": "the network of toys is down"}}, {})
    page = visit(f"{standin_url}?text=a+bird&seed=7&compare=birds&compare=toys", expects_failures=True).page
    expect(rows(page).nth(1).get_by_role("status")).to_have_text("the network of toys is down")
    expect(rows(page).nth(1).locator(".tile.is-drawn")).to_have_count(0)
    expect(rows(page).nth(0).locator(".tile.is-drawn")).to_have_count(4)
    expect(page.locator("#note")).to_be_hidden()
    page.get_by_label("Describe a picture").fill("a red bird")
    expect(rows(page).nth(0).locator("img").last).to_have_attribute("alt", "a red bird, seed 10, by Birds")
    expect(rows(page).nth(1).get_by_role("status")).to_have_text("the network of toys is down")
    standin.errors.clear()
    page.get_by_label("Describe a picture").fill("a blue bird")
    drawn(page, "a blue bird", "Birds", "Toy birds")
    expect(rows(page).nth(1).get_by_role("status")).to_have_text(re.compile("ms$"))


def test_busy_and_lost_models_are_asked_again(visit: Open, standin: StandIn, standin_url: str) -> None:
    standin.errors["birds"] = (429, {"error": {"message": "queue full"}}, {"Retry-After": "1"})
    standin.errors["toys"] = (503, {"error": {"message": "toys is not ready"}}, {})
    page = visit(f"{standin_url}?text=a+bird&compare=birds&compare=toys", expects_failures=True).page
    expect(rows(page).get_by_role("status")).to_have_text(["queue full", "toys is not ready"])
    standin.errors.clear()
    drawn(page, "a bird", "Birds", "Toy birds")


def test_slow_model_holds_up_no_other_and_is_never_stale(
    visit: Open, standin: StandIn, standin_url: str
) -> None:
    standin.hold("toys: a red bird")
    page = visit(f"{standin_url}?text=a+bird&seed=7&compare=birds&compare=toys").page
    drawn(page, "a bird", "Birds", "Toy birds")
    text = page.get_by_label("Describe a picture")
    text.fill("a red bird")
    standin.wait_for("toys: a red bird")
    birds, toys = (rows(page).nth(row).locator(".frame img").last for row in range(2))
    expect(birds).to_have_attribute("alt", "a red bird, seed 10, by Birds")
    expect(toys).to_have_attribute("alt", "a bird, seed 10, by Toy birds")
    expect(page.locator("html")).to_have_attribute("data-busy", "true")
    text.fill("a blue bird")
    drawn(page, "a blue bird", "Birds", "Toy birds")
    standin.release("toys: a red bird")
    expect(page.locator("html")).to_have_attribute("data-busy", "false")
    page.wait_for_timeout(300)
    drawn(page, "a blue bird", "Birds", "Toy birds")


def test_link_leads_back_to_the_comparison(visit: Open, demo_url: str) -> None:
    page = visit(
        f"{demo_url}?text=a+red+bird&seed=7&variety=0.4&compare=gamma&compare=beta&compare=gone"
    ).page
    drawn(page, "a red bird", "Beta", "Gamma")
    shown = pictures(page)
    query = parse_qs(urlsplit(page.url).query)
    assert query["compare"] == ["beta", "gamma"]
    assert (query["text"], query["seed"], query["variety"]) == (["a red bird"], ["7"], ["0.4"])
    friend = visit(page.url).page
    drawn(friend, "a red bird", "Beta", "Gamma")
    assert pictures(friend) == shown


def test_history_leads_back_to_the_comparison(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red+bird&seed=7&compare=beta&compare=gamma").page
    drawn(page, "a red bird", "Beta", "Gamma")
    expect(page.locator("#history-list li")).to_have_count(1)
    # The sentence first: the red bird drawn by one model would take the comparison's place.
    page.get_by_label("Describe a picture").fill("a blue bird")
    compare(page)
    expect(page.locator("#announcer")).to_have_text("4 pictures of a blue bird")
    expect(page.locator("#history-list li")).to_have_count(2)
    page.get_by_role("button", name="Back to: a red bird, seed 7").click()
    drawn(page, "a red bird", "Beta", "Gamma")
    expect(page.get_by_role("button", name="Compare")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Back to: a blue bird, seed 7").click()
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#gallery img").last).to_have_attribute("alt", "a blue bird, picture 4 of 4")


def test_large_picture_steps_through_the_models_of_its_seed(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+bird&seed=7&{ALL}").page
    drawn(page, "a bird", "Alpha", "Beta", "Gamma")
    rows(page).nth(1).locator(".tile").nth(2).click()
    box = page.get_by_role("dialog", name="Picture")
    for title in ["Beta", "Gamma", "Alpha"]:
        expect(box.locator("#large-model")).to_have_text(title)
        expect(box.locator("#large-seed")).to_have_text("9")
        page.keyboard.press("ArrowRight")
    expect(box.locator(".stage-tile")).to_have_count(2)
    box.get_by_role("button", name="More like this").click()
    expect(page.locator("#gallery .tile.is-drawn")).to_have_count(12)
    expect(page.locator("#chosen-title")).to_have_text("Beta")
    expect(rows(page)).to_have_count(0)


def test_unknown_words_are_told_by_row_and_marked(visit: Open, demo_url: str) -> None:
    page = visit(f"{demo_url}?text=a+red+привет+bird&compare=alpha&compare=beta").page
    for row in range(2):
        expect(rows(page).nth(row).get_by_role("status")).to_have_text(re.compile("ms, without “привет”$"))
    expect(page.locator("#mirror mark")).to_have_text("привет")
