import itertools
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from creativeai.engine import Picture, PictureRequest
from creativeai.server import queueing
from creativeai.server.queueing import DeadlineError, PictureQueue, QueueFullError


def _picture(request: PictureRequest) -> Picture:
    pixels = np.full((2, 2, 3), request.seed % 256, np.uint8)
    return Picture((pixels,), request.seed, request.text, request.truncation)


def _requests(*seeds: int) -> list[PictureRequest]:
    return [PictureRequest("a bird", seed=seed) for seed in seeds]


class GatedEngine:
    """An engine that holds each picture until it is let through, and remembers which it began."""

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def generate(self, request: PictureRequest) -> Picture:
        self.seeds.append(request.seed)
        self.begun.release()
        assert self.gate.acquire(timeout=10)
        return _picture(request)


@pytest.fixture
def engine() -> Iterator[GatedEngine]:
    engine = GatedEngine()
    yield engine
    engine.gate.release(100)


@pytest.fixture
def queue(engine: GatedEngine) -> PictureQueue:
    """A queue that makes one picture at a time."""
    return PictureQueue(engine.generate, num_workers=1, max_waiting=8)


def _start(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited 10 s in vain"
        time.sleep(0.001)


@pytest.mark.parametrize("num_workers", [1, 3])
def test_answers_in_the_order_asked(engine: GatedEngine, num_workers: int) -> None:
    engine.gate.release(10)
    queue = PictureQueue(engine.generate, num_workers=num_workers, max_waiting=8)
    pictures = queue.generate(_requests(*range(7)), timeout=10)
    assert [picture.seed for picture in pictures] == list(range(7))
    assert sorted(engine.seeds) == list(range(7))


def test_pictures_are_made_at_the_same_time_as_workers_allow(engine: GatedEngine) -> None:
    queue = PictureQueue(engine.generate, num_workers=2, max_waiting=8)
    thread = _start(lambda: queue.generate(_requests(0, 1, 2), timeout=10))
    for _ in range(2):
        assert engine.begun.acquire(timeout=10)
    assert not engine.begun.acquire(timeout=0.05)
    assert queue.num_waiting == 1
    engine.gate.release()  # whichever is done first makes room for the third
    assert engine.begun.acquire(timeout=10)
    engine.gate.release(2)
    thread.join(10)
    assert not thread.is_alive()


def test_a_picture_is_handed_over_while_others_are_made() -> None:
    gate = threading.Event()

    def generate(request: PictureRequest) -> Picture:
        if request.seed == 0:
            assert gate.wait(10)
        return _picture(request)

    queue = PictureQueue(generate, num_workers=2, max_waiting=8)
    slow = _start(lambda: queue.generate(_requests(0), timeout=10))
    assert queue.generate(_requests(1), timeout=10)[0].seed == 1
    assert slow.is_alive()
    gate.set()
    slow.join(10)


def test_waiting_callers_are_served_in_turn(engine: GatedEngine, queue: PictureQueue) -> None:
    answers: dict[int, list[int]] = {}

    def ask(*seeds: int) -> None:
        answers[seeds[0]] = [picture.seed for picture in queue.generate(_requests(*seeds), timeout=10)]

    threads = [_start(lambda: ask(0))]
    assert engine.begun.acquire(timeout=10)
    threads.append(_start(lambda: ask(10, 11, 12, 13, 14)))
    _wait_until(lambda: queue.num_waiting == 5)
    threads.append(_start(lambda: ask(20)))
    _wait_until(lambda: queue.num_waiting == 6)
    engine.gate.release(10)
    for thread in threads:
        thread.join(10)
    assert engine.seeds == [0, 10, 20, 11, 12, 13, 14]
    assert answers == {0: [0], 10: [10, 11, 12, 13, 14], 20: [20]}
    assert queue.num_waiting == 0


def test_a_full_queue_refuses(engine: GatedEngine, queue: PictureQueue) -> None:
    _start(lambda: queue.generate(_requests(0), timeout=10))
    assert engine.begun.acquire(timeout=10)
    _start(lambda: queue.generate(_requests(*range(6)), timeout=10))
    _wait_until(lambda: queue.num_waiting == 6)
    with pytest.raises(QueueFullError) as caught:
        queue.generate(_requests(1, 2, 3), timeout=10)
    assert caught.value.retry_after >= 1
    _start(lambda: queue.generate(_requests(1, 2), timeout=10))
    _wait_until(lambda: queue.num_waiting == 8)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_refusal_says_when_the_queue_should_have_drained(
    engine: GatedEngine, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    ticks = itertools.count(step=3)  # every picture takes three seconds
    monkeypatch.setattr(queueing, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    queue = PictureQueue(engine.generate, num_workers=num_workers, max_waiting=4)
    engine.gate.release()
    queue.generate(_requests(0), timeout=10)
    _start(lambda: queue.generate(_requests(*range(num_workers + 4)), timeout=10))
    for _ in range(1 + num_workers):
        assert engine.begun.acquire(timeout=10)
    assert queue.num_waiting == 4
    with pytest.raises(QueueFullError) as caught:
        queue.generate(_requests(1), timeout=10)
    assert caught.value.retry_after == 4 * 3 / num_workers


def test_a_wait_that_would_be_too_long_is_refused(
    engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=3)  # every picture takes three seconds
    monkeypatch.setattr(queueing, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    queue = PictureQueue(engine.generate, num_workers=1, max_waiting=99, max_seconds=10)
    engine.gate.release()
    queue.generate(_requests(0), timeout=10)
    _start(lambda: queue.generate(_requests(*range(20)), timeout=10))
    assert engine.begun.acquire(timeout=10) and engine.begun.acquire(timeout=10)
    _wait_until(lambda: queue.num_waiting == 19)
    with pytest.raises(QueueFullError):
        queue.generate(_requests(1, 2, 3), timeout=10)  # one is being made, three of the others take turns
    _start(lambda: queue.generate(_requests(1, 2), timeout=10))
    _wait_until(lambda: queue.num_waiting == 21)
    with pytest.raises(QueueFullError):
        queue.generate(_requests(1, 2), timeout=10)
    _start(lambda: queue.generate(_requests(1), timeout=10))
    _wait_until(lambda: queue.num_waiting == 22)


def test_an_empty_queue_takes_any_number(engine: GatedEngine, queue: PictureQueue) -> None:
    engine.gate.release(100)
    assert len(queue.generate(_requests(*range(20)), timeout=10)) == 20


def test_what_is_not_begun_by_the_deadline_is_never_made(engine: GatedEngine, queue: PictureQueue) -> None:
    _start(lambda: queue.generate(_requests(0), timeout=10))
    assert engine.begun.acquire(timeout=10)
    with pytest.raises(DeadlineError):
        queue.generate(_requests(1, 2), timeout=0.01)
    assert queue.num_waiting == 0
    engine.gate.release(10)
    queue.generate(_requests(3), timeout=10)
    assert engine.seeds == [0, 3]


def test_a_failing_engine_fails_its_caller_only() -> None:
    def generate(request: PictureRequest) -> Picture:
        if request.seed == 13:
            raise ValueError("thirteen")
        return _picture(request)

    queue = PictureQueue(generate, num_workers=1, max_waiting=8)
    with pytest.raises(ValueError, match="thirteen"):
        queue.generate(_requests(13, 1, 2, 3), timeout=10)
    assert queue.num_waiting == 0
    assert queue.generate(_requests(5), timeout=10)[0].seed == 5


def test_each_picture_is_told() -> None:
    told: list[float] = []
    queue = PictureQueue(_picture, num_workers=2, max_waiting=8, on_picture=told.append)
    queue.generate(_requests(1, 2, 3), timeout=10)
    assert len(told) == 3
    assert all(0 <= seconds < 10 for seconds in told)


def test_closed_queue_finishes_what_it_has_and_what_comes_late(
    engine: GatedEngine, queue: PictureQueue
) -> None:
    answers: list[int] = []
    early = _start(lambda: answers.append(len(queue.generate(_requests(1, 2, 3), 20))))
    assert engine.begun.acquire(timeout=10)
    queue.close()
    late = _start(lambda: answers.append(len(queue.generate(_requests(4, 5), 20))))
    engine.gate.release(100)
    early.join()
    late.join()
    assert len(queue.generate(_requests(6, 7), 20)) == 2
    assert sorted(answers) == [2, 3]
    _wait_until(lambda: not [thread for thread in threading.enumerate() if _works_for(thread, queue)])


def _works_for(thread: threading.Thread, queue: PictureQueue) -> bool:
    """Whether it is one of the queue's workers; a thread that ended has forgotten what it was for."""
    return getattr(getattr(thread, "_target", None), "__self__", None) is queue
