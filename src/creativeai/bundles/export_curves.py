"""The end of a run's curves, for its bundle: the last measurements and losses."""

import math
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from creativeai.bundles.manifest import MAX_MEASUREMENTS
from creativeai.training.metrics_file import last_measurements

__all__ = ["training_end"]


def training_end(run: Path) -> dict[str, Any] | None:
    """What a manifest's `training_end` holds, in JSON's types; None for a run that kept no curves.

    Args:
        run: The run's folder, with `metrics.jsonl` and `tensorboard/`. Lines that were half written when a
            training was killed are left out.
    """
    measurements = last_measurements(run, MAX_MEASUREMENTS)
    losses = _last_losses(run / "tensorboard")
    return {"measurements": measurements, "losses": losses} if measurements or losses else None


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
