"""Training pictures per second: our step against the same step in plain eager fp32 NCHW.

    python benchmarks/training_speed.py --data DATASET [--preset compact] [--steps 12]

Both train the same recipe with the same batch in the same process, in turns, so that a machine that slows
down slows both. Ours is what `creativeai train` runs here: bfloat16, channels last, torch.compile. Plain is
the recipe as PyTorch runs it by default: eager, float32, NCHW. A third column takes our two rewritten
convolutions away too (the strided depthwise backward and the fused upsampling), for the step as one would
write it from the paper.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor

from creativeai.data import CaptionedImages
from creativeai.models import efficientnet_lite, projected_gan
from creativeai.models.conditioning import sentence_tensors
from creativeai.recipes.registry import find_preset, find_recipe
from creativeai.text import load_text_encoder
from creativeai.training.captions import encode_captions
from creativeai.training.feed import Feed
from creativeai.training.gan_task import GanTask, gan_state
from creativeai.training.materials import labels_of
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.sample_sheet import SampleSheet
from measuring import report


def make_contiguous(_: torch.nn.Module, inputs: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(x.contiguous() if isinstance(x, Tensor) else x for x in inputs)


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Ordinary PyTorch operations in place of our two rewritten ones."""

    def plain_upsampling(x: Tensor, weight: Tensor) -> Tensor:
        kernel = weight.flip(2, 3).transpose(0, 1)
        return F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), kernel, padding=1)

    def plain_depthwise(x: Tensor, weight: Tensor, bias: Tensor, pads: tuple[int, ...]) -> Tensor:
        return F.conv2d(F.pad(x, pads), weight, bias, 2, 0, 1, weight.shape[0])

    class Plain:
        apply = staticmethod(plain_depthwise)

    ours = projected_gan.upsampling_conv, efficientnet_lite._StridedDepthwise
    projected_gan.upsampling_conv, efficientnet_lite._StridedDepthwise = plain_upsampling, Plain  # type: ignore
    try:
        yield
    finally:
        projected_gan.upsampling_conv, efficientnet_lite._StridedDepthwise = ours  # type: ignore[misc]


def build_step(data: Path, preset: str, precision: Precision) -> tuple[Callable[[], None], int]:
    """A function that takes one training step, and the pictures a step takes."""
    dataset = CaptionedImages.open(data)
    captions = encode_captions(dataset, load_text_encoder("minilm"))
    entry = find_recipe("projected_gan")
    # The guide is a fraction of a percent of a step, and minutes of training beforehand.
    config = replace(find_preset(entry, preset), matching_weight=0.0)
    features = efficientnet_lite.load_efficientnet_lite0().to(memory_format=precision.memory_format)
    torch.manual_seed(0)
    recipe = projected_recipe(config, captions.sentences.shape[-1], features)
    if precision.memory_format is torch.contiguous_format:
        features.register_forward_pre_hook(make_contiguous)
    feed = Feed(
        dataset.images(config.resolution),
        captions,
        labels_of(dataset),
        dataset.indices("train"),
        config.learning.batch_size,
        config.noise_dim,
        seed=0,
    )
    no_sheet = SampleSheet(torch.empty(0), sentence_tensors(torch.empty(0, 0)), torch.empty(0), [])
    state = gan_state(recipe, config.learning.ema_half_life, precision)
    task = GanTask(recipe, state, feed, no_sheet, None, precision)
    return lambda: void(task.step()), config.learning.batch_size


def projected_recipe(config, text_dim: int, features):  # type: ignore[no-untyped-def]
    from creativeai.recipes.projected_gan import ProjectedGanRecipe

    return ProjectedGanRecipe(config, text_dim, features, None, num_pictures=1)


def void(_: object) -> None:
    return None


def seconds_of(step: Callable[[], None]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a prepared dataset")
    parser.add_argument("--preset", default="compact")
    parser.add_argument("--steps", type=int, default=12, help="measured steps of each")
    arguments = parser.parse_args()
    console = Console(stderr=True)

    plain = Precision(torch.device("cpu"), False, False, torch.contiguous_format)
    ours, batch_size = build_step(arguments.data, arguments.preset, choose_precision())
    eager, _ = build_step(arguments.data, arguments.preset, plain)
    written_out, _ = build_step(arguments.data, arguments.preset, plain)
    times: dict[str, list[float]] = {"ours": [], "eager": [], "written_out": []}
    for turn in range(arguments.steps + 2):
        taken = {"ours": seconds_of(ours), "eager": seconds_of(eager)}
        with plain_convolutions():
            taken["written_out"] = seconds_of(written_out)
        console.print(f"turn {turn}: " + "  ".join(f"{name} {value:.2f} s" for name, value in taken.items()))
        if turn >= 2:  # the first two compile and warm up
            for name, value in taken.items():
                times[name].append(value)
    rates = {name: batch_size / statistics.median(values) for name, values in times.items()}
    report(
        "training_speed",
        f"{rates['ours']:.1f} pictures/s, {rates['ours'] / rates['eager']:.2f} times plain eager fp32 NCHW "
        f"({rates['eager']:.1f}), {rates['ours'] / rates['written_out']:.2f} times the same "
        f"without our rewritten convolutions ({rates['written_out']:.1f})",
        **{f"{name}_pictures_per_second": round(rate, 2) for name, rate in rates.items()},
    )


if __name__ == "__main__":
    main()
