import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from creativeai.engine import Picture, PictureRequest
from creativeai.server.batching import Batcher, DeadlineError, QueueFullError


def _picture(request: PictureRequest) -> Picture:
    pixels = np.full((2, 2, 3), request.seed % 256, np.uint8)
    return Picture((pixels,), request.seed, request.text, request.truncation)


def _requests(*seeds: int) -> list[PictureRequest]:
    return [PictureRequest("a bird", seed=seed) for seed in seeds]


class GatedEngine:
    """An engine that holds each batch until it is let through, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def generate(self, requests: Sequence[PictureRequest]) -> list[Picture]:
        self.batches.append([request.seed for request in requests])
        self.begun.release()
        assert self.gate.acquire(timeout=10)
        return [_picture(request) for request in requests]


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


@pytest.fixture
def batcher(engine: GatedEngine) -> Iterator[Batcher]:
    yield Batcher(engine.generate, max_batch=4, max_waiting=8)
    engine.gate.release(100)


def _start(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited 10 s in vain"
        time.sleep(0.001)


def test_answers_in_the_order_asked(engine: GatedEngine, batcher: Batcher) -> None:
    engine.gate.release(10)
    pictures = batcher.generate(_requests(*range(7)), timeout=10)
    assert [picture.seed for picture in pictures] == list(range(7))
    assert engine.batches == [[0, 1, 2, 3], [4, 5, 6]]


def test_waiting_callers_share_a_batch_in_turn(engine: GatedEngine, batcher: Batcher) -> None:
    answers: dict[int, list[int]] = {}

    def ask(*seeds: int) -> None:
        answers[seeds[0]] = [picture.seed for picture in batcher.generate(_requests(*seeds), timeout=10)]

    threads = [_start(lambda: ask(0))]
    assert engine.begun.acquire(timeout=10)
    threads.append(_start(lambda: ask(10, 11, 12, 13, 14)))
    _wait_until(lambda: batcher.num_waiting == 5)
    threads.append(_start(lambda: ask(20)))
    _wait_until(lambda: batcher.num_waiting == 6)
    engine.gate.release(10)
    for thread in threads:
        thread.join(10)
    assert engine.batches == [[0], [10, 20, 11, 12], [13, 14]]
    assert answers == {0: [0], 10: [10, 11, 12, 13, 14], 20: [20]}
    assert batcher.num_waiting == 0


def test_a_full_queue_refuses(engine: GatedEngine, batcher: Batcher) -> None:
    _start(lambda: batcher.generate(_requests(0), timeout=10))
    assert engine.begun.acquire(timeout=10)
    _start(lambda: batcher.generate(_requests(*range(6)), timeout=10))
    _wait_until(lambda: batcher.num_waiting == 6)
    with pytest.raises(QueueFullError) as caught:
        batcher.generate(_requests(1, 2, 3), timeout=10)
    assert caught.value.retry_after >= 1
    _start(lambda: batcher.generate(_requests(1, 2), timeout=10))
    _wait_until(lambda: batcher.num_waiting == 8)


def test_an_empty_queue_takes_any_number(engine: GatedEngine, batcher: Batcher) -> None:
    engine.gate.release(100)
    assert len(batcher.generate(_requests(*range(20)), timeout=10)) == 20


def test_what_is_not_begun_by_the_deadline_is_never_made(engine: GatedEngine, batcher: Batcher) -> None:
    _start(lambda: batcher.generate(_requests(0), timeout=10))
    assert engine.begun.acquire(timeout=10)
    with pytest.raises(DeadlineError):
        batcher.generate(_requests(1, 2), timeout=0.01)
    assert batcher.num_waiting == 0
    engine.gate.release(10)
    batcher.generate(_requests(3), timeout=10)
    assert engine.batches == [[0], [3]]


def test_a_failing_engine_fails_its_callers_only() -> None:
    def generate(requests: Sequence[PictureRequest]) -> list[Picture]:
        if requests[0].seed == 13:
            raise ValueError("thirteen")
        return [_picture(request) for request in requests]

    batcher = Batcher(generate, max_batch=2, max_waiting=8)
    with pytest.raises(ValueError, match="thirteen"):
        batcher.generate(_requests(13, 1, 2, 3), timeout=10)
    assert batcher.num_waiting == 0
    assert batcher.generate(_requests(5), timeout=10)[0].seed == 5


def test_batches_are_told() -> None:
    told: list[int] = []
    batcher = Batcher(
        lambda requests: [_picture(request) for request in requests],
        max_batch=2,
        max_waiting=8,
        on_batch=lambda num_pictures, seconds: told.append(num_pictures),
    )
    batcher.generate(_requests(1, 2, 3), timeout=10)
    assert told == [2, 1]
