"""AttnGAN's generator of the paper (birds, 256 px), one picture: ONNX Runtime against PyTorch.

    python benchmarks/attngan_speed.py [--threads 2] [--turns 30] [--preset paper] [--profile]

The same network with the same random weights, all three pictures of one caption in each run, and the runs in
turns, so that a machine that slows down slows all:

- eager: PyTorch in float32 as it is, NCHW, inference mode, on so many threads;
- engine: the graph `creativeai export` writes, with the engine's settings, on as many threads;
- engine_one_thread: the same on one thread, which is how the engine serves a picture;
- int8: the convolutions of that graph in 8 bits, calibrated on random captions, on as many threads.

--profile says which operations the graphs' time goes to.
"""

import argparse
import json
import logging
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from creativeai.bundles.onnx_export import ExportedGenerator, generator_to_onnx
from creativeai.models.attngan import AttnGanGenerator
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import noise_dim_of
from creativeai.recipes.attngan import PRESETS
from measuring import report

TEXT_DIM, MAX_WORDS = 256, 18
NUM_SETTLING, NUM_CALIBRATION, NUM_COMPARED = 4, 16, 8
Inputs = dict[str, np.ndarray]
Run = Callable[[Inputs], Any]


def random_inputs(noise_dim: int, batch: int) -> Inputs:
    """Noise and captions of 5 to 18 words, from torch's generator."""
    mask = torch.arange(MAX_WORDS) < torch.randint(5, MAX_WORDS + 1, (batch, 1))
    values = {
        "noise": torch.randn(batch, noise_dim),
        "sentence": torch.randn(batch, TEXT_DIM),
        "words": torch.randn(batch, MAX_WORDS, TEXT_DIM) * mask[:, :, None],
        "mask": mask,
    }
    return {name: value.numpy() for name, value in values.items()}


def run_eagerly(generator: nn.Module, inputs: Inputs) -> list[np.ndarray]:
    """All stages' pictures."""
    noise, *text = (torch.from_numpy(inputs[name]) for name in ("noise", "sentence", "words", "mask"))
    with torch.inference_mode():
        return [image.numpy() for image in generator(noise, TextTensors(*text)).images]


def random_generator(preset: str) -> nn.Module:
    """The network with its first weights, its normalisation fitted to them as training would."""
    config = PRESETS[preset]
    generator = AttnGanGenerator(
        config.z_dim,
        TEXT_DIM,
        config.condition_dim,
        config.generator_width,
        num_stages=(config.resolution // 64).bit_length(),
        num_residual=config.num_residual,
        last_image_only=config.last_image_only,
    )
    norms = [module for module in generator.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean over all batches
    for _ in range(NUM_SETTLING):
        run_eagerly(generator.train(), random_inputs(noise_dim_of(generator), batch=4))
    return generator.eval()


def session(graph: bytes | str, num_threads: int, profile: bool) -> ort.InferenceSession:
    """As `creativeai.engine` opens a generator, but for the number of threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    options.enable_profiling = profile
    options.profile_file_prefix = str(Path(tempfile.gettempdir()) / "attngan")
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class _Calibration(CalibrationDataReader):
    """Inputs one after another, as the quantiser wants them."""

    def __init__(self, inputs: Iterator[Inputs]) -> None:
        self.inputs = inputs

    def get_next(self) -> Inputs | None:
        return next(self.inputs, None)


def quantised(exported: ExportedGenerator, noise_dim: int, folder: Path) -> str:
    """The graph with convolutions of 8-bit activations and, channel by channel, weights; its file."""
    folded, small = str(folder / "folded.onnx"), str(folder / "int8.onnx")
    options = ort.SessionOptions()
    # Folds what is stored in half precision into plain weights, which the quantiser needs.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = folded
    options.log_severity_level = 4
    ort.InferenceSession(exported.graph, options, providers=["CPUExecutionProvider"])
    logging.disable(logging.WARNING)  # it recommends other ways of preparing the graph
    quantize_static(
        folded,
        small,
        _Calibration(random_inputs(noise_dim, batch=1) for _ in range(NUM_CALIBRATION)),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    logging.disable(logging.NOTSET)
    return small


def times_in_turns(runs: dict[str, Run], inputs: Inputs, num_turns: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each, by the clock and of processor time; two turns warm up."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(num_turns + 2):
        for name, run in runs.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            run(inputs)
            seconds[name].append((time.perf_counter() - start, time.process_time() - cpu_start))
    return {
        name: {
            "ms": round(1000 * statistics.median(wall for wall, _ in taken[2:]), 1),
            "cpu_ms": round(1000 * statistics.median(cpu for _, cpu in taken[2:]), 1),
        }
        for name, taken in seconds.items()
    }


def shares_of_operations(opened: ort.InferenceSession) -> dict[str, float]:
    """Operation to its share of the graph's time, the greatest first."""
    file = Path(opened.end_profiling())
    events = json.loads(file.read_text())
    file.unlink()
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    return {name: round(time_spent / spent.total(), 3) for name, time_spent in spent.most_common(8)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=30, help="measured runs of each")
    parser.add_argument("--preset", default="paper", choices=sorted(PRESETS))
    parser.add_argument("--profile", action="store_true", help="also print shares of operations")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    generator = random_generator(arguments.preset)
    noise_dim = noise_dim_of(generator)
    exported = generator_to_onnx(generator, TEXT_DIM, MAX_WORDS)
    pictures = [f"image_{side}" for side in exported.resolutions]
    with tempfile.TemporaryDirectory() as folder:
        graphs: dict[str, tuple[bytes | str, int]] = {
            "engine": (exported.graph, arguments.threads),
            "engine_one_thread": (exported.graph, 1),
            "int8": (quantised(exported, noise_dim, Path(folder)), arguments.threads),
        }
        opened = {
            name: session(graph, threads, arguments.profile) for name, (graph, threads) in graphs.items()
        }
    runs: dict[str, Run] = {"eager": lambda inputs: run_eagerly(generator, inputs)}
    for name, one in opened.items():
        runs[name] = lambda inputs, one=one: one.run(pictures, inputs)  # type: ignore[misc]
    compared = [random_inputs(noise_dim, batch=1) for _ in range(NUM_COMPARED)]
    levels = {
        name: float(
            np.mean([np.abs(run(inputs)[-1] - runs["eager"](inputs)[-1]).mean() for inputs in compared])
        )
        * 127.5
        for name, run in runs.items()
    }
    times = times_in_turns(runs, compared[0], arguments.turns)
    if arguments.profile:
        for name, one in opened.items():
            print(f"{name}: {shares_of_operations(one)}")
    ratios = {name: round(times["eager"]["ms"] / taken["ms"], 2) for name, taken in times.items()}
    report(
        "attngan_speed",
        f"AttnGAN {arguments.preset}, {exported.resolutions[-1]} px, one picture on {arguments.threads} "
        f"threads: engine {times['engine']['ms']} ms, {ratios['engine']} times as fast as eager PyTorch "
        f"({times['eager']['ms']} ms); on one thread {times['engine_one_thread']['ms']} ms; int8 "
        f"{times['int8']['ms']} ms ({ratios['int8']} times), its pictures {levels['int8']:.1f} of 255 levels "
        "off in the mean",
        preset=arguments.preset,
        threads=arguments.threads,
        times=times,
        times_as_fast_as_eager=ratios,
        mean_difference_in_levels={name: round(value, 3) for name, value in levels.items()},
    )


if __name__ == "__main__":
    main()
