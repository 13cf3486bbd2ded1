"""A little evaluation card with a grid of coloured squares, to compare and to damage."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from creativeai.evaluation.card import (
    SCHEMA_VERSION,
    EvaluatedModel,
    EvaluationCard,
    Figure,
    GridFile,
    card_bytes,
    no_figure,
)
from creativeai.evaluation.protocol import STANDARD, EvaluationProtocol

SENTENCES = ("a red bird", "a <blue> bird")
PROTOCOL = EvaluationProtocol(
    constants=STANDARD,
    dataset="blots",
    dataset_digest="d" * 64,
    split="test",
    num_photos=1890,
    num_pictures=1890,
    captions_digest="c" * 64,
    seed=0,
    truncation=1.0,
    networks={"features": "f" * 64, "matcher": "a" * 64},
    software={"creativeai": "0.1.0", "numpy": "2.0", "onnxruntime": "1.2", "torch": "2.13.0"},
)


def grid_bytes(colour: str = "red", rows: int = 2, columns: int = 4) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8 * columns, 8 * rows), colour).save(file, "WEBP")
    return file.getvalue()


def tiny_card(name: str = "birds", kid: float = 12.5, **protocol: Any) -> EvaluationCard:
    """A card whose protocol has these changes."""
    return EvaluationCard(
        schema_version=SCHEMA_VERSION,
        created=1_700_000_000,
        code_version="0.1.0",
        model=EvaluatedModel(
            name=name,
            title=f"The model {name}",
            digest=hashlib.sha256(name.encode()).hexdigest(),
            text_encoder="minilm " + "e" * 64,
            recipe="projected_gan",
            preset="compact",
            resolution=128,
            trained_on="blots",
            steps=100,
            images_seen=3200,
            cpu_seconds=7200.5,
            curve=(
                {"step": 50, "num_seen": 1600, "kid": 2 * kid, "fd_lite2": 50.0},
                {"step": 100, "num_seen": 3200, "kid": kid, "fd_lite2": 30.0},
            ),
        ),
        protocol=replace(PROTOCOL, **protocol),
        figures={
            "kid": Figure(value=kid, low=kid - 1, high=kid + 1, error=0.5, floor=0.2, num=1890),
            "text_match": Figure(
                value=0.19, low=0.17, high=0.21, ceiling=0.88, ceiling_low=0.86, ceiling_high=0.9, chance=0.01
            ),
            "names": no_figure("no class of the dataset is one that the picture reader knows"),
            "milliseconds": Figure(value=14.25, num=40),
        },
        notes=("trained on another edition of blots: it may have seen some of these photos",),
        grid=GridFile(
            file=f"{name}.grid.webp",
            sha256=hashlib.sha256(grid_bytes()).hexdigest(),
            sentences=SENTENCES,
            seeds=(0, 1, 2, 3),
        ),
    )


def write_card(folder: Path, card: EvaluationCard) -> Path:
    """The card's file, with its grid beside it."""
    file = folder / f"{card.model.name}.card.json"
    file.write_bytes(card_bytes(card))
    assert card.grid is not None
    (folder / card.grid.file).write_bytes(grid_bytes())
    return file
