"""From a text encoder's run to the folder that `--text-encoder` takes."""

import os
from pathlib import Path

from rich.console import Console

from creativeai.bundles.text_export import export_text_encoder
from creativeai.errors import BundleError
from creativeai.recipes.encoders.registry import find_encoder_recipe
from creativeai.text.encoder import TextEncoder
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint
from creativeai.training.materials import load_pictures, say
from creativeai.training.run import Run, run_as_of
from creativeai.training.settings import config_to_dict
from creativeai.training.tasks import build_encoder

__all__ = ["export_encoder_run"]


def export_encoder_run(run: Run, out: Path, console: Console, *, newest: bool = False) -> TextEncoder:
    """Write the run's text encoder as a folder.

    Args:
        run: The run.
        out: Folder to make; must not exist.
        console: Where progress is shown.
        newest: Take the newest checkpoint instead of the best.

    Raises:
        BundleError: `out` exists or can't be written.
        TrainingError: The run has no checkpoint, or its dataset has changed.
    """
    if os.path.lexists(out):
        raise BundleError(f"{out} exists already: remove it or choose another folder")
    file = chosen_checkpoint(run.folder, newest=newest)
    checkpoint = load_checkpoint(file)
    run = run_as_of(run, checkpoint)
    pictures = load_pictures(run, console)
    recipe = build_encoder(run, pictures)
    recipe.networks.load_state_dict(checkpoint["encoder"])
    meta = pictures.dataset.meta
    say(console, f"exporting {file.name}")
    return export_text_encoder(
        recipe.graph(),
        out,
        title=f"{find_encoder_recipe(run.recipe).title} on {meta.title}",
        licence=meta.licence,
        provenance={
            "recipe": run.recipe,
            "preset": run.preset,
            "dataset": meta.name,
            "dataset_digest": meta.digest,
            "steps": checkpoint["step"],
            "seconds": checkpoint["seconds"],
            "hyperparameters": config_to_dict(run.config),
            "metrics": checkpoint.get("measurement", {}),
        },
    )
