"""What the texts cost before a training's first step, and in its first steps.

    python benchmarks/first_batch.py --data DATASET [--batches 20]

In processor seconds of one thread, by a process with nothing encoded before and by another with what that
left. The encodings are kept in a temporary folder, not beside the dataset. Photos and networks are left out:
this is opening the dataset, looking through its captions, the 2,000 sentence vectors that text inputs are
standardised by, and batches with their colour-swapped captions as `projected_gan` has them in `compact`.
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from creativeai.data import CaptionedImages
from creativeai.recipes.projected_gan import PRESETS
from creativeai.text import load_text_encoder
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.feed import Feed, sentence_sample
from creativeai.training.materials import labels_of
from creativeai.training.texts import training_texts, unreadable_captions
from measuring import report

NUM_FITTED = 2000


def seconds_of(data: Path, kept_in: Path, num_batches: int) -> tuple[float, float]:
    """Processor seconds until the first batch is there, and of each of the others."""
    torch.set_num_threads(1)
    config = PRESETS["compact"]
    size = config.learning.batch_size
    start = time.process_time()
    dataset = CaptionedImages.open(data)
    bank = CaptionBank(load_text_encoder("minilm"), kept_in)
    unreadable_captions(dataset, bank.knows)
    texts = training_texts(dataset, config.text_augmentation, bank.knows)
    pictures = dataset.indices("train")
    sentence_sample(texts, bank, pictures, size, 0, NUM_FITTED)
    feed = Feed(
        dataset.images(config.resolution),
        texts,
        bank,
        labels_of(dataset),
        pictures,
        size,
        config.noise_dim,
        seed=0,
        with_swapped=True,
    )
    feed.batch(0, torch.device("cpu"))
    first = time.process_time() - start
    start = time.process_time()
    for step in range(1, num_batches):
        feed.batch(step, torch.device("cpu"))
    return first, (time.process_time() - start) / (num_batches - 1)


def in_new_process(*arguments: object) -> tuple[float, float]:
    """`seconds_of` where nothing is in memory yet."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(seconds_of, *arguments).result()  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a prepared dataset with pictures of 128 px")
    parser.add_argument("--batches", type=int, default=20, help="batches to time, at least 2")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (first, each), (again, each_again) = (
            in_new_process(arguments.data, Path(folder), arguments.batches) for _ in range(2)
        )
    report(
        "first_batch",
        f"texts of {arguments.data.name}: {first:.1f} processor seconds to the first batch, {again:.1f} the "
        f"second time; {1000 * each:.0f} ms a batch, {1000 * each_again:.0f} ms the second time",
        first_seconds=round(first, 2),
        again_seconds=round(again, 2),
        batch_ms=round(1000 * each, 1),
        batch_again_ms=round(1000 * each_again, 1),
    )


if __name__ == "__main__":
    main()
