"""What `creativeai evaluate` does with its options."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from creativeai.bundles import read_bundle
from creativeai.data import CaptionedImages
from creativeai.evaluation.card import EvaluationCard
from creativeai.evaluation.evaluate import evaluate_bundle, prepare_evaluation
from creativeai.evaluation.load_judges import load_judges
from creativeai.evaluation.report import refuse_report, write_report

__all__ = ["EvaluateCommand", "evaluate_models"]


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand:
    """The options as given."""

    models: tuple[Path, ...]
    """Folders of bundles."""
    data: Path
    out: Path
    num_pictures: int | None
    split: str
    truncation: float
    seed: int
    inception: Path | None
    damsm: Path | None
    force: bool


def evaluate_models(command: EvaluateCommand, console: Console) -> tuple[list[EvaluationCard], list[str]]:
    """Measure the models and write their report.

    Returns:
        Their cards, and the name of each in tables.

    Raises:
        UserError: Something that was given can't be used; nothing is written then.
    """
    refuse_report(command.out, force=command.force)
    bundles = [read_bundle(folder) for folder in command.models]
    dataset = CaptionedImages.open(command.data)
    num_threads = os.cpu_count() or 1
    judges, notes = load_judges(dataset, console, command.inception, command.damsm)
    evaluation = prepare_evaluation(
        dataset,
        judges,
        console,
        num_threads=num_threads,
        num_pictures=command.num_pictures,
        split=command.split,
        truncation=command.truncation,
        seed=command.seed,
        notes=notes,
    )
    evaluated = [evaluate_bundle(bundle, evaluation, console) for bundle in bundles]
    labels = write_report(command.out, evaluated, force=command.force)
    return [one.card for one in evaluated], labels
