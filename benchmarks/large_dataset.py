"""How fast a prepared dataset of 100,000 pictures opens, and how fast it feeds the trainer.

    python benchmarks/large_dataset.py [--num 100000] [--batch-size 64]

The dataset is written by the same code as `creativeai data prepare` writes with: 64-pixel pictures of noise,
each with ten captions. Its caption vectors are random, of MiniLM's size: what is timed is drawing batches,
wording their texts and finding these. Takes 4.3 GB in the temporary folder, which is in memory as far as
there is any.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from PIL import Image

from creativeai.data import CaptionedImages
from creativeai.data.captioned_images import NearDuplicates
from creativeai.data.sources.base import Source, SourcePicture
from creativeai.data.splits import split_of
from creativeai.data.writing import DatasetWriter, Written, new_folder
from creativeai.text.augmentation import TextAugmentation
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.feed import Feed
from creativeai.training.texts import training_texts
from measuring import different_texts, report
from random_encoder import RandomEncoder

NUM_CAPTIONS, SENTENCE_DIM, SIDE = 10, 384, 64
NUM_BATCHES = 200


def write_dataset(out: Path, num_pictures: int) -> None:
    random = np.random.default_rng(0)
    texts = different_texts(500)
    pixels = random.integers(0, 256, (1000, SIDE, SIDE, 3), np.uint8)
    source = Source("noise", "Noise", "drawn", "CC0", "Noise", (), num_pictures)
    with new_folder(out) as folder, DatasetWriter(folder, (SIDE,), num_pictures) as writer:
        for i in range(num_pictures):
            captions = tuple(texts[(i + j) % len(texts)] for j in range(NUM_CAPTIONS))
            picture = SourcePicture(f"{i // 1000}/{i}.jpg", Image.Image, captions, "", label=str(i % 200))
            writer.add(picture, {SIDE: pixels[i % len(pixels)]})
        splits = [split_of(f"{i // 1000}/{i}.jpg") for i in range(num_pictures)]
        writer.finish(source, splits, Written("by hash", NearDuplicates(), {}, {}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num", type=int, default=100_000, help="pictures")
    parser.add_argument("--batch-size", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset"
        write_dataset(path, arguments.num)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            dataset = CaptionedImages.open(path)
            seconds.append(time.perf_counter() - start)

        bank = CaptionBank(RandomEncoder(SENTENCE_DIM, 1), Path(folder))
        feed = Feed(
            images=dataset.images(SIDE),
            texts=training_texts(dataset, TextAugmentation(), bank.knows),
            bank=bank,
            labels=np.arange(len(dataset)) % 200,
            pictures=dataset.indices("train"),
            batch_size=arguments.batch_size,
            noise_dim=100,
            seed=0,
        )
        feed.batch(0, torch.device("cpu"))
        start = time.perf_counter()
        for step in range(1, NUM_BATCHES + 1):
            feed.batch(step, torch.device("cpu"))
        rate = NUM_BATCHES * arguments.batch_size / (time.perf_counter() - start)
    opening = statistics.median(seconds)
    report(
        "large_dataset",
        f"{arguments.num:,} pictures: opened in {opening:.2f} s, feeds {rate:,.0f} pictures/s in batches of "
        f"{arguments.batch_size}",
        num=arguments.num,
        open_seconds=round(opening, 3),
        fed_pictures_per_second=round(rate),
    )


if __name__ == "__main__":
    main()
