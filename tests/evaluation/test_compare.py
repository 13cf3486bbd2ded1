"""Cards side by side: only of one protocol, as a table and as one HTML file."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from creativeai.errors import EvaluationError
from creativeai.evaluation.card import no_figure
from creativeai.evaluation.compare import find_cards, labels_of, read_compared, refuse_unlike
from creativeai.evaluation.compare_page import compare_page, write_page
from creativeai.evaluation.compare_table import figures_table, print_whole
from tiny_card import grid_bytes, tiny_card, write_card

_VOID = {"meta", "img", "br", "line", "circle", "polyline"}


class Tags(HTMLParser):
    """Whether every element is closed where it should be; the text and the attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += attributes
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += attributes

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f"{data}\n"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    for name, kid in (("birds", 12.5), ("others", 92.0)):
        write_card(tmp_path, tiny_card(name, kid))
    return tmp_path


def test_cards_of_a_report_are_found_with_their_grids(report: Path) -> None:
    compared = read_compared(find_cards([report]))
    assert labels_of(compared) == ["birds", "others"]
    assert all(one.grid == grid_bytes() for one in compared)
    assert find_cards([report / "birds.card.json"]) == [report / "birds.card.json"]
    refuse_unlike(compared)


def test_place_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="has no evaluation card"):
        find_cards([tmp_path])
    with pytest.raises(EvaluationError, match="there is no evaluation card"):
        find_cards([tmp_path / "none"])


def test_cards_of_unlike_protocol_are_refused_with_field_and_values(tmp_path: Path) -> None:
    files = [
        write_card(tmp_path, tiny_card()),
        write_card(tmp_path, tiny_card("b", num_pictures=500, seed=3)),
    ]
    with pytest.raises(EvaluationError) as error:
        refuse_unlike(read_compared(files))
    message = str(error.value)
    assert "num_pictures: 1890 and 500; seed: 0 and 3" in message
    assert "birds.card.json" in message and "b.card.json" in message and "\n" not in message


def test_grid_that_was_exchanged_is_refused_and_a_missing_one_left_out(report: Path) -> None:
    (report / "birds.grid.webp").write_bytes(grid_bytes("blue"))
    with pytest.raises(EvaluationError, match=r"birds\.grid\.webp is not the grid"):
        read_compared(find_cards([report]))
    (report / "birds.grid.webp").unlink()
    compared = read_compared(find_cards([report]))
    assert compared[0].grid is None
    assert "4 pictures by others" in compare_page(compared)
    assert "4 pictures by birds" not in compare_page(compared)


def test_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    [first] = read_compared([write_card(tmp_path, tiny_card())])
    model = replace(first.card.model, digest="9" * 64)
    second = replace(first, card=replace(first.card, model=model))
    assert labels_of([first, second]) == [f"birds ({first.card.model.digest[:8]})", "birds (99999999)"]


def test_page_has_everything_in_one_file(report: Path) -> None:
    compared = read_compared(find_cards([report]))
    page = compare_page(compared)
    tags = Tags(page)
    for part in ("birds and others on blots", "KID x 1000", "12.5", "91.0 to 93.0", "88.0%", "14.2"):
        assert part in tags.text
    assert "a <blue> bird" in tags.text  # escaped in the source
    assert "While they were trained" in tags.text
    assert "no class of the dataset" not in tags.text  # nobody has this figure
    # Nothing from elsewhere: no script, no address of another file.
    assert "<script" not in page and "http" not in page
    assert not [value for name, value in tags.attributes if name in ("src", "href")]
    images = re.findall(r"url\(data:image/webp;base64,([^)]+)\)", page)
    assert len(images) == 2
    with Image.open(io.BytesIO(base64.b64decode(images[0]))) as image:
        assert image.size == (32, 16)
    assert "prefers-color-scheme:dark" in page and 'name="viewport"' in page


def test_interval_and_photos_are_drawn_where_they_are(report: Path) -> None:
    page = compare_page(read_compared(find_cards([report])))
    panel = page[page.index("<h3>text match") : page.index("<h3>ms a picture")]
    # From 0 to the photos' 88%, the end of the line.
    assert f'class="dot" style="left:{100 * 0.19 / 0.88:.2f}%"' in panel
    assert f'class="range" style="left:{100 * 0.17 / 0.88:.2f}%;width:{100 * 0.04 / 0.88:.2f}%"' in panel
    assert 'class="mark" style="left:100.00%"' in panel


def test_page_of_one_model_without_grid_or_curve(tmp_path: Path) -> None:
    card = tiny_card()
    bare = replace(card, grid=None, model=replace(card.model, curve=(), steps=None, cpu_seconds=None))
    [one] = read_compared([write_card(tmp_path, card)])
    text = Tags(compare_page([replace(one, card=bare, grid=None)])).text
    assert "birds on blots" in text
    assert "same sentences" not in text and "While" not in text


def test_figure_that_one_model_lacks_says_why(report: Path) -> None:
    first, second = read_compared(find_cards([report]))
    card = replace(second.card, figures=second.card.figures | {"kid": no_figure("too few pictures")})
    assert "too few pictures" in Tags(compare_page([first, replace(second, card=card)])).text


def test_page_is_written_whole_or_not_at_all(report: Path) -> None:
    compared = read_compared(find_cards([report]))
    (report / "page.html").write_text("older")
    write_page(compared, report / "page.html")
    assert (report / "page.html").read_text().startswith("<!doctype html>")
    for bad in (report, report / "none" / "page.html"):
        with pytest.raises(EvaluationError, match="can't write the page"):
            write_page(compared, bad)


def test_table_in_a_pipe_is_not_cut(report: Path) -> None:
    compared = read_compared(find_cards([report]))
    cards = [replace(compared[0].card) for _ in range(7)]
    file = io.StringIO()
    print_whole(
        Console(file=file, width=80), figures_table(cards, [f"a-rather-long-name-{i}" for i in range(7)])
    )
    lines = file.getvalue().splitlines()
    [kid] = [line for line in lines if line.strip().startswith("KID")]
    assert kid.count("12.5  11.5 to 13.5") == 7 and kid.split()[-1] == "0.2"
    assert "…" not in file.getvalue()
