"""A server that is asked for twice what it can do: what it answers, how fast, and in how much memory (Linux).

    python benchmarks/overload.py [--model NAME] [--minutes 10] [--factor 2] [--threads N] [--log FILE]

First a few clients find out how many pictures a second there are. Then requests for a picture come at a
constant rate, `factor` times that, each on a connection of its own, whether those before were answered or
not; their time counts from the moment they should have been sent. The clients run on the same machine, and
how late they were themselves is told too.
"""

import asyncio
import itertools
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from creativeai.bundles import find_bundle
from measuring import centile, option_parser, report
from server_memory import resident_mb
from serving import TEXTS, run_clients, running_server

_PATIENCE_SECONDS = 60


@dataclass
class Answers:
    """What came of the requests so far."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"200": [], "429": []})
    """Of each status, what each answer took."""
    statuses: Counter[str] = field(default_factory=Counter)
    lateness: list[float] = field(default_factory=list)
    """How long after its time each request was sent."""

    def note(self, status: str, seconds: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        self.seconds.setdefault(status, []).append(seconds)


async def ask(address: str, body: str, due: float, answers: Answers) -> None:
    """Send one request and read its whole answer."""
    host, _, port = address.rpartition(":")
    answers.lateness.append(time.perf_counter() - due)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST /v1/images/generations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            answer = await reader.read(-1)
            writer.close()
    except (OSError, TimeoutError) as error:
        answers.note(type(error).__name__, time.perf_counter() - due)
        return
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    status = head_bytes.split(b" ")[1].decode() if b" " in head_bytes else "nothing"
    try:
        json.loads(content)
    except ValueError:
        status += " torn"
    answers.note(status, time.perf_counter() - due)


async def load(address: str, model: str, rate: float, seconds: float, seeds: Iterator[int]) -> Answers:
    """Requests at a constant rate for some time, and then until the last is answered."""
    answers = Answers()
    tasks: set[asyncio.Task[None]] = set()
    start = time.perf_counter()
    for index in range(int(rate * seconds)):
        due = start + index / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        seed = next(seeds)
        fields = {"model": model, "prompt": TEXTS[seed % len(TEXTS)], "seed": seed}
        task = asyncio.create_task(ask(address, json.dumps(fields), due, answers))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return answers


def workers_of(pid: int) -> list[int]:
    """Process ids of the server's workers."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def milliseconds(seconds: list[float], percent: int) -> float:
    """A centile of some times, in ms."""
    return round(centile(seconds, percent) * 1e3, 1) if len(seconds) > 1 else float("nan")


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--factor", type=float, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--capacity-seconds", type=float, default=10)
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="file for the server's log")
    args = parser.parse_args()

    path = find_bundle(args.model)
    seeds = itertools.count()
    total = Answers()
    memory: list[int] = []
    with running_server(path, args.threads, args.log) as (process, url):
        # Enough to keep every thread busy, and too few to be refused on a slow machine.
        num_clients = 2 * args.threads
        run_clients(url, path.name, num_clients, seeds, seconds=2)
        start = time.perf_counter()
        taken = run_clients(url, path.name, num_clients, seeds, seconds=args.capacity_seconds)
        capacity = len(taken) / (time.perf_counter() - start)
        workers = workers_of(process.pid)
        memory.append(round(resident_mb(process.pid)))
        minutes = args.minutes
        while minutes > 0:
            part = min(1.0, minutes)
            minutes -= part
            rate = args.factor * capacity
            answers = asyncio.run(load(urlsplit(url).netloc, path.name, rate, 60 * part, seeds))
            total.statuses += answers.statuses
            total.lateness += answers.lateness
            for status, seconds in answers.seconds.items():
                total.seconds.setdefault(status, []).extend(seconds)
            memory.append(round(resident_mb(process.pid)))
            print(f"{dict(answers.statuses)}, {memory[-1]} MB", flush=True)
        num_crashes = int(process.poll() is not None or workers_of(process.pid) != workers)

    accepted, refused = total.seconds["200"], total.seconds["429"]
    p50, p99 = (milliseconds(accepted, percent) for percent in (50, 99))
    refused_p50, refused_p99 = (milliseconds(refused, percent) for percent in (50, 99))
    late_p99 = milliseconds(total.lateness, 99)
    report(
        f"{args.minutes:g} minutes at {args.factor:g} times the capacity",
        f"{capacity:.1f} pictures/s at capacity; asked for {args.factor * capacity:.1f} a second: "
        f"{len(accepted)} were accepted (p50 {p50} ms, p99 {p99} ms), {len(refused)} refused "
        f"(p50 {refused_p50} ms, p99 {refused_p99} ms), statuses {dict(total.statuses)}; {num_crashes} "
        f"crashes; memory {memory[0]} MB before, {memory[-1]} MB after; the clients themselves were late by "
        f"{statistics.median(total.lateness) * 1e3:.1f} ms, p99 {late_p99} ms",
        value=p99,
        capacity=round(capacity, 1),
        p50_ms=p50,
        p99_ms=p99,
        refused_p50_ms=refused_p50,
        refused_p99_ms=refused_p99,
        late_p99_ms=late_p99,
        statuses=dict(total.statuses),
        megabytes=memory,
        num_crashes=num_crashes,
    )


if __name__ == "__main__":
    main()
