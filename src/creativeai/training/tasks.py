"""A run's task: its networks as far as they are trained, with what they are trained on."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from creativeai.models.conditioning import text_tensors
from creativeai.models.generator_output import noise_dim_of
from creativeai.models.layers.synced_batch_norm import sync_batch_norms
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.encoders.contract import EncoderContext, EncoderRecipe
from creativeai.recipes.encoders.registry import find_encoder_recipe
from creativeai.recipes.registry import find_recipe, is_encoder
from creativeai.text import load_text_encoder
from creativeai.text.lexicon import SYNONYMS
from creativeai.text.mirroring import mirrored_caption
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint, load_newest
from creativeai.training.encoder_task import EncoderTask, encoder_state
from creativeai.training.feed import CaptionFeed, Feed
from creativeai.training.fit import Task
from creativeai.training.gan_task import GanTask, gan_state
from creativeai.training.judging import build_judge
from creativeai.training.materials import (
    Materials,
    Pictures,
    build_recipe,
    load_materials,
    load_pictures,
    say,
)
from creativeai.training.precision import Precision
from creativeai.training.processes import check_share, failing_together, is_first, is_first_here
from creativeai.training.run import Run
from creativeai.training.sample_sheet import SampleSheet
from creativeai.training.settings import config_to_dict
from creativeai.training.shared_weights import share_state
from creativeai.training.state import Trained, TrainingState
from creativeai.training.texts import training_texts

__all__ = ["build_encoder", "feed_of", "prepare_task", "sample_sheet"]

_SHEET_ROWS, _SHEET_COLUMNS = 8, 8


def prepare_task(run: Run, precision: Precision, console: Console) -> Callable[[], Task]:
    """Read what the run is trained on; what it returns then loads the task, once the run has its folder.

    Raises:
        TrainingError: The dataset is not the one that the run began with, or has too few pictures.
        DataError: It can't be read or lacks the resolution.
    """
    read = _read_for_encoder if is_encoder(run.recipe) else _read_for_gan
    # One process of a machine after the other, so that a complaint is told once.
    for turn in (True, False):
        with failing_together():
            if is_first_here() is turn:
                load_task = read(run, precision, console)
    return load_task


def _read_for_gan(run: Run, precision: Precision, console: Console) -> Callable[[], Task]:
    check_share(run.config.learning.batch_size, in_pairs=True)
    return partial(_gan_task, run, load_materials(run, console, precision.device), precision, console)


def _read_for_encoder(run: Run, precision: Precision, console: Console) -> Callable[[], Task]:
    check_share(run.config.batch_size, in_pairs=False)
    return partial(_encoder_task, run, load_pictures(run, console, precision.device), precision, console)


def _gan_task(run: Run, materials: Materials, precision: Precision, console: Console) -> GanTask:
    recipe = build_recipe(run, materials, console)
    sync_batch_norms(recipe.generator)
    sync_batch_norms(recipe.discriminator)
    state = gan_state(recipe, run.config.learning.ema_half_life, precision)
    _load_weights(run, state, console)
    noise_dim = noise_dim_of(recipe.generator)
    with failing_together():
        judge = build_judge(run, materials, console, precision.device) if is_first() else None
    return GanTask(
        recipe,
        state,
        feed_of(run, materials, noise_dim),
        sample_sheet(run, materials, noise_dim),
        judge,
        precision,
    )


def _encoder_task(run: Run, pictures: Pictures, precision: Precision, console: Console) -> EncoderTask:
    with failing_together():
        recipe = build_encoder(run, pictures)
    sync_batch_norms(recipe.networks)
    state = encoder_state(recipe)
    _load_weights(run, state, console)
    feed = CaptionFeed(
        pictures.images,
        training_texts(pictures.dataset, run.config.text_augmentation, lambda text: True),
        pictures.labels,
        pictures.train,
        run.config.batch_size,
        run.seed,
    )
    return EncoderTask(recipe, state, feed, pictures.held_out, precision.device)


def build_encoder(run: Run, pictures: Pictures) -> EncoderRecipe:
    """A text encoder's networks and loss, freshly initialised from the run's seed."""
    captions = [caption for i in pictures.train for caption in pictures.dataset.records[i].all_captions]
    captions += [mirrored_caption(caption) for caption in captions]
    if run.config.text_augmentation.synonyms:  # a vocabulary must have the words that take others' places
        captions += [word for group in SYNONYMS for word in group]
    torch.manual_seed(run.seed)
    return find_encoder_recipe(run.recipe).build(
        run.config, EncoderContext(pictures.feature_network, captions)
    )


def _load_weights(run: Run, state: TrainingState, console: Console) -> None:
    """From the run's newest whole checkpoint, from the run it starts from, or none; the same for all."""
    state.config = config_to_dict(run.config)
    with failing_together():
        checkpoint = load_newest(run.checkpoints) if is_first() else None
        if checkpoint is not None:
            state.load_state_dict(checkpoint)
        elif run.start_from is not None and is_first():
            _start_from(state, run.start_from, console)
    share_state(state)


def _start_from(state: TrainingState, other: Path, console: Console) -> None:
    """Take over the networks of another run where names and shapes agree."""
    file = chosen_checkpoint(other)
    source = load_checkpoint(file)
    state.earlier = Trained.of(source)
    taken = skipped = 0
    for name, network in state.networks.items():
        saved = source.get("ema" if name == "generator" else name, {})
        own = network.state_dict()
        fitting = {k: v for k, v in saved.items() if k in own and own[k].shape == v.shape}
        network.load_state_dict({**own, **fitting})
        taken, skipped = taken + len(fitting), skipped + len(own) - len(fitting)
    if state.ema is not None:
        state.ema.network.load_state_dict(state.networks["generator"].state_dict())
    say(console, f"starting from {file}: {taken} tensors taken over, {skipped} new")


def feed_of(run: Run, materials: Materials, noise_dim: int) -> Feed:
    """The batches of a run."""
    return Feed(
        materials.images,
        materials.texts,
        materials.bank,
        materials.labels,
        materials.train,
        run.config.learning.batch_size,
        noise_dim,
        run.seed,
        with_swapped=find_recipe(run.recipe).uses_swapped(run.config),
    )


def sample_sheet(run: Run, materials: Materials, noise_dim: int) -> SampleSheet:
    """Eight held-out captions with eight noises each, fixed for the whole run."""
    pictures = np.random.default_rng(run.seed).permutation(materials.held_out)[:_SHEET_ROWS]
    captions = [materials.texts.first(i) for i in pictures]
    text = text_tensors(materials.bank.features(captions))
    random = torch.Generator().manual_seed(run.seed)
    encoder = load_text_encoder(run.text_encoder, run.text_folder)
    return SampleSheet(
        noise=torch.randn(len(pictures) * _SHEET_COLUMNS, noise_dim, generator=random),
        text=text.repeated(_SHEET_COLUMNS),
        photos=pixels_to_tensor(materials.images[pictures]),
        captions=captions,
        words=[encoder.word_places(caption) for caption in captions],
    )
