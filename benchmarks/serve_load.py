"""Pictures a second from a server with 16 clients, against the engine's own at the same batch.

    python benchmarks/serve_load.py [--model NAME] [--clients 16] [--threads N] [--seconds 5] [--rounds 5]

Engine and server take turns in one run, so that whatever else the machine does falls on both; neither gets a
text that it still has in its cache. The clients run on the same machine: their work is the server's loss. CPU
time per picture is told too; what else the machine does changes it less.
"""

import os
import statistics
import time
from collections.abc import Iterator
from itertools import count, islice

from creativeai.bundles import find_bundle, read_bundle
from creativeai.engine import Engine, PictureRequest
from measuring import centile, option_parser, report
from serving import TEXTS, read_metric, run_clients, running_server


def run_engine(engine: Engine, batch_size: int, seeds: Iterator[int], seconds: float) -> int:
    """Keep the engine busy; returns the number of pictures."""
    num_pictures = 0
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        batch = islice(seeds, batch_size)
        engine.generate([PictureRequest(TEXTS[seed % len(TEXTS)], seed) for seed in batch])
        num_pictures += batch_size
    return num_pictures


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    path = find_bundle(args.model)
    engine = Engine(read_bundle(path), args.threads)
    own_rates, served_rates, own_cpu, served_cpu, client_cpu, latencies = [], [], [], [], [], []
    seeds = count()
    with running_server(path, args.threads) as (_, url):
        run_clients(url, path.name, args.clients, seeds, seconds=1)
        run_engine(engine, args.clients, seeds, 1)
        for _ in range(args.rounds):
            start, cpu_start = time.perf_counter(), time.process_time()
            num_pictures = run_engine(engine, args.clients, seeds, args.seconds)
            own_rates.append(num_pictures / (time.perf_counter() - start))
            own_cpu.append((time.process_time() - cpu_start) / num_pictures)

            server_cpu_start = read_metric(url, "process_cpu_seconds_total")
            start, cpu_start = time.perf_counter(), time.process_time()
            taken = run_clients(url, path.name, args.clients, seeds, args.seconds)
            served_rates.append(len(taken) / (time.perf_counter() - start))
            client_cpu.append((time.process_time() - cpu_start) / len(taken))
            served_cpu.append((read_metric(url, "process_cpu_seconds_total") - server_cpu_start) / len(taken))
            latencies += taken

    median = statistics.median
    own, served = median(own_rates), median(served_rates)
    ratio = median(a / b for a, b in zip(served_rates, own_rates, strict=True))
    own_ms, served_ms, client_ms = (median(cpu) * 1e3 for cpu in (own_cpu, served_cpu, client_cpu))
    p50, p95 = centile(latencies, 50) * 1e3, centile(latencies, 95) * 1e3
    report(
        "served pictures per second / the engine's own",
        f"{ratio:.2f}: {served:.1f} pictures/s to {args.clients} clients, {own:.1f} by the engine itself "
        f"({args.threads} threads); CPU time per picture {served_ms:.1f} ms in the server, {client_ms:.1f} "
        f"ms in its clients, {own_ms:.1f} ms in the engine itself; "
        f"latency p50 {p50:.0f} ms, p95 {p95:.0f} ms",
        value=round(ratio, 3),
        served_per_second=round(served, 1),
        engine_per_second=round(own, 1),
        cpu_ratio=round(own_ms / served_ms, 3),
        client_cpu_ms=round(client_ms, 2),
        p50_ms=round(p50, 1),
        p95_ms=round(p95, 1),
    )


if __name__ == "__main__":
    main()
