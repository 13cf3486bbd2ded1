"""Pictures a second of the engine by itself, by number of threads.

    python benchmarks/engine_throughput.py [--model NAME|PATH] [--seconds 5] [--batch 16]

Texts differ, so that each is encoded; `--threads` says which numbers of threads to try.
"""

import os
import time

from creativeai.bundles import find_bundle, read_bundle
from creativeai.engine import Engine, PictureRequest
from measuring import different_texts, option_parser, report


def pictures_per_second(engine: Engine, batch: int, seconds: float) -> float:
    """Rate over whole batches, the first of which is not counted."""
    texts = different_texts(2000)
    num_done = 0
    start = end = time.perf_counter()
    while end < start + seconds or num_done == 0:
        chosen = [texts[(num_done + index) % len(texts)] for index in range(batch)]
        engine.generate([PictureRequest(text, seed) for seed, text in enumerate(chosen)])
        if num_done == 0:
            start = time.perf_counter()
        num_done += batch
        end = time.perf_counter()
    return (num_done - batch) / (end - start)


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--batch", type=int, default=16, help="pictures asked for at once")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    arguments = parser.parse_args()

    bundle = read_bundle(find_bundle(arguments.model))
    rates = {}
    for num_threads in arguments.threads:
        rate = pictures_per_second(Engine(bundle, num_threads), arguments.batch, arguments.seconds)
        rates[num_threads] = round(rate, 1)
    told = ", ".join(f"{rate} pictures/s on {threads} thread(s)" for threads, rate in rates.items())
    report(
        "engine_throughput",
        f"{bundle.path.name}, batch {arguments.batch}: {told}",
        model=bundle.path.name,
        batch=arguments.batch,
        pictures_per_second=rates,
    )


if __name__ == "__main__":
    main()
