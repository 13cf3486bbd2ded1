"""The end of a run's curves, for its bundle: the last measurements and losses."""

import math
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from creativeai.bundles.manifest import MAX_MEASUREMENTS
from creativeai.training.metrics_file import last_measurements

__all__ = ["training_curve", "training_end"]

_MOST_POINTS = 60
"""Measurements of a whole training that a card keeps."""
_EVERYTHING = 100_000


def training_end(run: Path) -> dict[str, Any] | None:
    """What a manifest's `training_end` holds, in JSON's types; None for a run that kept no curves.

    Args:
        run: The run's folder, with `metrics.jsonl` and `tensorboard/`. Lines that were half written when a
            training was killed are left out.
    """
    measurements = last_measurements(run, MAX_MEASUREMENTS)
    losses = _last_losses(run / "tensorboard")
    return {"measurements": measurements, "losses": losses} if measurements or losses else None


def training_curve(run: Path) -> list[dict[str, Any]]:
    """Measurements of a whole training, evenly thinned to what a drawing shows; the last one is kept."""
    measured = last_measurements(run, _EVERYTHING)
    if len(measured) <= _MOST_POINTS:
        return measured
    kept = [round(i * (len(measured) - 1) / (_MOST_POINTS - 1)) for i in range(_MOST_POINTS)]
    return [measured[i] for i in kept]


def _last_losses(folder: Path) -> dict[str, float]:
    """Each loss's last mean in the newest of the run's logs that has any: resuming starts another log."""
    for file in sorted(folder.glob("events.out.tfevents.*"), reverse=True):
        losses = {
            value.tag: value.simple_value
            for event in LegacyEventFileLoader(str(file)).Load()
            for value in event.summary.value
            if value.tag.startswith("loss/") and math.isfinite(value.simple_value)
        }
        if losses:
            return losses
    return {}
