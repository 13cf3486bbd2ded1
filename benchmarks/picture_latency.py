"""Time of one picture, its text encoded anew, on one core.

    python benchmarks/picture_latency.py [--model NAME|PATH] [--num 300]

The process is bound to one core where the system lets it (Linux); other processes may still use that core.
"""

import os
import time

import creativeai
from measuring import centile, different_texts, option_parser, report

NUM_WARM_UP = 20


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--num", type=int, default=300, help="pictures measured")
    arguments = parser.parse_args()

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    model = creativeai.load(arguments.model)
    seconds, cpu_seconds = [], []
    for seed, text in enumerate(different_texts(NUM_WARM_UP + arguments.num)):
        start, cpu_start = time.perf_counter(), time.process_time()
        model.pictures(text, seed=seed)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)

    p50, p95 = (1000 * centile(seconds[NUM_WARM_UP:], percent) for percent in (50, 95))
    cpu_p50 = 1000 * centile(cpu_seconds[NUM_WARM_UP:], 50)
    report(
        "picture_latency",
        f"{model.name}, {model.manifest.resolution} pixels: p50 {p50:.1f} ms, p95 {p95:.1f} ms "
        f"({cpu_p50:.1f} ms of processor time)",
        model=model.name,
        resolution=model.manifest.resolution,
        p50_ms=round(p50, 2),
        p95_ms=round(p95, 2),
        cpu_p50_ms=round(cpu_p50, 2),
        num_pictures=arguments.num,
    )


if __name__ == "__main__":
    main()
