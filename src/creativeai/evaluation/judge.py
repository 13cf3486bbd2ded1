"""What a training measures now and then, by the functions of `creativeai evaluate`, on validation photos.

The test photos are left alone: the best checkpoint is chosen here, and it would be reported on photos that it
was chosen by.
"""

from dataclasses import dataclass, fields, replace

import torch
from rich.console import Console
from torch import nn

from creativeai.evaluation.card import Figure
from creativeai.evaluation.drawing import GeneratorDraw
from creativeai.evaluation.judges import Judges
from creativeai.evaluation.measure import PhotosSeen, draw_all, main_figures
from creativeai.evaluation.protocol import STANDARD
from creativeai.evaluation.questions import Questions
from creativeai.reporting import reporting

__all__ = [
    "COLLAPSE_RATIO",
    "MOST_PHOTOS",
    "SEED_COLLAPSE_RATIO",
    "TRAINING_CONSTANTS",
    "Judge",
    "Measurement",
    "measurement_of",
    "num_judged",
]

COLLAPSE_RATIO = 0.5
"""Below this share of the real photos' diversity the collapse alarm goes off."""
SEED_COLLAPSE_RATIO = 0.15
"""The same for pictures of one sentence, which are more alike: here the noise is all but ignored."""
TRAINING_CONSTANTS = replace(
    STANDARD, kid_subset_size=500, num_kid_subsets=20, num_sentences=32, num_sentence_seeds=4
)
"""As an evaluation's, but with fewer sentences and subsets: a measurement is not to take long."""
MOST_PHOTOS = 1100
"""Validation photos that are looked at before the first step."""
_MOST_PICTURES, _FEWEST_PICTURES, _PICTURES_A_PHOTO = 1000, 64, 3


@dataclass(frozen=True)
class Measurement:
    """What was measured of one generator on validation captions."""

    fd_lite2: float
    """Frechet distance on EfficientNet-Lite2 features to the photos. Not the FID."""
    kid: float | None
    """Kernel distance x 1000 on the same features; None of too few photos, as everything else that is."""
    kid_error: float | None
    precision: float | None
    recall: float | None
    text_match: float | None
    """How often the right one out of 100 captions is found for a generated picture."""
    swap_preference: float | None
    """How often a picture fits its caption better than the same with colours exchanged."""
    diversity: float
    """Mean cosine distance of generated pictures, divided by that of the photos."""
    seed_diversity: float
    """The same for pictures of one and the same sentence."""
    collapsed: bool
    """The collapse alarm: pictures of different sentences, or of different seeds, are all but the same."""
    num_generated: int
    num_real: int

    def as_dict(self) -> dict[str, float | int | bool]:
        """The figures by name, but for those that could not be measured."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


def measurement_of(figures: dict[str, Figure], num_generated: int, num_real: int) -> Measurement:
    """The figures of an evaluation, or of some of it, and whether the alarm goes off."""
    value = {name: figure.value for name, figure in figures.items()}
    diversity, seed_diversity = value["diversity"] or 0.0, value["seed_diversity"] or 0.0
    return Measurement(
        fd_lite2=value["fd_lite2"] or 0.0,
        kid=value["kid"],
        kid_error=figures["kid"].error,
        precision=value["precision"],
        recall=value["recall"],
        text_match=value["text_match"],
        swap_preference=value["swap_preference"],
        diversity=diversity,
        seed_diversity=seed_diversity,
        collapsed=diversity < COLLAPSE_RATIO or seed_diversity < SEED_COLLAPSE_RATIO,
        num_generated=num_generated,
        num_real=num_real,
    )


def num_judged(num_photos: int) -> int:
    """Pictures that a training draws of so many photos' captions each time it measures."""
    return min(_MOST_PICTURES, max(_FEWEST_PICTURES, _PICTURES_A_PHOTO * num_photos))


class Judge:
    """Measures generators on some photos and their captions, each time with the same sentences and seeds.

    Args:
        judges: The networks that look.
        questions: What is asked for.
        photos: What the networks saw of the photos.
        draw: Draws with a generator.
        console: Where progress goes.
        num_threads: Batches seen at a time.
    """

    def __init__(
        self,
        judges: Judges,
        questions: Questions,
        photos: PhotosSeen,
        draw: GeneratorDraw,
        console: Console,
        num_threads: int = 1,
    ) -> None:
        self.judges, self.questions, self.photos = judges, questions, photos
        self.num_generated = len(questions.captions)
        self._draw, self._console, self._num_threads = draw, console, num_threads

    def measure(self, generator: nn.Module) -> Measurement:
        """Measure a generator in evaluation mode."""
        threads = torch.get_num_threads()
        # On a terminal the training's own bar is there.
        quiet = Console(quiet=True) if self._console.is_terminal else self._console
        with reporting(quiet, "measuring") as tell:
            pictures = draw_all(
                self._draw.by(generator),
                self.questions,
                TRAINING_CONSTANTS,
                self.judges,
                self._num_threads,
                tell,
            )
            torch.set_num_threads(threads)  # what sees pictures sets it for everybody
            figures = main_figures(
                pictures, self.questions, self.photos, self.judges, TRAINING_CONSTANTS, with_intervals=False
            )
        return measurement_of(figures, self.num_generated, len(self.photos.test))
