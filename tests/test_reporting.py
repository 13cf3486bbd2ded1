import io
import time

import pytest
from rich.console import Console

from creativeai import reporting as module
from creativeai.reporting import reporting


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=20)


def lines_of(console: Console) -> list[str]:
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def wait_for(console: Console, words: str) -> None:
    end = time.monotonic() + 30
    while words not in console.file.getvalue() and time.monotonic() < end:  # type: ignore[attr-defined]
        time.sleep(0.005)


def test_quick_work_says_nothing_in_a_log(console: Console) -> None:
    with reporting(console, "reading photos") as tell:
        tell(1, 2)
        tell(2, 2)
    assert lines_of(console) == []


def test_a_log_has_the_state_by_the_clock(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_LINE_SECONDS", 0.0)
    monkeypatch.setattr(module, "LINE_SECONDS", 0.01)
    with reporting(console, "reading [b] photos of a long name", 5000) as tell:
        wait_for(console, "\n")  # nothing was told yet
        tell(1000, 5000)
        wait_for(console, "1,000 of")
        tell(1001, 5000)
        wait_for(console, "left")
    lines = lines_of(console)
    assert all(line.startswith("reading [b] photos of a long name: ") for line in lines)
    states = [line.partition(": ")[2] for line in lines]
    assert states[0] == "0 of 5,000 pictures"
    assert "1,000 of 5,000 pictures" in states
    assert any(state.startswith("1,001 of 5,000 pictures, ") and state.endswith("left") for state in states)
    assert states[-1] == "ended after 1,001 pictures in 0 s"


def test_what_has_no_number_says_that_it_goes_on(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_LINE_SECONDS", 0.0)
    with reporting(console, "computing figures"):
        wait_for(console, "\n")
    assert lines_of(console) == ["computing figures: begun", "computing figures: ended after 0 s"]


def test_pace_and_time_left(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step stands apart: it takes long for reasons of its own."""
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    lines = module._Lines(console, "reading", None, "captions")
    now = 400.0
    lines.tell(100, 20_100)
    assert lines._state() == "100 of 20,100 captions"
    now = 410.0
    lines.tell(300, 20_100)
    assert lines._state() == "300 of 20,100 captions, 20 captions/s, 16 min left"
    now = 420.0
    lines.tell(110, None)
    assert lines._state() == "110 captions, 0.5 captions/s"
    lines.end()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (99, "99 s"), (100, "2 min"), (5400, "90 min"), (11_100, "3 h 05 min")],
)
def test_durations_are_read_at_a_glance(seconds: float, words: str) -> None:
    assert module._duration(seconds) == words


def test_an_error_ends_the_report(console: Console) -> None:
    with pytest.raises(OSError, match="full"), reporting(console, "writing"):
        raise OSError("the disk is full")
    assert lines_of(console) == []


def test_a_terminal_has_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with reporting(console, "reading [b] photos", unit="photos") as tell:
        for done in range(1, 5):
            tell(done, 4000)
            time.sleep(0.12)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "reading [b] photos" in shown and "/4000" in shown
    assert "photos/s, " in shown and " left" in shown
