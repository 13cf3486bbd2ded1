"""What a run is built of: pictures, captions, frozen features, the guide and the recipe."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from rich.console import Console
from torch import nn

from creativeai.data import CaptionedImages
from creativeai.errors import TrainingError
from creativeai.evaluation.matcher import Matcher
from creativeai.models.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0
from creativeai.recipes.contract import BuildContext, Guide, Recipe, View
from creativeai.recipes.registry import find_recipe
from creativeai.reporting import reporting
from creativeai.text.encoder import load_text_encoder
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint
from creativeai.training.feed import sentence_sample
from creativeai.training.guiding import guide_of
from creativeai.training.processes import failing_together
from creativeai.training.run import Run, open_run, run_as_of
from creativeai.training.shared_weights import share_state
from creativeai.training.texts import TrainingTexts, training_texts, unreadable_captions

__all__ = [
    "Materials",
    "Pictures",
    "build_recipe",
    "labels_of",
    "load_materials",
    "load_pictures",
    "say",
]

_FEWEST_HELD_OUT, _FEWEST_TRAINED_ON = 16, 4
_NUM_FITTED = 2000
"""Sentence vectors by which text inputs are standardised; more hardly move their mean and deviation."""
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Pictures:
    """What every kind of run reads: pictures with their captions, and frozen features."""

    dataset: CaptionedImages
    feature_network: EfficientNetLite0
    images: np.ndarray
    """uint8 [N, R, R, 3] at the run's resolution."""
    labels: np.ndarray
    """int64 [N] class of every picture; a class of its own for one that has none."""
    train: np.ndarray
    """Positions of the pictures to train on."""
    held_out: np.ndarray
    """Positions of those to measure with."""


@dataclass(frozen=True)
class Materials:
    """What a generator's run reads: the pictures, and their captions as vectors."""

    dataset: CaptionedImages
    feature_network: EfficientNetLite0
    images: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    texts: TrainingTexts
    """What is shown of them while training."""
    bank: CaptionBank
    """Encodes them by the run's text encoder."""


def load_pictures(run: Run, console: Console, device: torch.device = _CPU) -> Pictures:
    """Open the run's dataset, and put the feature network on the device.

    Raises:
        TrainingError: The dataset is not the one that the run began with, or has too few pictures.
        DataError: It can't be read or lacks the resolution.
    """
    dataset = CaptionedImages.open(run.dataset)
    if dataset.meta.digest != run.dataset_digest:
        raise TrainingError(f"{run.dataset} has changed since {run.folder} began: start a new run on it")
    images = dataset.images(run.config.resolution)
    train, held_out = dataset.indices("train"), dataset.indices("validation")
    if len(train) < _FEWEST_TRAINED_ON:
        raise TrainingError(
            f"{run.dataset} has {len(train)} pictures to train on: at least {_FEWEST_TRAINED_ON} are needed"
        )
    if len(held_out) < _FEWEST_HELD_OUT:
        say(
            console,
            f"only {len(held_out)} pictures are held out: "
            "measuring on the training pictures, which flatters the model",
        )
        held_out = train
    network = load_efficientnet_lite0().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Pictures(dataset, network, images, labels_of(dataset), train, held_out)


def load_materials(run: Run, console: Console, device: torch.device = _CPU) -> Materials:
    """The run's pictures, and their captions, each to be encoded when it is first shown.

    Captions of which the text encoder can read no word are left out, and so are pictures that have no other.

    Raises:
        TrainingError: As `load_pictures`.
        DataError: As `load_pictures`.
    """
    pictures = load_pictures(run, console, device)
    encoder = load_text_encoder(run.text_encoder, run.text_folder)
    bank = CaptionBank(encoder, pictures.dataset.path, with_words=find_recipe(run.recipe).uses_words)
    texts = training_texts(pictures.dataset, run.config.text_augmentation, bank.knows)
    if unreadable := unreadable_captions(pictures.dataset, bank.knows):
        say(console, f"the text encoder {encoder.name} can read no word of {unreadable}")
    train, held_out = (
        np.array([row for row in rows if any(texts.captions[row])], np.int64)
        for rows in (pictures.train, pictures.held_out)
    )
    if len(train) < _FEWEST_TRAINED_ON:
        raise TrainingError(
            f"the text encoder {encoder.name} can read the captions of {len(train)} pictures only: at least "
            f"{_FEWEST_TRAINED_ON} are needed; mend the captions, or take another encoder"
        )
    pictures = replace(pictures, train=train, held_out=held_out if len(held_out) else train)
    return Materials(**vars(pictures), texts=texts, bank=bank)


def labels_of(dataset: CaptionedImages) -> np.ndarray:
    """Class of every picture, int64 [N]; a picture without a label is a class of its own."""
    names = [record.label or f"picture {index}" for index, record in enumerate(dataset.records)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def build_recipe(run: Run, materials: Materials, console: Console) -> Recipe:
    """The run's networks and losses, freshly initialised from the run's seed.

    Raises:
        TrainingError: The configuration doesn't fit what the run is given to build upon.
    """
    guides: list[Matcher] = []

    def load_guide(view: View, num_steps: int) -> Matcher:
        # Forked: the networks' first weights follow from the run's seed, be the guide trained or read.
        with torch.random.fork_rng(devices=[]):
            guide = guide_of(run, materials.dataset, materials.images, console, view, num_steps)
        guide.network.to(materials.feature_network.head.weight.device)
        guides.append(guide)
        return guide

    text_dim = materials.bank.dim
    with failing_together():
        context = BuildContext(
            text_dim=text_dim,
            num_pictures=len(materials.train),
            feature_network=materials.feature_network,
            load_guide=load_guide,
            text_folder=run.text_folder,
            first_stage=load_first_stage(run, materials),
        )
        torch.manual_seed(run.seed)
        try:
            recipe = find_recipe(run.recipe).build(run.config, context)
        except ValueError as error:
            raise TrainingError(f"this configuration can't be: {error}") from error
    for guide in guides:
        share_state(guide.network)
    with reporting(console, "encoding captions", unit="captions") as advance:
        recipe.fit_text(
            sentence_sample(
                materials.texts,
                materials.bank,
                materials.train,
                run.config.learning.batch_size,
                run.seed,
                _NUM_FITTED,
                advance,
            )
        )
    return recipe


def load_first_stage(run: Run, materials: Materials) -> nn.Module | None:
    """The trained generator that the run builds upon, if it was given one.

    Raises:
        TrainingError: It has no checkpoint, or another text encoder.
    """
    if run.first_stage_folder is None:
        return None
    first = open_run(run.first_stage_folder)
    ours, theirs = (load_text_encoder(one.text_encoder, one.text_folder) for one in (run, first))
    if ours.digest != theirs.digest:
        raise TrainingError(
            f"the first stage {run.first_stage_source} was trained with the text encoder {theirs.name}, this "
            f"run has {ours.name}: train both with the same, --text-encoder"
        )
    text_dim = materials.bank.dim
    context = BuildContext(
        text_dim=text_dim,
        num_pictures=len(materials.train),
        feature_network=materials.feature_network,
        load_guide=_no_guide,
        text_folder=first.text_folder,
        first_stage=load_first_stage(first, materials),
    )
    checkpoint = load_checkpoint(chosen_checkpoint(first.folder))
    config = run_as_of(first, checkpoint).config
    generator = find_recipe(first.recipe).build(config, context).generator
    generator.load_state_dict(checkpoint["ema"])
    return generator.eval().requires_grad_(False)


def _no_guide(view: View, num_steps: int) -> Guide:
    """In place of the guide of a trained generator, which needs none any more."""
    raise AssertionError("a trained generator has no guide")


def say(console: Console, line: str) -> None:
    """Print a line as it is: paths may hold what Rich takes for markup, and are not to be broken."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
