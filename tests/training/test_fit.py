import io
import math
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from creativeai.errors import TrainingError
from creativeai.evaluation.judge import Measurement
from creativeai.models.conditioning import sentence_tensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.encoders.attention_grid import attention_grid
from creativeai.training.checkpoints import list_checkpoints, load_newest
from creativeai.training.fit import Schedule
from creativeai.training.gan_task import GanTask
from creativeai.training.materials import Materials
from creativeai.training.run import Run, open_run
from creativeai.training.sample_sheet import SampleSheet
from tiny_training import differing, fit_until, fresh_task

EVERY_STEP = Schedule(log_steps=1, sample_steps=1, checkpoint_minutes=0)


@pytest.fixture
def start(run: Run, materials: Materials) -> Callable[..., GanTask]:
    """Makes the run anew, from its newest checkpoint if it has one."""

    def make(judge: Any = None) -> GanTask:
        task = fresh_task(run, materials, judge)
        if (checkpoint := load_newest(run.checkpoints)) is not None:
            task.state.load_state_dict(checkpoint)
        return task

    return make


@pytest.fixture(scope="module")
def unbroken(trained: Path, materials: Materials, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """State after four steps in one go."""
    folder = tmp_path_factory.mktemp("unbroken")
    shutil.copy(trained / "guide.safetensors", folder)
    run = replace(open_run(trained), folder=folder)
    task = fresh_task(run, materials)
    fit_until(4, task, run)
    return task.state.state_dict()


def test_stop_and_resume_is_bit_for_bit_as_if_unbroken(
    run: Run, materials: Materials, start: Callable[..., GanTask], unbroken: dict[str, Any]
) -> None:
    first = start()
    before = {name: value.clone() for name, value in first.state.state_dict()["generator"].items()}
    fit_until(2, first, run)
    torch.randn(7)  # what the process did in between must not matter

    second = start()
    assert second.state.step == 2
    assert differing(before, second.state.state_dict()["generator"])
    assert not differing(first.state.state_dict(), second.state.state_dict())
    fit_until(4, second, run)
    assert not differing(unbroken, second.state.state_dict())
    assert {
        "generator",
        "ema",
        "discriminator",
        "generator_optimizer",
        "discriminator_optimizer",
    } < unbroken.keys()


def test_ctrl_c_in_the_middle_of_a_step_ends_it_and_saves(
    run: Run,
    materials: Materials,
    start: Callable[..., GanTask],
    unbroken: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = start()
    plain_loss = task.recipe.generator_loss

    def interrupted(batch: Any, passed: Any) -> Any:
        if task.state.step == 1:  # the discriminator has moved, the generator not yet
            signal.raise_signal(signal.SIGINT)
        return plain_loss(batch, passed)

    monkeypatch.setattr(task.recipe, "generator_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit_until(4, task, run)
    resumed = start()
    assert resumed.state.step == 2
    fit_until(4, resumed, run)
    assert not differing(unbroken, resumed.state.state_dict())


def no_number(value: Tensor) -> Tensor:
    return value * math.nan


def no_gradient(value: Tensor) -> Tensor:
    return value + (value * 0).abs().sqrt()  # itself finite, its gradient not


@pytest.mark.parametrize(
    ("network", "spoil", "named"),
    [
        ("generator", no_number, "loss/generator is nan at step 2"),
        ("discriminator", no_number, "loss/discriminator is nan at step 2"),
        ("generator", no_gradient, "gradient_norm/generator is nan at step 2"),
        ("discriminator", no_gradient, "gradient_norm/discriminator is nan at step 2"),
    ],
)
def test_loss_or_gradient_that_is_no_number_stops_before_it_spoils_anything(
    run: Run,
    materials: Materials,
    start: Callable[..., GanTask],
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    spoil: Callable[[Tensor], Tensor],
    named: str,
) -> None:
    task = start()
    plain_loss = getattr(task.recipe, f"{network}_loss")

    def spoiled(batch: Any, passed: Any) -> Any:
        loss, parts = plain_loss(batch, passed)
        return (spoil(loss) if task.state.step == 2 else loss), parts

    monkeypatch.setattr(task.recipe, f"{network}_loss", spoiled)
    with pytest.raises(TrainingError, match=named) as error:
        fit_until(5, task, run, schedule=Schedule(checkpoint_minutes=0))
    assert "--resume" in str(error.value) and "\n" not in str(error.value)
    saved = load_newest(run.checkpoints)
    assert saved is not None and saved["step"] == 2
    for name in ("generator", "discriminator", "ema"):
        assert all(value.isfinite().all() for value in saved[name].values())
    spoilt_network = getattr(task.recipe, network)
    assert all(weight.isfinite().all() for weight in spoilt_network.parameters())


def test_part_of_a_loss_is_named_too(
    run: Run, materials: Materials, start: Callable[..., GanTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = start()
    plain_loss = task.recipe.generator_loss

    def spoiled(batch: Any, passed: Any) -> Any:
        loss, parts = plain_loss(batch, passed)
        return loss, parts | {"range": parts["range"] / 0}

    monkeypatch.setattr(task.recipe, "generator_loss", spoiled)
    with pytest.raises(TrainingError, match=r"generator/range is (nan|inf) at step 0"):
        task.step()


def test_generator_step_leaves_the_discriminator_alone(
    run: Run, materials: Materials, start: Callable[..., GanTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = start()
    state, recipe = task.state, task.recipe
    moved: list[list[str]] = []
    for network in ("discriminator", "generator"):
        optimizer = state.optimizers[network]
        plain_step = optimizer.step

        def watched(plain_step: Callable[[], Any] = plain_step) -> None:
            networks = {"generator": recipe.generator, "discriminator": recipe.discriminator}
            before = {name: [weight.clone() for weight in net.parameters()] for name, net in networks.items()}
            plain_step()
            moved.append(
                [
                    name
                    for name, net in networks.items()
                    if any(
                        not torch.equal(*pair) for pair in zip(net.parameters(), before[name], strict=True)
                    )
                ]
            )

        monkeypatch.setattr(optimizer, "step", watched)
    task.step()
    assert moved == [["discriminator"], ["generator"]]
    assert state.step == 1
    heads = [weight for group in state.optimizers["discriminator"].param_groups for weight in group["params"]]
    assert all(weight.requires_grad for weight in heads)


def test_tensorboard_and_lines_have_what_people_look_for(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    output = io.StringIO()
    fit_until(2, start(), run, schedule=EVERY_STEP, console=Console(file=output, width=200))
    accumulator = EventAccumulator(str(run.folder / "tensorboard"))
    accumulator.Reload()
    expected = {
        "loss/generator",
        "loss/discriminator",
        "generator/adversarial",
        "generator/range",
        "generator/matching",
        "discriminator/real",
        "discriminator/fake",
        "discriminator/mismatched",
        "gradient_norm/generator",
        "gradient_norm/discriminator",
        "learning_rate/generator",
        "learning_rate/discriminator",
        "speed/pictures_per_second",
    }
    assert expected <= set(accumulator.Tags()["scalars"])
    assert [event.step for event in accumulator.Scalars("loss/generator")] == [1, 2]
    assert all(event.value > 0 for event in accumulator.Scalars("gradient_norm/generator"))
    assert {event.step for event in accumulator.Images("samples")} == {1, 2}
    assert [line.split()[:2] for line in output.getvalue().splitlines()] == [["step", "1"], ["step", "2"]]


def test_sample_grid_has_the_photo_beside_its_pictures(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    fit_until(1, start(), run)
    [file] = (run.folder / "samples").iterdir()
    assert file.name == "step_00000001.png"
    grid = np.asarray(Image.open(file))
    side, num_rows, num_columns = 32, 8, 9
    assert grid.shape == (num_rows * side, num_columns * side, 3)
    photos = grid[:, :side].reshape(num_rows, side, side, 3)
    held_out = materials.images[materials.held_out]
    assert all((held_out == photo).all((1, 2, 3)).any() for photo in photos)


def test_every_stage_has_its_sheet() -> None:
    def stages(noise: Tensor, text: Any) -> GeneratorOutput:
        return GeneratorOutput(tuple(noise[:, :1, None, None].expand(-1, 3, side, side) for side in (2, 4)))

    photos = pixels_to_tensor(np.full((2, 4, 4, 3), 7, np.uint8))
    text = sentence_tensors(torch.zeros(6, 1))
    sheet = SampleSheet(torch.linspace(-1, 1, 6)[:, None], text, photos, ["one", "two"], [])
    grids = sheet.draw(stages, torch.device("cpu"))  # type: ignore[arg-type]
    assert {name: grid.shape for name, grid in grids.items()} == {
        "samples_2": (4, 6, 3),
        "samples": (8, 16, 3),
    }
    assert np.array_equal(grids["samples_2"][::2, ::2], grids["samples"][::4, 4::4])


def test_a_stage_that_attends_has_a_sheet_of_its_words() -> None:
    maps = torch.zeros(4, 3, 2, 2)
    maps[:, 0, 0, 0] = maps[:, 1, 1, 1] = 1

    def stages(noise: Tensor, text: Any) -> GeneratorOutput:
        shades = noise[:, :1, None, None]
        return GeneratorOutput(tuple(shades.expand(-1, 3, side, side) for side in (2, 4)), (maps,))

    photos = pixels_to_tensor(np.full((2, 4, 4, 3), 7, np.uint8))
    words = [["red", "bird"], ["owl"]]
    sheet = SampleSheet(
        torch.tensor([0.0, 1, 1, 0])[:, None],
        sentence_tensors(torch.zeros(4, 1)),
        photos,
        ["red bird", "owl"],
        words,
    )
    grids = sheet.draw(stages, torch.device("cpu"))  # type: ignore[arg-type]
    assert grids.keys() == {"samples_2", "samples", "attention_4"}
    first_of_each = np.broadcast_to(np.array([128, 255], np.uint8)[:, None, None, None], (2, 4, 4, 3))
    assert np.array_equal(grids["attention_4"], attention_grid(first_of_each, words, maps[:2].numpy()))


def test_sheet_rows_are_captions_and_columns_are_noises() -> None:
    class Painter(nn.Module):
        """Paints red by the noise and green by the sentence."""

        def forward(self, noise: Tensor, text: Any) -> GeneratorOutput:
            flat = torch.stack([noise[:, 0], text.sentence[:, 0], torch.zeros(len(noise))], 1)
            return GeneratorOutput((flat[:, :, None, None].expand(-1, -1, 2, 2),))

    values = torch.tensor([-1.0, 0.0, 1.0])
    sheet = SampleSheet(
        noise=values.repeat(2)[:, None],
        text=sentence_tensors(torch.tensor([-1.0, 1.0]).repeat_interleave(3)[:, None]),
        photos=pixels_to_tensor(
            np.array([10, 20], np.uint8)[:, None, None, None].repeat(3, 3).repeat(2, 1).repeat(2, 2)
        ),
        captions=["one", "two"],
        words=[],
    )
    grid = sheet.draw(Painter(), torch.device("cpu"))["samples"][::2, ::2]
    assert grid[:, 0, 0].tolist() == [10, 20]
    assert grid[:, 1:, 0].tolist() == [[0, 128, 255], [0, 128, 255]]
    assert grid[:, 1:, 1].tolist() == [[0, 0, 0], [255, 255, 255]]


def measurement(fd_lite2: float, collapsed: bool = False) -> Measurement:
    return Measurement(
        fd_lite2=fd_lite2,
        kid=1.0,
        kid_error=0.1,
        precision=0.5,
        recall=0.5,
        text_match=0.2,
        swap_preference=None,
        diversity=0.9,
        seed_diversity=0.5,
        collapsed=collapsed,
        num_generated=16,
        num_real=16,
    )


class ScriptedJudge:
    def __init__(self, *results: Measurement) -> None:
        self.results = iter(results)
        self.networks: list[Any] = []

    def measure(self, generator: nn.Module) -> Measurement:
        self.networks.append(generator)
        assert not generator.training
        return next(self.results)


def best_steps(run: Run) -> list[int]:
    return [int(path.stem.split("_")[1]) for path in list_checkpoints(run.checkpoints, "best")]


def test_best_by_fd_lite2_is_kept_unless_it_has_collapsed(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    results = [measurement(50), measurement(60), measurement(10, collapsed=True), measurement(40)]
    seen: list[list[int]] = []

    class Judge(ScriptedJudge):
        def measure(self, *arguments: Any) -> Measurement:
            seen.append(best_steps(run))
            return super().measure(*arguments)

    judge = Judge(*results, measurement(45))
    task = start(judge)
    fit_until(4, task, run, schedule=Schedule(measure_minutes=0))
    assert seen == [[], [1], [1], [1], [4]]
    assert best_steps(run) == [4]
    best = load_newest(run.checkpoints, "best")
    assert best is not None and best["measurement"]["fd_lite2"] == 40
    assert all(network is task.ema.network for network in judge.networks)
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 5

    resumed = start(ScriptedJudge(measurement(41)))
    assert resumed.state.best_score == 40
    fit_until(5, resumed, run)
    assert best_steps(run) == [4]


def test_time_spent_adds_up_over_resumes(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    first = start()
    fit_until(1, first, run)
    second = start()
    assert second.state.seconds == first.state.seconds > 0
    assert second.state.cpu_seconds == first.state.cpu_seconds > 0
    fit_until(2, second, run)
    assert second.state.seconds > first.state.seconds
    assert second.state.cpu_seconds > first.state.cpu_seconds


def test_configuration_counts_before_what_the_optimiser_saved(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    fit_until(1, start(), run)
    saved = load_newest(run.checkpoints)
    assert saved is not None
    config = replace(
        run.config, learning=replace(run.config.learning, generator_lr=1e-5, adam_betas=(0.5, 0.9))
    )
    state = fresh_task(replace(run, config=config), materials).state
    state.load_state_dict(saved)
    [group] = state.optimizers["generator"].param_groups
    assert (group["lr"], group["betas"]) == (1e-5, (0.5, 0.9))
    own = state.optimizers["generator"].state_dict()["state"]
    assert not differing(own, saved["generator_optimizer"]["state"])


def test_checkpoint_of_other_networks_is_one_line(
    run: Run, materials: Materials, start: Callable[..., GanTask]
) -> None:
    fit_until(1, start(), run)
    saved = load_newest(run.checkpoints)
    assert saved is not None
    state = fresh_task(replace(run, config=replace(run.config, channels=(16, 16, 8))), materials).state
    with pytest.raises(TrainingError, match=r"doesn't fit the configuration: .*size mismatch") as error:
        state.load_state_dict(saved)
    assert "\n" not in str(error.value)
    with pytest.raises(TrainingError, match="doesn't fit the configuration: 'ema'"):
        start().state.load_state_dict({name: value for name, value in saved.items() if name != "ema"})


@pytest.fixture(autouse=True)
def _default_interrupt() -> Iterator[None]:
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)
