"""Train the networks that judge pictures, and the guide of trainings, on the photos of birds and flowers.

    python tools/train_judge.py --birds DATASET --flowers DATASET --cache FOLDER

Writes `matcher_lite2.safetensors`, `reader_lite2.safetensors` and `matcher_lite0.safetensors` into
`src/creativeai/zoo/judge`, the caption tower of the last also into `src/creativeai/zoo/text/minilm_gru`, as a
text encoder, and prints how well each does on the test photos. The datasets are those that `creativeai data
prepare birds` and `flowers` make. The photos' descriptions, an hour of one core's work, are
kept in the cache folder. Only training photos are learned from.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from creativeai.bundles.onnx_export import store_weights_in_half
from creativeai.data import CaptionedImages
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.matcher import GUIDE_FILE, JUDGE_FILE, Matcher, MatcherFacts, load_matcher
from creativeai.evaluation.matcher_training import (
    DescribedPhotos,
    MatcherTraining,
    described_photos,
    swap,
    train_matcher,
    words_of_captions,
)
from creativeai.evaluation.picture_reader import (
    READER_FILE,
    PictureReader,
    ReaderFacts,
    load_picture_reader,
    train_picture_reader,
)
from creativeai.evaluation.retrieval import retrieval_accuracy
from creativeai.models.caption_tower_graph import caption_tower_graph
from creativeai.models.efficientnet_lite import load_efficientnet_lite
from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import DescriptionLayout, describe_images
from creativeai.recipes.augmentation import DiffAugment
from creativeai.reporting import reporting
from creativeai.text.encoder import ZOO_FOLDER
from creativeai.text.encoder_files import DESCRIPTION_NAME, GRAPH_NAME
from creativeai.text.lexicon import COLOURS
from creativeai.text.minilm_gru import MiniLMGru
from creativeai.text.part_colours import part_colours

RESOLUTION = 128
PARTS = ("head", "back", "breast", "belly", "wings", "tail", "beak", "body", "petals", "centre")
FEWEST_OF_A_CLASS = 20
"""Training photos without which a species is none that the reader tells apart."""
SEED = 2
NUM_VIEWS = 2
"""The photos as they are, and mirrored."""

Describe = Callable[[Tensor], Tensor]
"""Descriptions [B, I] of pictures [B, 3, R, R]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--birds", type=Path, required=True)
    parser.add_argument("--flowers", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--only", choices=("judge", "reader", "guide"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    datasets = [CaptionedImages.open(path) for path in (arguments.birds, arguments.flowers)]

    judging = FeatureExtractor(load_efficientnet_lite(2))
    guiding = load_efficientnet_lite(0).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    shift = DiffAugment(colour=0, cutout=0)

    def plain(images: Tensor) -> Tensor:
        return judging(images).descriptions

    def shifted(images: Tensor) -> Tensor:
        seen = shift(images).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            return describe_images(seen, guiding(seen), DescriptionLayout())

    views = {"judge": plain, "guide": shifted}
    photos_of = {
        name: [
            described(dataset, f"{name}-{dataset.name}", describe, arguments.cache, console)
            for dataset in datasets
        ]
        for name, describe in views.items()
        if arguments.only in (None, name) or (name == "judge" and arguments.only == "reader")
    }
    training = MatcherTraining(num_steps=arguments.steps)
    for name, file, lite, side in (("judge", JUDGE_FILE, 2, 260), ("guide", GUIDE_FILE, 0, 128)):
        if arguments.only not in (None, name):
            continue
        learned = [only_training_photos(*pair) for pair in zip(datasets, photos_of[name], strict=True)]
        facts = MatcherFacts(
            name=f"birds-flowers-lite{lite}",
            lite=lite,
            side=side,
            layout=DescriptionLayout(),
            words=words_of_captions(captions_of(learned)) if name == "judge" else (),
            datasets=tuple(photos.name for photos in learned),
            word_dim=160 if name == "judge" else 128,  # twice the latter is the code's length
        )
        with reporting(console, f"training the {name}'s matcher", unit="steps") as tell:
            network = train_matcher(learned, facts, seed=SEED, training=training, on_progress=tell)
        Matcher(network, facts, "").save(file)
        matcher = load_matcher(file)
        if name == "guide":
            write_text_encoder(matcher, file)
        for dataset, photos in zip(datasets, photos_of[name], strict=True):
            report_matcher(name, matcher, dataset, photos)
    if arguments.only in (None, "reader"):
        train_reader(datasets, photos_of["judge"], console)


def described(
    dataset: CaptionedImages,
    name: str,
    describe: Describe,
    cache: Path,
    console: Console,
) -> DescribedPhotos:
    """All photos of a dataset, described as they are and mirrored, with their captions."""
    images = dataset.images(RESOLUTION)
    arrays: list[NDArray[np.floating]] = []
    for number in range(NUM_VIEWS):
        file = cache / f"{name}-{dataset.meta.digest[:8]}-{number}.npy"
        if not file.exists():
            torch.manual_seed(SEED + number)
            parts = []
            with reporting(console, f"describing {dataset.name}, view {number + 1} of {NUM_VIEWS}") as tell:
                for start in range(0, len(images), 32):
                    pixels = images[start : start + 32]
                    if number % 2:
                        pixels = pixels[:, :, ::-1]
                    parts.append(describe(pixels_to_tensor(pixels)).half().numpy())
                    tell(min(start + 32, len(images)), len(images))
            with file.with_suffix(".tmp").open("wb") as opened:
                np.save(opened, np.concatenate(parts))
            file.with_suffix(".tmp").rename(file)
        arrays.append(np.load(file, mmap_mode="r"))
    return described_photos(dataset.name, arrays, dataset.records)


def captions_of(datasets: list[DescribedPhotos]) -> Iterator[str]:
    for photos in datasets:
        for captions in (*photos.written[0], *photos.others[0]):
            yield from captions


def only_training_photos(dataset: CaptionedImages, photos: DescribedPhotos) -> DescribedPhotos:
    rows = dataset.indices("train")
    return DescribedPhotos(
        photos.name,
        tuple(view[rows] for view in photos.views),
        tuple([texts[row] for row in rows] for texts in photos.written),
        tuple([texts[row] for row in rows] for texts in photos.others),
    )


def report_matcher(name: str, matcher: Matcher, dataset: CaptionedImages, photos: DescribedPhotos) -> None:
    rows = dataset.indices("test")
    captions = [photos.written[0][row][0] for row in rows]
    pictures, texts = matcher.picture_codes(photos.views[0][rows]), matcher.text_codes(captions)
    found = retrieval_accuracy(pictures, texts, rows, captions)
    swapped = [(i, text) for i, caption in enumerate(captions) if (text := swap(caption, 0)) is not None]
    at = [i for i, _ in swapped]
    others = matcher.text_codes([text for _, text in swapped])
    preferred = (pictures[at] * texts[at]).sum(1) > (pictures[at] * others).sum(1)
    print(
        f"{name}, {dataset.name}: right of 100 captions for {np.mean(found):.1%} of {len(rows):,} test "
        f"photos, preferred over the colour-swapped form for {preferred.mean():.1%} of {len(at):,}"
    )


def write_text_encoder(guide: Matcher, file: Path) -> None:
    """Write the caption tower as the text encoder `minilm_gru`."""
    graph = store_weights_in_half(caption_tower_graph(guide.network.caption_tower)).SerializeToString()
    folder = ZOO_FOLDER / MiniLMGru.name
    folder.mkdir(exist_ok=True)
    (folder / GRAPH_NAME).write_bytes(graph)
    description = {
        "name": MiniLMGru.name,
        "title": "MiniLM, and a GRU over its word pieces that knows which part has which colour",
        "licence": "Apache-2.0",
        "files": {GRAPH_NAME: {"sha256": hashlib.sha256(graph).hexdigest(), "size": len(graph)}},
        "provenance": {
            "made_by": "tools/train_judge.py",
            "caption_tower_of": {"name": guide.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
            "datasets": guide.datasets,
        },
    }
    (folder / DESCRIPTION_NAME).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def train_reader(datasets: list[CaptionedImages], described: list[DescribedPhotos], console: Console) -> None:
    classes = {dataset.name: classes_of(dataset) for dataset in datasets}
    facts = ReaderFacts(
        class_names=tuple(sorted({name for names in classes.values() for name in names})),
        classes_of=classes,
        parts=PARTS,
        colours=COLOURS,
        lite=2,
        side=260,
        layout=DescriptionLayout(),
    )
    parts = [only_training_photos(*pair) for pair in zip(datasets, described, strict=True)]
    records = [dataset.records[row] for dataset in datasets for row in dataset.indices("train")]
    with reporting(console, "training the picture reader", unit="steps"):
        network = train_picture_reader(
            [np.concatenate([photos.views[view] for photos in parts]) for view in range(2)],
            [record.label for record in records],
            [record.captions for record in records],
            facts,
            seed=SEED,
        )
    PictureReader(network, facts, "").save(READER_FILE)
    reader = load_picture_reader(READER_FILE)
    for dataset, photos in zip(datasets, described, strict=True):
        report_reader(reader, dataset, photos)


def classes_of(dataset: CaptionedImages) -> tuple[str, ...]:
    labels = [dataset.records[row].label or "" for row in dataset.indices("train")]
    names, counts = np.unique([label for label in labels if label], return_counts=True)
    return tuple(names[counts >= FEWEST_OF_A_CLASS].tolist())


def report_reader(reader: PictureReader, dataset: CaptionedImages, photos: DescribedPhotos) -> None:
    rows = dataset.indices("test")
    descriptions = photos.views[0][rows]
    known = [reader.class_names.index(name) for name in reader.classes_of(dataset.name)]
    scores = reader.name_scores(descriptions)[:, known]
    names = [reader.class_names[i] for i in known]
    ranks = [
        (row > row[names.index(label)]).sum()
        for row, index in zip(scores, rows, strict=True)
        if (label := dataset.records[index].label) in names
    ]
    print(
        f"reader, {dataset.name}: right name {np.mean(np.array(ranks) < 1):.1%}, among five "
        f"{np.mean(np.array(ranks) < 5):.1%} of {len(ranks):,} test photos of {len(names)} classes"
    )
    colours = reader.colour_scores(descriptions)
    right: dict[str, list[bool]] = {part: [] for part in reader.parts}
    for read, index in zip(colours, rows, strict=True):
        asked: dict[str, set[str]] = {}
        for caption in dataset.records[index].captions:
            for pair in part_colours(caption):
                asked.setdefault(pair.part, set()).add(pair.colour)
        for number, part in enumerate(reader.parts):
            if part in asked:
                right[part].append(reader.colours[int(read[number].argmax())] in asked[part])
    said = ", ".join(f"{part} {np.mean(hits):.0%} of {len(hits):,}" for part, hits in right.items() if hits)
    print(f"reader, {dataset.name}: colours as the captions say: {said}")


if __name__ == "__main__":
    main()
