"""The reader on made-up photos whose descriptions say outright what they show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from creativeai.errors import TrainingError
from creativeai.evaluation.picture_reader import (
    PictureReader,
    ReaderFacts,
    load_picture_reader,
    train_picture_reader,
)
from creativeai.evaluation.weights_file import write_weights
from creativeai.models.text_image_matcher import DescriptionLayout

COLOURS = ("red", "green", "blue")
SPECIES = ("cardinal", "tanager")
FACTS = ReaderFacts(
    class_names=SPECIES,
    classes_of={"toys": SPECIES},
    parts=("head", "wings"),
    colours=COLOURS,
    lite=0,
    side=64,
    layout=DescriptionLayout(1, (1, 1, 1, 1)),
)
SHOWN = [(species, head, wings) for species in SPECIES for head in COLOURS for wings in COLOURS]
CAPTIONS = [[f"a bird with a {head} head and {wings} wings"] for _, head, wings in SHOWN]


def photos(seed: int) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(len(SHOWN), 8)) * 0.2
    shown = [
        [name == s for s in SPECIES] + [head == c for c in COLOURS] + [wings == c for c in COLOURS]
        for name, head, wings in SHOWN
    ]
    return (3 * np.array(shown) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def reader() -> PictureReader:
    labels = [name for name, _, _ in SHOWN]
    network = train_picture_reader([photos(1)], labels, CAPTIONS, FACTS, seed=1, num_steps=150)
    return PictureReader(network, FACTS, "0" * 64)


def test_it_reads_species_and_colours(reader: PictureReader) -> None:
    names = reader.name_scores(photos(2)).argmax(1)
    assert [SPECIES[i] for i in names] == [name for name, _, _ in SHOWN]
    scores = reader.colour_scores(photos(2))
    np.testing.assert_allclose(scores.sum(2), 1, atol=1e-5)
    read = [(COLOURS[head], COLOURS[wings]) for head, wings in scores.argmax(2)]
    assert np.mean([pair == shown[1:] for pair, shown in zip(read, SHOWN, strict=True)]) > 0.9


def test_photo_without_label_or_colour_teaches_what_else_it_has() -> None:
    labels = [None] * len(SHOWN)
    network = train_picture_reader([photos(1)], labels, CAPTIONS, FACTS, seed=1, num_steps=2)
    assert all(weight.isfinite().all() for weight in network.parameters())
    silent = train_picture_reader(
        [photos(1)], [n for n, _, _ in SHOWN], [["a bird"]] * len(SHOWN), FACTS, seed=1, num_steps=2
    )
    assert all(weight.isfinite().all() for weight in silent.parameters())


def test_saved_reader_is_loaded_with_its_facts(reader: PictureReader, tmp_path: Path) -> None:
    reader.save(tmp_path / "r")
    loaded = load_picture_reader(tmp_path / "r")
    assert loaded.facts == FACTS
    assert loaded.classes_of("toys") == SPECIES and loaded.classes_of("other") == ()
    np.testing.assert_allclose(loaded.colour_scores(photos(2)), reader.colour_scores(photos(2)), atol=0.05)


def test_file_of_something_else_is_no_reader(reader: PictureReader, tmp_path: Path) -> None:
    write_weights(tmp_path / "other", {"a": torch.ones(2)}, {"name": "x"})
    PictureReader(reader.network, replace(FACTS, parts=("head",)), "0" * 64).save(tmp_path / "short")
    for name in ("other", "short"):
        with pytest.raises(TrainingError, match="is no picture reader"):
            load_picture_reader(tmp_path / name)
