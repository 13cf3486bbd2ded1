"""Gathers the pictures that wait into batches for one engine."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from creativeai.engine import Picture, PictureRequest


class QueueFullError(Exception):
    """Too many pictures wait already.

    Args:
        retry_after: Seconds until the queue should have drained, at least 1.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the queue is full; try again in {retry_after} s")
        self.retry_after = retry_after


class DeadlineError(Exception):
    """The pictures were not ready in time; those not begun are given up."""


@dataclass(eq=False)
class _Job:
    """One caller's pictures."""

    requests: Sequence[PictureRequest]
    pictures: dict[int, Picture] = field(default_factory=dict)
    num_taken: int = 0
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Batcher:
    """A bounded queue in front of one engine.

    Any number of threads call `generate` and wait. One worker thread takes what waits, one picture of each
    caller in turn, so that a caller who wants 64 pictures does not hold up those who want one.

    Args:
        generate: The engine's `generate`; called from the worker thread only.
        max_batch: Most pictures given to the engine at once.
        max_waiting: Most pictures that wait; more are refused. An empty queue takes a request of any size.
        on_batch: Told the number of pictures and the seconds of each batch.
    """

    def __init__(
        self,
        generate: Callable[[Sequence[PictureRequest]], list[Picture]],
        *,
        max_batch: int,
        max_waiting: int,
        on_batch: Callable[[int, float], None] = lambda num_pictures, seconds: None,
    ) -> None:
        self._generate = generate
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._on_batch = on_batch
        self._jobs: deque[_Job] = deque()
        self._num_waiting = 0
        self._seconds_per_picture = 0.0
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="batcher", daemon=True).start()

    @property
    def num_waiting(self) -> int:
        """Pictures that wait and are not yet with the engine."""
        return self._num_waiting

    def generate(self, requests: Sequence[PictureRequest], timeout: float) -> list[Picture]:
        """Generate the pictures, in the order of the requests.

        Args:
            requests: At least one.
            timeout: Seconds to wait for all of them.

        Raises:
            QueueFullError: They do not fit in the queue.
            DeadlineError: They were not ready in time.
        """
        job = _Job(requests)
        with self._changed:
            if self._num_waiting and self._num_waiting + len(requests) > self._max_waiting:
                raise QueueFullError(max(1, math.ceil(self._num_waiting * self._seconds_per_picture)))
            self._jobs.append(job)
            self._num_waiting += len(requests)
            self._changed.notify()
        if not job.done.wait(timeout):
            with self._changed:
                self._drop(job)
            raise DeadlineError
        if job.error:
            raise job.error
        return [job.pictures[index] for index in range(len(requests))]

    def _drop(self, job: _Job) -> None:
        """Take back what the engine has not begun; the lock is held."""
        if job in self._jobs:
            self._jobs.remove(job)
            self._num_waiting -= len(job.requests) - job.num_taken

    def _take(self) -> list[tuple[_Job, int]]:
        """Wait for pictures and take a batch of them."""
        with self._changed:
            while not self._jobs:
                self._changed.wait()
            batch: list[tuple[_Job, int]] = []
            while self._jobs and len(batch) < self._max_batch:
                job = self._jobs.popleft()
                batch.append((job, job.num_taken))
                job.num_taken += 1
                if job.num_taken < len(job.requests):
                    self._jobs.append(job)
            self._num_waiting -= len(batch)
            return batch

    def _run(self) -> None:
        while True:
            batch = self._take()
            start = time.perf_counter()
            try:
                pictures = self._generate([job.requests[index] for job, index in batch])
            except BaseException as error:  # the callers' to raise; the worker must live on
                self._fail(batch, error)
                continue
            seconds = time.perf_counter() - start
            self._seconds_per_picture = seconds / len(batch)
            for (job, index), picture in zip(batch, pictures, strict=True):
                job.pictures[index] = picture
                if len(job.pictures) == len(job.requests):
                    job.done.set()
            self._on_batch(len(batch), seconds)

    def _fail(self, batch: list[tuple[_Job, int]], error: BaseException) -> None:
        with self._changed:
            for job in {job for job, _ in batch}:
                self._drop(job)
                job.error = error
                job.done.set()
