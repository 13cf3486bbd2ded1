"""Training pictures per second: our step against the same step in plain eager fp32 NCHW.

    python benchmarks/training_speed.py --recipe NAME [--preset compact] [--data DATASET] [--batch-size N]
        [--steps 12] [--profile]

All train the same recipe with the same batch in the same process, in turns, so that a machine that slows down
slows all. Without --data the pictures and the captions' vectors are random, which is as fast.

- ours is what `creativeai train` runs here: bfloat16, channels last, torch.compile, freed memory kept;
- eager is the same step as PyTorch runs it by default: eager, float32, NCHW, memory as the C library has it;
- written_out is eager too, and as one would write it from the paper: upsampling and convolution apart,
  depthwise convolutions as PyTorch has them, and for the classic recipes the passes in the authors' order
  (see `written_out_step`).

--profile says which operations our step spends its time in.
"""

import argparse
import ctypes
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from creativeai.data import CaptionedImages
from creativeai.models import efficientnet_lite
from creativeai.models.conditioning import sentence_tensors
from creativeai.models.damsm import DamsmImageHeads, Lite0Trunk, VectorAdapter
from creativeai.models.generator_output import noise_dim_of
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch, BuildContext, Recipe
from creativeai.recipes.encoders.damsm_config import DamsmConfig
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, guide_bytes
from creativeai.recipes.registry import find_preset, find_recipe
from creativeai.text import load_text_encoder
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.command import keep_freed_memory
from creativeai.training.feed import Feed
from creativeai.training.gan_task import GanTask, gan_state
from creativeai.training.materials import labels_of
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.sample_sheet import SampleSheet
from creativeai.training.settings import apply_settings
from creativeai.training.texts import CaptionKinds, TrainingTexts, training_texts
from measuring import report
from random_encoder import RandomEncoder
from written_out import can_be_written_out, plain_convolutions, written_out_step

PLAIN = Precision(torch.device("cpu"), False, False, torch.contiguous_format)
NUM_RANDOM, DAMSM_DIM, DAMSM_WORDS = 64, 256, 18
NUM_PROFILED = 30
GLIBC_DEFAULTS = {-1: 64 << 20, -3: 32 << 20, -4: 65536}
"""mallopt's trim and mmap thresholds, to which they rise by themselves, and its number of mmapped blocks."""
NUM_WARM_UP = 2
"""Turns that compile and fill caches."""
Step = Callable[[], Any]


class PlainFeed(Feed):
    """A feed whose pictures are NCHW in memory."""

    def batch(self, step: int, device: torch.device) -> Batch:
        """The batch of a step."""
        batch = super().batch(step, device)
        return replace(batch, images=batch.images.contiguous())


def random_feed(config: Any, noise_dim: int, kind: type[Feed], cache: Path, *, with_swapped: bool) -> Feed:
    """Random pictures, and captions with vectors as long as DAMSM's."""
    rng = np.random.default_rng(0)
    side = config.resolution
    written = [f"a red bird with black wings {i}" for i in range(NUM_RANDOM)]
    captions: list[CaptionKinds] = [((caption,), (), ()) for caption in written]
    bank = CaptionBank(RandomEncoder(DAMSM_DIM, DAMSM_WORDS), cache, with_words=True)
    return kind(
        rng.integers(0, 256, (NUM_RANDOM, side, side, 3), dtype=np.uint8),
        TrainingTexts(captions, config.text_augmentation, bank.knows),
        bank,
        np.arange(NUM_RANDOM),
        np.arange(NUM_RANDOM),
        config.learning.batch_size,
        noise_dim,
        seed=0,
        with_swapped=with_swapped,
    )


def dataset_feed(data: Path, name: str, config: Any, noise_dim: int, kind: type[Feed]) -> Feed:
    """A prepared dataset's pictures, and their captions by MiniLM."""
    dataset = CaptionedImages.open(data)
    entry = find_recipe(name)
    bank = CaptionBank(load_text_encoder("minilm"), data, with_words=entry.uses_words)
    return kind(
        dataset.images(config.resolution),
        training_texts(dataset, config.text_augmentation, bank.knows),
        bank,
        labels_of(dataset),
        dataset.indices("train"),
        config.learning.batch_size,
        noise_dim,
        seed=0,
        with_swapped=entry.uses_swapped(config),
    )


def build_recipe(
    name: str, config: Any, text_dim: int, features: efficientnet_lite.EfficientNetLite0
) -> Recipe:
    """The recipe with random weights, those that it builds upon among them."""
    entry = find_recipe(name)
    first_stage = None
    if entry.builds_on_first_stage:
        first_config = find_preset(find_recipe("stackgan_stage1"), "paper")
        first_stage = build_recipe("stackgan_stage1", first_config, text_dim, features).generator
        first_stage.eval().requires_grad_(False)
    with tempfile.TemporaryDirectory() as folder:
        if hasattr(config, "damsm_weight"):
            heads = DamsmImageHeads(Lite0Trunk.region_channels, Lite0Trunk.global_channels, DAMSM_DIM)
            adapter = None if text_dim == DAMSM_DIM else VectorAdapter(text_dim, DAMSM_DIM)
            (Path(folder) / GUIDE_NAME).write_bytes(guide_bytes(DamsmConfig(), heads, adapter))
        context = BuildContext(
            text_dim=text_dim,
            num_pictures=NUM_RANDOM,
            feature_network=features,
            load_guide=_no_guide,
            text_folder=Path(folder),
            first_stage=first_stage,
        )
        torch.manual_seed(0)
        return entry.build(config, context)


def _no_guide(*_: Any) -> Any:
    raise ValueError("training a guide is no part of a step")


def make_contiguous(_: torch.nn.Module, inputs: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(x.contiguous() if isinstance(x, Tensor) else x for x in inputs)


def build_task(name: str, config: Any, data: Path | None, precision: Precision) -> GanTask:
    """The recipe at work as `creativeai train` has it, without judge and samples."""
    features = efficientnet_lite.load_efficientnet_lite0()
    precision.place(features)
    kind = Feed
    if precision.memory_format is torch.contiguous_format:
        kind = PlainFeed
        features.register_forward_pre_hook(make_contiguous)
    if data is None:
        swapped = find_recipe(name).uses_swapped(config)
        feed = random_feed(config, 1, kind, Path(tempfile.mkdtemp()), with_swapped=swapped)
    else:
        feed = dataset_feed(data, name, config, 1, kind)
    recipe = build_recipe(name, config, feed.bank.dim, features)
    feed = replace(feed, noise_dim=noise_dim_of(recipe.generator))
    no_sheet = SampleSheet(torch.empty(0), sentence_tensors(torch.empty(0, 0)), torch.empty(0), [], [])
    state = gan_state(recipe, config.learning.ema_half_life, precision)
    return GanTask(recipe, state, feed, no_sheet, None, precision)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """What `creativeai train` tells glibc, and behind it what glibc comes to by itself with large blocks."""
    keep_freed_memory()
    yield
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, value in GLIBC_DEFAULTS.items():
            libc.mallopt(parameter, value)


def seconds_of(step: Step) -> tuple[float, float]:
    """By the clock, and of processor time."""
    start, cpu_start = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - start, time.process_time() - cpu_start


def print_profile(step: Step) -> None:
    """The operations of one step that take the most time by themselves, by the shapes they work on."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        step()
    by_shape = profiler.key_averages(group_by_input_shape=True)
    by_shape = sorted(by_shape, key=lambda event: event.self_cpu_time_total, reverse=True)
    total = sum(event.self_cpu_time_total for event in by_shape)
    for event in by_shape[:NUM_PROFILED]:
        shapes = [shape for shape in event.input_shapes if shape][:3]
        print(
            f"{event.self_cpu_time_total / total:6.1%} {event.self_cpu_time_total / 1000:8.1f} ms "
            f"{event.count:4} x {event.key} {shapes}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="projected_gan")
    parser.add_argument("--preset", default="compact")
    parser.add_argument("--data", type=Path, help="a prepared dataset; random pictures when left out")
    parser.add_argument("--batch-size", type=int, help="the preset's own when left out")
    parser.add_argument("--steps", type=int, default=12, help="measured steps of each")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="force torch.compile")
    parser.add_argument("--profile", action="store_true", help="also profile our step")
    arguments = parser.parse_args()
    console = Console(stderr=True)

    config = find_preset(find_recipe(arguments.recipe), arguments.preset)
    # The guide is a fraction of a percent of a step, and minutes of training beforehand.
    settings = ["matching_weight=0"] if hasattr(config, "matching_weight") else []
    if arguments.batch_size:
        settings.append(f"learning.batch_size={arguments.batch_size}")
    config = apply_settings(config, settings)

    def task(precision: Precision) -> GanTask:
        return build_task(arguments.recipe, config, arguments.data, precision)

    ours = task(choose_precision(arguments.compile))
    steps: dict[str, Step] = {"ours": ours.step, "eager": task(PLAIN).step}
    if not isinstance(ours.recipe, ConditionalGan):
        steps["written_out"] = task(PLAIN).step
    elif can_be_written_out(ours.recipe):
        steps["written_out"] = written_out_step(task(PLAIN))
    manners = {"ours": freed_memory_kept, "written_out": plain_convolutions}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for turn in range(arguments.steps + NUM_WARM_UP):
        for name, step in steps.items():
            with manners.get(name, nullcontext)():
                times[name].append(seconds_of(step))
        told = "  ".join(
            f"{name} {taken[-1][0]:.2f} s (cpu {taken[-1][1]:.2f})" for name, taken in times.items()
        )
        console.print(f"turn {turn}: {told}")
    if arguments.profile:
        print_profile(ours.step)
    size = config.learning.batch_size
    medians = {
        name: [statistics.median(column) for column in zip(*taken[NUM_WARM_UP:], strict=True)]
        for name, taken in times.items()
    }
    rates = {name: size / wall for name, (wall, _) in medians.items()}
    ratios = {name: rates["ours"] / rate for name, rate in rates.items() if name != "ours"}
    told = ", ".join(f"{ratio:.2f} times {name} ({rates[name]:.2f})" for name, ratio in ratios.items())
    report(
        "training_speed",
        f"{arguments.recipe} {arguments.preset}, batch {size}: {rates['ours']:.2f} pictures/s, {told}",
        recipe=arguments.recipe,
        preset=arguments.preset,
        batch_size=size,
        **{f"{name}_pictures_per_second": round(rate, 3) for name, rate in rates.items()},
        **{f"times_{name}": round(ratio, 3) for name, ratio in ratios.items()},
        cpu_seconds_of_a_step={name: round(cpu, 3) for name, (_, cpu) in medians.items()},
    )


if __name__ == "__main__":
    main()
