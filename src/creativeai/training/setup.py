"""From a command to a training under way: dataset, captions, matchers, recipe, state, and then the loop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from creativeai.data import CaptionedImages
from creativeai.errors import TrainingError
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.judge import Judge
from creativeai.evaluation.matcher_training import train_matcher
from creativeai.models.conditioning import sentence_tensors
from creativeai.models.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0
from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import TextImageMatcher
from creativeai.recipes.contract import BuildContext, Recipe
from creativeai.recipes.registry import find_recipe
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.text.encoder import load_text_encoder
from creativeai.training.captions import encode_captions
from creativeai.training.checkpoints import list_checkpoints, load_checkpoint, load_newest
from creativeai.training.feed import Feed
from creativeai.training.fit import Budget, SampleSheet, Schedule, TrainingState, fit
from creativeai.training.monitor import Monitor
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.run import Run, create_run, sole_trainer, write_run
from creativeai.training.settings import apply_settings

__all__ = ["Materials", "build_judge", "build_recipe", "load_materials", "resume_run", "start_run"]

_JUDGE_SEED, _GUIDE_SEED = 2, 1
# Enough for thousands of pictures; a smaller dataset would only be learned by heart.
_MOST_JUDGE_STEPS, _JUDGE_STEPS_PER_PICTURE = 900, 4
_FEWEST_HELD_OUT = 16
_SHEET_ROWS, _SHEET_COLUMNS = 8, 8


@dataclass(frozen=True)
class Materials:
    """What every part of a run reads: pictures, captions, frozen features."""

    dataset: CaptionedImages
    captions: CaptionVectors
    feature_network: EfficientNetLite0
    images: np.ndarray
    """uint8 [N, R, R, 3] at the run's resolution."""
    train: np.ndarray
    """Positions of the pictures to train on."""
    held_out: np.ndarray
    """Positions of those to measure with."""


def start_run(
    run: Run,
    *,
    schedule: Schedule,
    console: Console,
    use_compile: bool | None = None,
    initial: Path | None = None,
) -> None:
    """Create a run and train it.

    Args:
        run: What to train; its folder must not exist.
        schedule: How often to log, sample, save and measure.
        console: Where progress is shown.
        use_compile: Force `torch.compile` on or off.
        initial: A run whose best weights are the start, as far as names and shapes agree.

    Raises:
        TrainingError: The folder exists, or the training stopped on a loss that isn't finite.
        DataError: The dataset lacks the resolution, or pictures to train on.
    """
    materials = load_materials(run, console)
    create_run(run)
    with sole_trainer(run):
        _train(run, materials, schedule, console, choose_precision(use_compile), initial)


def resume_run(
    run: Run,
    *,
    settings: Sequence[str],
    num_steps: int | None,
    minutes: float | None,
    schedule: Schedule,
    console: Console,
    use_compile: bool | None = None,
) -> None:
    """Go on with a run from its newest whole checkpoint.

    Args:
        run: The run, as `open_run` gave it.
        settings: Changes of the configuration from here on.
        num_steps: New bound of steps in all; with neither bound, what the run was asked for before.
        minutes: Minutes from here on.
        schedule: How often to log, sample, save and measure.
        console: Where progress is shown.
        use_compile: Force `torch.compile` on or off.

    Raises:
        TrainingError: The dataset has changed, or the checkpoint doesn't fit.
        DataError: The dataset can't be read.
    """
    materials = load_materials(run, console)
    changed = replace(run, config=apply_settings(run.config, settings))
    if num_steps is not None or minutes is not None:
        spent = load_newest(run.checkpoints)
        seconds = spent["seconds"] if spent and minutes is not None else 0.0
        changed = replace(
            changed, num_steps=num_steps, minutes=None if minutes is None else minutes + seconds / 60
        )
    with sole_trainer(run):
        if changed != run:
            write_run(changed)
        _train(changed, materials, schedule, console, choose_precision(use_compile), None)


def load_materials(run: Run, console: Console) -> Materials:
    """Open the run's dataset and encode its captions.

    Raises:
        TrainingError: The dataset is not the one that the run began with, or has too few pictures.
        DataError: It can't be read or lacks the resolution.
    """
    dataset = CaptionedImages.open(run.dataset)
    if dataset.meta.digest != run.dataset_digest:
        raise TrainingError(f"{run.dataset} has changed since {run.folder} began: start a new run on it")
    images = dataset.images(run.config.resolution)
    train, held_out = dataset.indices("train"), dataset.indices("val")
    if len(train) < 2:
        raise TrainingError(f"{run.dataset} has {len(train)} pictures to train on: at least 2 are needed")
    if len(held_out) < _FEWEST_HELD_OUT:
        console.print(
            f"only {len(held_out)} pictures are held out: "
            "measuring on the training pictures, which flatters the model"
        )
        held_out = train
    encoder = load_text_encoder(run.text_encoder)
    with _progress(console, "encoding captions") as advance:
        captions = encode_captions(dataset, encoder, advance)
    return Materials(dataset, captions, load_efficientnet_lite0(), images, train, held_out)


def build_recipe(run: Run, materials: Materials, console: Console) -> Recipe:
    """The run's networks and losses, freshly initialised from the run's seed."""

    def train_guide(describe: Callable[[Tensor], Tensor], num_steps: int) -> TextImageMatcher:
        return _matcher(run, materials, console, "guide", describe, num_steps, num_views=4)

    materials.feature_network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    text_dim = materials.captions.sentences.shape[-1]
    context = BuildContext(text_dim, materials.feature_network, train_guide)
    torch.manual_seed(run.seed)
    recipe = find_recipe(run.recipe).build(run.config, context)
    rows = materials.captions.rows_of(materials.train)
    recipe.fit_text(torch.from_numpy(materials.captions.sentences[rows, 0]))
    return recipe


def build_judge(run: Run, materials: Materials, console: Console) -> Judge:
    """The run's judge, with a matcher of its own that no generator learns from."""
    extractor = FeatureExtractor(materials.feature_network)

    def describe(images: Tensor) -> Tensor:
        return extractor(images).descriptions

    num_steps = min(_MOST_JUDGE_STEPS, _JUDGE_STEPS_PER_PICTURE * len(materials.train))
    matcher = _matcher(run, materials, console, "judge", describe, num_steps, num_views=2)
    num_generated = min(1024, max(64, 3 * len(materials.held_out)))
    return Judge(extractor, matcher, materials.images, materials.captions, materials.held_out, num_generated)


def _train(
    run: Run,
    materials: Materials,
    schedule: Schedule,
    console: Console,
    precision: Precision,
    initial: Path | None,
) -> None:
    recipe = build_recipe(run, materials, console)
    judge = build_judge(run, materials, console)
    materials.feature_network.to(precision.device)
    state = TrainingState.start(recipe, run.config.ema_half_life, precision)
    checkpoint = load_newest(run.checkpoints)
    if checkpoint is not None:
        state.load_state_dict(checkpoint)
    elif initial is not None:
        _start_from(state, initial, console)
    budget = Budget(run.num_steps, None if run.minutes is None else run.minutes - state.seconds / 60)
    feed = Feed(
        materials.images,
        materials.captions,
        materials.train,
        run.config.batch_size,
        run.config.noise_dim,
        run.seed,
    )
    sheet = _sample_sheet(run, materials)
    console.print(
        f"training {run.recipe} ({run.preset}) on {len(materials.train)} pictures of "
        f"{materials.dataset.name} from step {state.step}; "
        f"look with: tensorboard --logdir {run.folder.parent}",
        soft_wrap=True,
        highlight=False,
    )
    with Monitor(run.folder, console) as monitor:
        fit(state, feed, judge, sheet, precision, budget, schedule, monitor, run.folder)


def _start_from(state: TrainingState, initial: Path, console: Console) -> None:
    """Take over the generator and discriminator of another run where names and shapes agree."""
    found = list_checkpoints(initial / "checkpoints", "best") or list_checkpoints(initial / "checkpoints")
    if not found:
        raise TrainingError(f"{initial} has no checkpoint to start from")
    source = load_checkpoint(found[-1])
    taken = skipped = 0
    for network, name in ((state.recipe.generator, "ema"), (state.recipe.discriminator, "discriminator")):
        own = network.state_dict()
        fitting = {k: v for k, v in source[name].items() if k in own and own[k].shape == v.shape}
        network.load_state_dict({**own, **fitting})
        taken, skipped = taken + len(fitting), skipped + len(own) - len(fitting)
    state.ema.network.load_state_dict(state.recipe.generator.state_dict())
    console.print(f"starting from {found[-1]}: {taken} tensors taken over, {skipped} new")


def _matcher(
    run: Run,
    materials: Materials,
    console: Console,
    name: str,
    describe: Callable[[Tensor], Tensor],
    num_steps: int,
    num_views: int,
) -> TextImageMatcher:
    """The matcher kept in the run's folder under this name, trained if it isn't there yet."""
    file = run.folder / f"{name}.pt"
    text_dim = materials.captions.sentences.shape[-1]
    if file.exists():
        matcher = TextImageMatcher(text_dim)
        matcher.load_state_dict(torch.load(file, weights_only=True))
        return matcher.eval().requires_grad_(False)
    seed = {"judge": _JUDGE_SEED, "guide": _GUIDE_SEED}[name]
    with _progress(console, f"training the {name}'s text-image matcher") as advance:
        matcher = train_matcher(
            materials.images,
            materials.captions,
            materials.train,
            describe,
            seed,
            num_views,
            num_steps,
            advance,
        )
    temporary = file.with_suffix(".tmp")
    torch.save(matcher.state_dict(), temporary)
    temporary.replace(file)
    return matcher


def _sample_sheet(run: Run, materials: Materials) -> SampleSheet:
    pictures = np.random.default_rng(run.seed).permutation(materials.held_out)[:_SHEET_ROWS]
    sentences = torch.from_numpy(materials.captions.of(pictures)).repeat_interleave(_SHEET_COLUMNS, 0)
    random = torch.Generator().manual_seed(run.seed)
    return SampleSheet(
        noise=torch.randn(len(sentences), run.config.noise_dim, generator=random),
        text=sentence_tensors(sentences),
        photos=pixels_to_tensor(materials.images[pictures]),
        captions=[materials.dataset.records[i].captions[0] for i in pictures],
    )


class _progress:
    """A progress bar as a callback for (done, total)."""

    def __init__(self, console: Console, description: str) -> None:
        self._progress = Progress(console=console, transient=True)
        self._task = self._progress.add_task(description, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self._progress.start()
        return lambda done, total: self._progress.update(self._task, completed=done, total=total)

    def __exit__(self, *_: Any) -> None:
        self._progress.stop()
