"""A run's judge: it measures on validation photos, by the functions of `creativeai evaluate`."""

import numpy as np
import torch
from rich.console import Console

from creativeai.evaluation.drawing import GeneratorDraw
from creativeai.evaluation.judge import MOST_PHOTOS, TRAINING_CONSTANTS, Judge, num_judged
from creativeai.evaluation.load_judges import load_judges
from creativeai.evaluation.photos import see_photos_of
from creativeai.evaluation.questions import make_questions
from creativeai.text.encoder import load_text_encoder
from creativeai.training.materials import Materials, say
from creativeai.training.run import Run

__all__ = ["build_judge"]

_SEED = 20191


def build_judge(run: Run, materials: Materials, console: Console, device: torch.device) -> Judge:
    """The run's judge.

    Before the first step it only looks at some validation photos, and the second time not even that.

    Args:
        run: The run.
        materials: What it is trained on, and which photos to measure with.
        console: Where progress goes.
        device: Where the generator is.
    """
    dataset = materials.dataset
    judges, notes = load_judges(dataset, console, trains_matcher=False)
    for note in notes:
        say(console, note)
    photos = np.random.default_rng(_SEED).permutation(materials.held_out)[:MOST_PHOTOS]
    questions = make_questions(
        dataset, photos, TRAINING_CONSTANTS, num_judged(len(photos)), _SEED, asks_colours_and_names=False
    )
    num_threads = torch.get_num_threads()
    seen = see_photos_of(dataset, questions, judges, console, num_threads, with_training=False)
    encoder = load_text_encoder(run.text_encoder, run.text_folder)
    return Judge(judges, questions, seen, GeneratorDraw(encoder, device), console, num_threads)
