"""A dataset and judges made ready once, and any number of bundles measured with them."""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from creativeai import __version__
from creativeai.bundles import Bundle
from creativeai.bundles.manifest import GENERATOR_NAME
from creativeai.data import CaptionedImages
from creativeai.engine.engine import Engine
from creativeai.errors import EvaluationError
from creativeai.evaluation.card import (
    CARD_NAME,
    SCHEMA_VERSION,
    EvaluatedModel,
    EvaluationCard,
    Figure,
    GridFile,
    no_figure,
    read_card,
)
from creativeai.evaluation.drawing import EngineDraw
from creativeai.evaluation.judges import Judges
from creativeai.evaluation.measure import PhotosSeen, all_figures, draw_all
from creativeai.evaluation.photos import see_photos_of
from creativeai.evaluation.picture_cost import measure_cost
from creativeai.evaluation.protocol import STANDARD, EvaluationProtocol, ProtocolConstants
from creativeai.evaluation.questions import Questions, make_questions
from creativeai.evaluation.realism import FEW_PHOTOS
from creativeai.reporting import reporting

__all__ = ["Evaluated", "Evaluation", "evaluate_bundle", "prepare_evaluation"]

_SPLITS = ("test", "validation")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that is the same for every model of a report."""

    dataset: CaptionedImages
    questions: Questions
    photos: PhotosSeen
    judges: Judges
    protocol: EvaluationProtocol
    num_threads: int
    notes: tuple[str, ...]
    """What to keep in mind of every figure."""


@dataclass(frozen=True)
class Evaluated:
    """One model's card and pictures."""

    card: EvaluationCard
    grid: bytes
    """WebP."""


def prepare_evaluation(
    dataset: CaptionedImages,
    judges: Judges,
    console: Console,
    *,
    num_threads: int,
    num_pictures: int | None = None,
    split: str = "test",
    truncation: float = 1.0,
    seed: int = 0,
    constants: ProtocolConstants = STANDARD,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Choose what is asked for, and look at the photos.

    Args:
        dataset: The prepared dataset.
        judges: Who looks.
        console: Where notes and progress go.
        num_threads: Batches seen at a time; the figures don't depend on it.
        num_pictures: None for as many as the split has photos.
        split: Whose photos, `test` or `validation`.
        truncation: Of every model.
        seed: Of pictures and draws.
        constants: What is the same in every evaluation.
        notes: What to keep in mind of the judges.

    Raises:
        EvaluationError: There is no such split, or no photo in it.
    """
    if split not in _SPLITS:
        raise EvaluationError(f"can't measure on the split {split!r}: use {' or '.join(_SPLITS)}")
    class_names = () if judges.reader is None else judges.reader.class_names
    indices = dataset.indices(split)
    questions = make_questions(dataset, indices, constants, num_pictures, seed, class_names)
    notes = [*notes, *_notes_of(questions, split)]
    for note in notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    photos = see_photos_of(dataset, questions, judges, console, num_threads)
    protocol = EvaluationProtocol(
        constants=constants,
        dataset=dataset.name,
        dataset_digest=dataset.meta.digest,
        split=split,
        num_photos=len(questions.photos),
        num_pictures=len(questions.captions),
        captions_digest=questions.digest,
        seed=seed,
        truncation=truncation,
        networks=judges.digests(),
        software={
            "creativeai": __version__,
            **{name: version(name) for name in ("numpy", "onnxruntime", "torch")},
        },
    )
    return Evaluation(
        dataset=dataset,
        questions=questions,
        photos=photos,
        judges=judges,
        protocol=protocol,
        num_threads=num_threads,
        notes=tuple(notes),
    )


def evaluate_bundle(
    bundle: Bundle, evaluation: Evaluation, console: Console, curve: Sequence[dict[str, Any]] | None = None
) -> Evaluated:
    """Measure a bundle by its own graph.

    Args:
        bundle: The model.
        evaluation: What it is measured with.
        console: Where progress goes.
        curve: Measurements while it trained; by default what the bundle has of them.

    Raises:
        BundleError: The bundle can't be loaded.
        TextError: Nor can its text encoder.
    """
    name, questions, protocol = bundle.manifest.name, evaluation.questions, evaluation.protocol
    draw = EngineDraw(Engine(bundle, evaluation.num_threads), protocol.truncation)
    constants = protocol.constants
    with reporting(console, f"{name}: drawing and seeing pictures") as advance:
        pictures = draw_all(draw, questions, constants, evaluation.judges, evaluation.num_threads, advance)
    with reporting(console, f"{name}: computing figures"):
        figures = all_figures(pictures, questions, evaluation.photos, evaluation.judges, constants)
        figures |= _cost_figures(bundle.path)
    grid = _grid_bytes(pictures.grid, min(constants.grid_columns, questions.num_sentence_seeds))
    notes = [*evaluation.notes, *_domain_notes(bundle, evaluation.dataset)]
    if draw.unread:
        notes.append(
            f"{len(draw.unread)} sentences have no word that {name} can read; it was asked for something "
            "else instead, which counts against it"
        )
    card = EvaluationCard(
        schema_version=SCHEMA_VERSION,
        created=int(time.time()),
        code_version=__version__,
        model=_model_of(bundle, curve),
        protocol=protocol,
        figures=figures,
        notes=tuple(notes),
        grid=_grid_file(f"{name}.grid.webp", grid, questions, constants),
    )
    return Evaluated(card, grid)


def _model_of(bundle: Bundle, curve: Sequence[dict[str, Any]] | None) -> EvaluatedModel:
    manifest = bundle.manifest
    training = manifest.training
    return EvaluatedModel(
        name=manifest.name,
        title=manifest.title,
        digest=manifest.files[GENERATOR_NAME].sha256,
        text_encoder=f"{manifest.text_encoder.name} {manifest.text_encoder.digest}",
        recipe=manifest.recipe,
        preset=manifest.preset,
        resolution=manifest.resolution,
        trained_on=manifest.dataset.name,
        steps=training.steps,
        images_seen=training.images_seen,
        cpu_seconds=training.cpu_seconds,
        curve=tuple(_curve_of(bundle) if curve is None else curve),
    )


def _curve_of(bundle: Bundle) -> Sequence[dict[str, Any]]:
    """The whole training's where the bundle has a card of its own, else the end of it."""
    if CARD_NAME in bundle.manifest.files:
        return read_card(bundle.file(CARD_NAME)).model.curve
    end = bundle.manifest.training_end
    return () if end is None else end.measurements


def _cost_figures(bundle: Path) -> dict[str, Figure]:
    try:
        cost = measure_cost(bundle)
    except (OSError, ValueError) as error:
        return dict.fromkeys(("milliseconds", "megabytes"), no_figure(f"can't be measured: {error}"))
    return {
        "milliseconds": Figure(value=cost.milliseconds, num=cost.num_pictures),
        "megabytes": Figure(value=cost.megabytes, num=cost.num_pictures)
        if cost.megabytes
        else no_figure("this system doesn't tell"),
    }


def _notes_of(questions: Questions, split: str) -> list[str]:
    notes = []
    num = len(questions.photos)
    if num < FEW_PHOTOS:
        notes.append(
            f"only {num} {split} photos: the intervals are wide, and KID and Frechet distance compare with "
            "no other evaluation"
        )
    if len(set(questions.captions)) == 1:
        notes.append("all captions are the same: nothing can be said of how well a model follows them")
    return notes


def _domain_notes(bundle: Bundle, dataset: CaptionedImages) -> list[str]:
    trained_on = bundle.manifest.dataset
    if trained_on.digest == dataset.meta.digest:
        return []
    if trained_on.name == dataset.name:
        return [f"trained on another edition of {dataset.name}: it may have seen some of these photos"]
    return [
        f"trained on {trained_on.name}, not on {dataset.name}: it may draw something else than these photos "
        "show, or have seen some of them"
    ]


def _grid_bytes(pictures: NDArray[np.uint8], num_columns: int) -> bytes:
    num, side = pictures.shape[:2]
    rows = num // num_columns
    tiled = pictures.reshape(rows, num_columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    file = io.BytesIO()
    Image.fromarray(tiled.reshape(rows * side, num_columns * side, 3)).save(
        file, "WEBP", quality=85, method=6
    )
    return file.getvalue()


def _grid_file(name: str, grid: bytes, questions: Questions, constants: ProtocolConstants) -> GridFile:
    columns = min(constants.grid_columns, questions.num_sentence_seeds)
    asked = questions.groups()["sentences"]
    return GridFile(
        file=name,
        sha256=hashlib.sha256(grid).hexdigest(),
        sentences=questions.sentences[: constants.grid_rows],
        seeds=tuple(seed for _, seed in asked[:columns]),
    )
