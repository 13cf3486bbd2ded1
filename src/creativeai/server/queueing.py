"""Hands the pictures that wait to an engine, one by one."""

import contextlib
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from creativeai.engine import Picture, PictureRequest

# Share of the newest picture in the mean of those before: some ten count.
_FOLLOWING = 0.1
_WORKER_NICENESS = 5


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


class PictureQueue:
    """A bounded queue in front of one engine.

    Any number of threads call `generate` and wait. Worker threads take what waits, one picture of each caller
    in turn, so that a caller who wants 64 pictures does not hold up those who want one. There are no batches:
    the engine runs each picture by itself, so a batch would only have its first picture wait for its last and
    leave cores idle at its end.

    Args:
        generate: Makes one picture; called from the worker threads only.
        num_workers: Pictures made at the same time.
        max_waiting: Most pictures that wait; more are refused. An empty queue takes a request of any size.
        max_seconds: Longest that a request should wait for those before it; one that would is refused.
        on_picture: Told the seconds each picture took to make.
    """

    def __init__(
        self,
        generate: Callable[[PictureRequest], Picture],
        *,
        num_workers: int,
        max_waiting: int,
        max_seconds: float = math.inf,
        on_picture: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._generate = generate
        self._num_workers = num_workers
        self._max_waiting = max_waiting
        self._max_seconds = max_seconds
        self._on_picture = on_picture
        self._jobs: deque[_Job] = deque()
        self._num_waiting = 0
        self._num_running = 0
        self._seconds_per_picture = 0.0
        self._changed = threading.Condition()
        self._is_closed = False
        for index in range(num_workers):
            threading.Thread(target=self._run, name=f"picture-worker-{index}", daemon=True).start()

    @property
    def num_waiting(self) -> int:
        """Pictures that wait and are not yet with the engine."""
        return self._num_waiting

    def close(self) -> None:
        """End the workers once nothing waits. Who comes later still gets their pictures."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

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
            if self._is_closed:
                # Its model was replaced between being chosen and being asked: there may be no worker left.
                threading.Thread(target=self._run, name="picture-worker-late", daemon=True).start()
            if self._num_waiting and not self._has_room(len(requests)):
                raise QueueFullError(self._seconds_to_drain())
            self._jobs.append(job)
            self._num_waiting += len(requests)
            self._changed.notify(len(requests))
        if not job.done.wait(timeout):
            with self._changed:
                self._drop(job)
            raise DeadlineError
        if job.error:
            raise job.error
        return [job.pictures[index] for index in range(len(requests))]

    def _has_room(self, num_pictures: int) -> bool:
        """Whether so many more may wait; the lock is held."""
        if self._num_waiting + num_pictures > self._max_waiting:
            return False
        # They take turns: of those that want more, only as many come first as we want ourselves.
        ahead = sum(min(len(job.requests) - job.num_taken, num_pictures) for job in self._jobs)
        return self._seconds_for(ahead + self._num_running) <= self._max_seconds

    def _seconds_to_drain(self) -> int:
        return max(1, math.ceil(self._seconds_for(self._num_waiting)))

    def _seconds_for(self, num_pictures: int) -> float:
        return num_pictures * self._seconds_per_picture / self._num_workers

    def _drop(self, job: _Job) -> None:
        """Take back what the engine has not begun; the lock is held."""
        if job in self._jobs:
            self._jobs.remove(job)
            self._num_waiting -= len(job.requests) - job.num_taken

    def _take(self) -> tuple[_Job, int] | None:
        """Wait for a picture and take it: whose it is, and which of theirs; None when the queue is done."""
        with self._changed:
            while not self._jobs:
                if self._is_closed:
                    return None
                self._changed.wait()
            job = self._jobs.popleft()
            index = job.num_taken
            job.num_taken += 1
            if job.num_taken < len(job.requests):
                self._jobs.append(job)
            self._num_waiting -= 1
            self._num_running += 1
            return job, index

    def _run(self) -> None:
        _give_way()
        while taken := self._take():
            job, index = taken
            start = time.perf_counter()
            try:
                picture = self._generate(job.requests[index])
            except BaseException as error:  # the caller's to raise; the worker must live on
                self._end_running(None)
                self._fail(job, error)
                continue
            seconds = time.perf_counter() - start
            self._end_running(seconds)
            self._on_picture(seconds)
            job.pictures[index] = picture
            if len(job.pictures) == len(job.requests):
                job.done.set()

    def _end_running(self, seconds: float | None) -> None:
        """A picture took so long, or failed. The mean follows smoothly: a single slow one says little."""
        with self._changed:
            self._num_running -= 1
            if seconds is not None:
                before = self._seconds_per_picture or seconds
                self._seconds_per_picture = before + _FOLLOWING * (seconds - before)

    def _fail(self, job: _Job, error: BaseException) -> None:
        with self._changed:
            self._drop(job)
            job.error = error
            job.done.set()


def _give_way() -> None:
    """Let the threads that answer go first on a busy machine: refusals must be quick."""
    if sys.platform == "linux":  # where a thread can have a priority of its own
        with contextlib.suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _WORKER_NICENESS)
