"""How long an evaluation takes: features of pictures on EfficientNet-Lite2, and the figures computed of them.

    python benchmarks/evaluation_speed.py [--num 10000] [--seen 500] [--threads 2]

Pictures of noise, whose features take as long as those of any others, are seen 128 pixels wide, and the time
is carried forward to --num generated pictures against --num photos. The figures are computed at full number,
of the same features with noise added. The generator's own time is not in it. Processor minutes say what it
costs on a machine that does other work besides.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.kid import kernel_distance
from creativeai.evaluation.memorisation import memorisation
from creativeai.evaluation.precision_recall import precision_recall
from creativeai.evaluation.retrieval import retrieval_accuracy
from creativeai.models.efficientnet_lite import load_efficientnet_lite
from creativeai.models.pixels import pixels_to_tensor
from measuring import report

SIDE, CODE_DIM, AT_ONCE = 128, 128, 128


def features_of(extractor: FeatureExtractor, num: int) -> np.ndarray:
    random = np.random.default_rng(0)
    pooled = []
    for start in range(0, num, AT_ONCE):
        pixels = random.integers(0, 256, (min(AT_ONCE, num - start), SIDE, SIDE, 3), np.uint8)
        pooled.append(extractor(pixels_to_tensor(pixels)).pooled.numpy())
    return np.concatenate(pooled)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num", type=int, default=10_000, help="generated pictures, and photos")
    parser.add_argument("--seen", type=int, default=500, help="pictures that are really seen")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    extractor = FeatureExtractor(load_efficientnet_lite(2))
    features_of(extractor, 8)
    start, start_of_work = time.perf_counter(), time.process_time()
    seen = features_of(extractor, arguments.seen)
    rate = arguments.seen / (time.perf_counter() - start)
    work = (time.process_time() - start_of_work) / arguments.seen * 2 * arguments.num

    random = np.random.default_rng(1)

    def many() -> np.ndarray:
        rows = seen[random.integers(len(seen), size=arguments.num)]
        return rows + random.normal(0, 0.1, rows.shape).astype(np.float32)

    generated, photos, held_out = many(), many(), many()[: arguments.num // 10]
    codes, numbers = random.normal(size=(arguments.num, CODE_DIM)), np.arange(arguments.num)
    figures: dict[str, Callable[[], Any]] = {
        "Frechet distance": lambda: frechet_distance(generated, photos),
        "KID": lambda: kernel_distance(generated, photos, 0),
        "precision and recall": lambda: precision_recall(photos, generated),
        "memorisation": lambda: memorisation(generated, photos, held_out),
        "R-precision": lambda: retrieval_accuracy(codes, codes, numbers, numbers),
    }
    seconds = {}
    start_of_work = time.process_time()
    for name, compute in figures.items():
        start = time.perf_counter()
        compute()
        seconds[name] = time.perf_counter() - start
    work_minutes = (work + time.process_time() - start_of_work) / 60
    minutes = (2 * arguments.num / rate + sum(seconds.values())) / 60
    # Linux counts in KiB, macOS in bytes.
    unit = 1024 if os.uname().sysname == "Linux" else 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    each = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    report(
        "evaluation_speed",
        f"{arguments.num:,} pictures against {arguments.num:,} photos in {minutes:.1f} min by "
        f"{arguments.threads} threads ({work_minutes:.1f} processor minutes): {rate:.1f} pictures/s seen, "
        f"{each}; at most {memory:.2f} GB",
        minutes=minutes,
        processor_minutes=work_minutes,
        pictures_per_second=rate,
        seconds=seconds,
        gigabytes=memory,
        threads=arguments.threads,
    )


if __name__ == "__main__":
    main()
