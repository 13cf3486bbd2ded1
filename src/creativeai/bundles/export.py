"""From a run to a bundle: the averaged generator as ONNX, its manifest, model card and sample grid."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from rich.console import Console

from creativeai.bundles.export_curves import training_curve, training_end
from creativeai.bundles.export_parts import NUM_EXAMPLES, check_fields, example_grid
from creativeai.bundles.manifest import GENERATOR_NAME, TEXT_FOLDER, DatasetSummary
from creativeai.bundles.model_card import model_card
from creativeai.bundles.onnx_export import generator_to_onnx
from creativeai.bundles.reader import Bundle
from creativeai.bundles.writer import refuse_existing, write_bundle
from creativeai.data import CaptionedImages
from creativeai.errors import BundleError, EvaluationError
from creativeai.evaluation.card import CARD_NAME, GRID_NAME, card_bytes, card_metrics
from creativeai.evaluation.evaluate import Evaluated, evaluate_bundle, prepare_evaluation
from creativeai.evaluation.judge import measurement_of
from creativeai.evaluation.load_judges import load_judges
from creativeai.models.generator_output import noise_dim_of
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME
from creativeai.recipes.registry import find_recipe
from creativeai.text.encoder import SHIPPED_NAMES, load_text_encoder
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint
from creativeai.training.materials import Materials, build_recipe, load_materials, say
from creativeai.training.run import Run, run_as_of
from creativeai.training.settings import config_to_dict
from creativeai.training.state import Trained

__all__ = ["ExportOptions", "export_run"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What a bundle says that a run doesn't know."""

    name: str
    """The model's name: lower-case letters, digits, `-`, `_` and `.`."""
    title: str | None = None
    """One line for people; by default made of recipe and dataset."""
    description: str | None = None
    """What it draws and what it can't."""
    examples: tuple[str, ...] = ()
    """Sentences that the page offers; by default held-out captions."""
    default_truncation: float = 1.0
    """Variety that pictures are made with unless something else is asked for."""
    use_newest: bool = False
    """Take the newest checkpoint instead of the best."""


def export_run(run: Run, out: Path, options: ExportOptions, console: Console) -> Bundle:
    """Measure the run's averaged generator and write it as a bundle.

    Args:
        run: The run.
        out: Folder to make; must not exist.
        options: Name and words.
        console: Where progress is shown.

    Raises:
        BundleError: `out` exists or can't be written, or a name isn't right.
        TrainingError: The run has no checkpoint, or its dataset has changed.
    """
    refuse_existing(out)
    file = chosen_checkpoint(run.folder, newest=options.use_newest)
    checkpoint = load_checkpoint(file)
    run = run_as_of(run, checkpoint)
    materials = load_materials(run, console)
    examples = options.examples or _held_out_captions(materials)
    summary = _dataset_summary(materials)
    encoder = load_text_encoder(run.text_encoder, run.text_folder)
    generator = build_recipe(run, materials, console).generator
    generator.load_state_dict(checkpoint["ema"])
    generator.eval().requires_grad_(False)
    resolutions = cast(tuple[int, ...], generator.resolutions)
    title = options.title or f"{find_recipe(run.recipe).title} on {summary.title}"
    fields: dict[str, Any] = {
        "name": options.name,
        "title": title,
        "description": options.description
        or f"{title}, {run.config.resolution} x {run.config.resolution} pixels.",
        "recipe": run.recipe,
        "preset": run.preset,
        "noise_dim": noise_dim_of(generator),
        "stages": [{"output": f"image_{side}", "resolution": side} for side in resolutions],
        "text_encoder": {
            "name": encoder.name,
            "digest": encoder.digest,
            "folder": None if encoder.name in SHIPPED_NAMES else TEXT_FOLDER,
        },
        "dataset": vars(summary),
        "training": {
            **Trained.of(checkpoint)._asdict(),
            "earlier_steps": checkpoint["earlier"]["steps"],
            "hyperparameters": config_to_dict(run.config),
        },
        "metrics": {},
        "training_end": training_end(run.folder),
        "default_truncation": options.default_truncation,
        "examples": list(examples),
    }
    check_fields(fields)

    exported = generator_to_onnx(generator, encoder.dim, encoder.max_words)
    fields["attention"] = [
        {"output": f"attention_{side}", "resolution": side} for side in exported.attention_resolutions
    ]
    files: dict[str, bytes | Path] = {
        GENERATOR_NAME: exported.graph,
        "samples.webp": example_grid(generator, examples, encoder, options.default_truncation),
        **_text_files(run),
    }
    say(console, f"measuring {file.name}")
    evaluated = _evaluated(run, materials.dataset, fields, files, console)
    if evaluated is not None:
        figures = evaluated.card.figures
        collapsed = measurement_of(figures, 0, 0).collapsed
        fields["metrics"] = {**card_metrics(evaluated.card), "collapsed": collapsed}
        files |= {CARD_NAME: card_bytes(evaluated.card), GRID_NAME: evaluated.grid}
    files["MODEL_CARD.md"] = model_card(fields).encode()
    return write_bundle(out, fields, files)


def _evaluated(
    run: Run,
    dataset: CaptionedImages,
    fields: dict[str, Any],
    files: dict[str, bytes | Path],
    console: Console,
) -> Evaluated | None:
    """The bundle measured as `creativeai evaluate` does, by its own graph; None without a test photo."""
    judges, notes = load_judges(dataset, console)
    try:
        evaluation = prepare_evaluation(
            dataset, judges, console, num_threads=torch.get_num_threads(), notes=notes
        )
    except EvaluationError as error:
        say(console, f"{error}: the bundle has no figures")
        return None
    with tempfile.TemporaryDirectory() as folder:
        draft = write_bundle(Path(folder) / "bundle", fields, files)
        evaluated = evaluate_bundle(draft, evaluation, console, training_curve(run.folder))
    card = evaluated.card
    return replace(evaluated, card=replace(card, grid=card.grid and replace(card.grid, file=GRID_NAME)))


def _dataset_summary(materials: Materials) -> DatasetSummary:
    meta = materials.dataset.meta
    return DatasetSummary(
        name=meta.name,
        title=meta.title,
        digest=meta.digest,
        licence=meta.licence,
        num_train=len(materials.train),
        num_val=meta.splits.get("validation", 0),
        description=meta.description,
    )


def _text_files(run: Run) -> dict[str, Path]:
    """Files of the user's own text encoder, but not of what only training needs of it."""
    if run.text_folder is None or run.text_encoder in SHIPPED_NAMES:
        return {}
    stated = json.loads((run.text_folder / "encoder.json").read_bytes())["files"]
    return {
        f"{TEXT_FOLDER}/{name}": run.text_folder / name
        for name in ["encoder.json", *stated]
        if name != GUIDE_NAME
    }


def _held_out_captions(materials: Materials) -> tuple[str, ...]:
    captions = [materials.dataset.records[i].all_captions[0] for i in materials.held_out]
    usable = [caption for caption in captions if len(caption) <= 200 and caption.isprintable()]
    if not usable:
        raise BundleError("no held-out caption fits on a page: give sentences with --example")
    return tuple(np.random.default_rng(0).permutation(usable)[:NUM_EXAMPLES].tolist())
