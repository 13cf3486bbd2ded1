"""What each stabiliser does for StackGAN's stage I on toybirds: on against off, batch 8 against 64.

    python benchmarks/stabilisers.py --data TOYBIRDS --out DIR [--cpu-minutes 10 | --steps N]
        [--preset debug|compact] [--set FIELD=VALUE] [--batch 8,64] [--only NAME,...]

Every cell is a run as `creativeai train stackgan_stage1` makes it, one after another in this process, with
the same data, budget and seed. `--cpu-minutes` gives each the same processor time, `--steps` the same number
of steps. The baseline is the preset without label smoothing and augmentation; a stabiliser that batch
normalisation of the discriminator forbids is to be compared with `no_norm`. What is measured of the averaged
generator, at the end of the budget: `fd_lite2`, diversity and the collapse alarm (as `creativeai train` has
them), and how often a bird has the body colour asked for (chance 10%).

DIR gets results.json, table.md and losses.png, anew after each cell, and runs/ with samples and logs; of a
finished cell the checkpoints are deleted. Ctrl-C keeps what is done: the same command goes on, and trains no
finished cell again.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from attribute_accuracy import DEFAULT_SEED, asked_birds, read_colours
from creativeai.data import CaptionedImages
from creativeai.errors import TrainingError, UserError
from creativeai.models.conditioning import text_tensors
from creativeai.models.pixels import tensor_to_pixels
from creativeai.recipes.registry import find_preset, find_recipe
from creativeai.text import load_text_encoder
from creativeai.training.budget import Budget, Effort
from creativeai.training.checkpoints import load_newest
from creativeai.training.fit import Schedule
from creativeai.training.gan_task import GanTask
from creativeai.training.metrics_file import last_measurements
from creativeai.training.precision import choose_precision
from creativeai.training.run import Run, create_run, open_run
from creativeai.training.settings import apply_settings
from creativeai.training.setup import resume_run
from creativeai.training.tasks import prepare_task
from loss_curves import Curve, Panel, draw_panels
from measuring import report
from stabiliser_cells import STABILISERS, Result, markdown, settings_of

RECIPE, TEXT_ENCODER = "stackgan_stage1", "minilm"
SCHEDULE = Schedule(log_steps=10, measure_minutes=1e9)


@dataclass(frozen=True)
class Options:
    """What all cells have in common."""

    data: Path
    out: Path
    preset: str
    settings: tuple[str, ...]
    """Over the preset, as `creativeai train --set` has them; a stabiliser's own go above them."""
    budget: Budget
    num_birds: int
    seed: int
    use_compile: bool | None
    """Forces `torch.compile` on or off."""


def run_of(name: str, batch: int, options: Options) -> Run:
    """The cell's run, begun or not.

    Raises:
        UserError: It was begun with other options, or the settings contradict each other or the batch.
    """
    dataset = CaptionedImages.open(options.data)
    run = Run(
        folder=options.out / "runs" / f"{name}-{batch}",
        recipe=RECIPE,
        preset=options.preset,
        config=apply_settings(
            find_preset(find_recipe(RECIPE), options.preset), (*options.settings, *settings_of(name, batch))
        ),
        dataset=options.data.resolve(),
        dataset_digest=dataset.meta.digest,
        text_encoder=TEXT_ENCODER,
        seed=options.seed,
        budget=options.budget,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    if not (run.folder / "run.json").exists():
        return run
    begun = open_run(run.folder)
    if replace(run, created=begun.created) != begun:
        raise UserError(f"{run.folder} was begun with other options: give them again, or another --out")
    return begun


def train(run: Run, options: Options, console: Console) -> None:
    """Begin the run or go on with it, until its budget is spent.

    Raises:
        TrainingError: A loss is not finite.
    """
    if not (run.folder / "run.json").exists():
        create_run(run)
    done = load_newest(run.checkpoints)
    if done is not None and run.budget.is_spent(
        Effort(done["step"], done["seconds"] / 60, done["cpu_seconds"] / 60)
    ):
        return
    torch.compiler.reset()  # each network is a program of its own, and only a few are kept
    resume_run(
        run,
        settings=(),
        budget=Budget(),
        schedule=SCHEDULE,
        console=console,
        use_compile=options.use_compile,
    )


def colour_accuracy(task: GanTask, num_birds: int) -> float:
    """How often the averaged generator's bird has the body colour asked for."""
    asked = asked_birds(num_birds, DEFAULT_SEED)
    encoder = load_text_encoder(TEXT_ENCODER)
    random = torch.Generator().manual_seed(DEFAULT_SEED)
    pictures: list[np.ndarray] = []
    for start in range(0, len(asked), 16):
        text = text_tensors(encoder.encode([one.caption for one in asked[start : start + 16]]))
        noise = torch.randn(len(text.sentence), task.feed.noise_dim, generator=random)
        device = task.precision.device
        with torch.no_grad():
            output = task.ema.network(noise.to(device), text.to(device))
        pictures.extend(tensor_to_pixels(output.images[-1]))
    return read_colours(asked, pictures).accuracy


def measure(name: str, batch: int, run: Run, options: Options, console: Console) -> Result:
    """What the finished run came to."""
    task = prepare_task(run, choose_precision(use_compile=False), console)()
    assert isinstance(task, GanTask)
    found = next(iter(last_measurements(run.folder, 1)), {})
    if found.get("step") != task.state.step:  # stopped while it was being measured
        finding = task.measure()
        assert finding is not None
        found = finding.figures
    figures = {key: round(value, 3) for key, value in found.items() if key in Result.__dataclass_fields__}
    events = EventAccumulator(str(run.folder / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    logged = {tag: [event.value for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    return Result(
        name=name,
        batch=batch,
        settings=settings_of(name, batch),
        steps=task.state.step,
        seconds=round(task.state.seconds, 1),
        pictures_per_cpu_second=round(task.state.step * batch / task.state.cpu_seconds, 1),
        colour_accuracy=round(colour_accuracy(task, options.num_birds), 4),
        losses={network: logged.get(f"loss/{network}", []) for network in ("discriminator", "generator")},
        **figures,
    )


def write_all(results: Sequence[Result], failures: dict[str, str], options: Options) -> None:
    """results.json, table.md and losses.png."""
    plain = [{key: value for key, value in asdict(one).items() if key != "losses"} for one in results]
    (options.out / "results.json").write_text(
        json.dumps({"results": plain, "failures": failures}, indent=2) + "\n"
    )
    num_steps, minutes = options.budget.num_steps, options.budget.cpu_minutes
    budget = f"{minutes:g} minutes of processor time" if num_steps is None else f"{num_steps} steps"
    size = ", ".join((options.preset, *options.settings))
    title = f"StackGAN stage I ({size}) on toybirds, {budget} each, seed {options.seed}"
    (options.out / "table.md").write_text(markdown(results, failures, title))
    panels = [
        Panel(
            name,
            [
                Curve(f"{network[0].upper()}, batch {one.batch}", losses)
                for one in results
                if one.name == name
                for network, losses in one.losses.items()
            ],
        )
        for name in dict.fromkeys(one.name for one in results)
    ]
    if panels:
        draw_panels(panels, options.out / "losses.png")


def run_cells(names: Sequence[str], batches: Sequence[int], options: Options, console: Console) -> None:
    """Train and measure every cell that isn't done yet.

    Raises:
        UserError: The cells that were begun had other options, or a setting can't be.
    """
    runs = {(name, batch): run_of(name, batch, options) for name in names for batch in batches}
    results: list[Result] = []
    failures: dict[str, str] = {}
    for number, ((name, batch), run) in enumerate(runs.items(), 1):
        file = run.folder / "cell.json"
        if file.exists():
            results.append(Result(**json.loads(file.read_text())))
            continue
        console.rule(f"cell {number} of {len(runs)}: {name}, batch {batch}")
        try:
            train(run, options, console)
            results.append(measure(name, batch, run, options, console))
        except TrainingError as error:
            failures[f"{name}, batch {batch}"] = str(error)
            console.print(f"{error}", markup=False)
        else:
            file.write_text(json.dumps(asdict(results[-1])))
            shutil.rmtree(run.checkpoints)
        write_all(results, failures, options)
    write_all(results, failures, options)
    best = max(results, key=lambda one: one.colour_accuracy, default=None)
    report(
        "stabilisers",
        f"{len(results)} of {len(runs)} cells, see {options.out / 'table.md'}"
        + (
            f"; best body colour: {best.name}, batch {best.batch}, {best.colour_accuracy:.1%}" if best else ""
        ),
        results={f"{one.name}-{one.batch}": one.colour_accuracy for one in results},
        failures=failures,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="toybirds, prepared with 64 px")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs and results")
    parser.add_argument(
        "--cpu-minutes", type=float, help="time of each cell; 10 when --steps is not given either"
    )
    parser.add_argument("--steps", type=int, help="steps of each cell")
    parser.add_argument("--preset", default="compact")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="over the preset")
    parser.add_argument("--batch", default="8,64", help="batch sizes, with commas")
    parser.add_argument("--only", default=",".join(STABILISERS), help="stabilisers, with commas")
    parser.add_argument("--num", type=int, default=500, help="birds whose colour is read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="force torch.compile")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(STABILISERS):
        parser.error(f"unknown stabiliser {', '.join(sorted(unknown))}: there are {', '.join(STABILISERS)}")
    minutes = 10.0 if arguments.cpu_minutes is None and arguments.steps is None else arguments.cpu_minutes
    options = Options(
        data=arguments.data,
        out=arguments.out,
        preset=arguments.preset,
        settings=tuple(arguments.set),
        budget=Budget(num_steps=arguments.steps, cpu_minutes=minutes),
        num_birds=arguments.num,
        seed=arguments.seed,
        use_compile=arguments.compile,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        run_cells(names, [int(size) for size in arguments.batch.split(",")], options, Console(stderr=True))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
