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
from creativeai.models.pixels import pixels_to_tensor
from creativeai.training.checkpoints import list_checkpoints, load_newest
from creativeai.training.fit import Budget, SampleSheet, Schedule, TrainingState, train_step
from creativeai.training.materials import Materials
from creativeai.training.run import Run, open_run
from tiny_training import EXACT, differing, feed_of, fit_until, fresh_state

EVERY_STEP = Schedule(log_steps=1, sample_steps=1, checkpoint_minutes=0)


@pytest.fixture
def start(run: Run, materials: Materials) -> Callable[[], TrainingState]:
    """Makes the run's state anew, from its newest checkpoint if it has one."""

    def make() -> TrainingState:
        state = fresh_state(run, materials)
        if (checkpoint := load_newest(run.checkpoints)) is not None:
            state.load_state_dict(checkpoint)
        return state

    return make


@pytest.fixture(scope="module")
def unbroken(trained: Path, materials: Materials, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """State after four steps in one go."""
    folder = tmp_path_factory.mktemp("unbroken")
    shutil.copy(trained / "guide.pt", folder)
    run = replace(open_run(trained), folder=folder)
    state = fresh_state(run, materials)
    fit_until(4, state, run, materials)
    return state.state_dict()


def test_stop_and_resume_is_bit_for_bit_as_if_unbroken(
    run: Run, materials: Materials, start: Callable[[], TrainingState], unbroken: dict[str, Any]
) -> None:
    first = start()
    before = {name: value.clone() for name, value in first.state_dict()["generator"].items()}
    fit_until(2, first, run, materials)
    torch.randn(7)  # what the process did in between must not matter

    second = start()
    assert second.step == 2
    assert differing(before, second.state_dict()["generator"])
    assert not differing(first.state_dict(), second.state_dict())
    fit_until(4, second, run, materials)
    assert not differing(unbroken, second.state_dict())
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
    start: Callable[[], TrainingState],
    unbroken: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = start()
    plain_loss = state.recipe.generator_loss

    def interrupted(batch: Any, passed: Any) -> Any:
        if state.step == 1:  # the discriminator has moved, the generator not yet
            signal.raise_signal(signal.SIGINT)
        return plain_loss(batch, passed)

    monkeypatch.setattr(state.recipe, "generator_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit_until(4, state, run, materials)
    resumed = start()
    assert resumed.step == 2
    fit_until(4, resumed, run, materials)
    assert not differing(unbroken, resumed.state_dict())


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
    start: Callable[[], TrainingState],
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    spoil: Callable[[Tensor], Tensor],
    named: str,
) -> None:
    state = start()
    plain_loss = getattr(state.recipe, f"{network}_loss")

    def spoiled(batch: Any, passed: Any) -> Any:
        loss, parts = plain_loss(batch, passed)
        return (spoil(loss) if state.step == 2 else loss), parts

    monkeypatch.setattr(state.recipe, f"{network}_loss", spoiled)
    with pytest.raises(TrainingError, match=named) as error:
        fit_until(5, state, run, materials, schedule=Schedule(checkpoint_minutes=0))
    assert "--resume" in str(error.value) and "\n" not in str(error.value)
    saved = load_newest(run.checkpoints)
    assert saved is not None and saved["step"] == 2
    for name in ("generator", "discriminator", "ema"):
        assert all(value.isfinite().all() for value in saved[name].values())
    spoilt_network = getattr(state.recipe, network)
    assert all(weight.isfinite().all() for weight in spoilt_network.parameters())


def test_part_of_a_loss_is_named_too(
    run: Run, materials: Materials, start: Callable[[], TrainingState], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = start()
    plain_loss = state.recipe.generator_loss

    def spoiled(batch: Any, passed: Any) -> Any:
        loss, parts = plain_loss(batch, passed)
        return loss, parts | {"range": parts["range"] / 0}

    monkeypatch.setattr(state.recipe, "generator_loss", spoiled)
    with pytest.raises(TrainingError, match=r"generator/range is (nan|inf) at step 0"):
        train_step(state, feed_of(run, materials), state.recipe.generator, EXACT)


def test_generator_step_leaves_the_discriminator_alone(
    run: Run, materials: Materials, start: Callable[[], TrainingState], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = start()
    recipe = state.recipe
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
    train_step(state, feed_of(run, materials), recipe.generator, EXACT)
    assert moved == [["discriminator"], ["generator"]]
    assert state.step == 1
    heads = [weight for group in state.optimizers["discriminator"].param_groups for weight in group["params"]]
    assert all(weight.requires_grad for weight in heads)


def test_tensorboard_and_lines_have_what_people_look_for(
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    output = io.StringIO()
    fit_until(2, start(), run, materials, schedule=EVERY_STEP, console=Console(file=output, width=200))
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
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    state = start()
    fit_until(1, state, run, materials)
    [file] = (run.folder / "samples").iterdir()
    assert file.name == "step_00000001.png"
    grid = np.asarray(Image.open(file))
    side, num_rows, num_columns = 32, 8, 9
    assert grid.shape == (num_rows * side, num_columns * side, 3)
    photos = grid[:, :side].reshape(num_rows, side, side, 3)
    held_out = materials.images[materials.held_out]
    assert all((held_out == photo).all((1, 2, 3)).any() for photo in photos)


def test_sheet_rows_are_captions_and_columns_are_noises() -> None:
    class Painter(nn.Module):
        """Paints red by the noise and green by the sentence."""

        def forward(self, noise: Tensor, text: Any) -> list[Tensor]:
            flat = torch.stack([noise[:, 0], text.sentence[:, 0], torch.zeros(len(noise))], 1)
            return [flat[:, :, None, None].expand(-1, -1, 2, 2)]

    values = torch.tensor([-1.0, 0.0, 1.0])
    sheet = SampleSheet(
        noise=values.repeat(2)[:, None],
        text=sentence_tensors(torch.tensor([-1.0, 1.0]).repeat_interleave(3)[:, None]),
        photos=pixels_to_tensor(
            np.array([10, 20], np.uint8)[:, None, None, None].repeat(3, 3).repeat(2, 1).repeat(2, 2)
        ),
        captions=["one", "two"],
    )
    grid = sheet.draw(Painter(), torch.device("cpu"))[::2, ::2]
    assert grid[:, 0, 0].tolist() == [10, 20]
    assert grid[:, 1:, 0].tolist() == [[0, 128, 255], [0, 128, 255]]
    assert grid[:, 1:, 1].tolist() == [[0, 0, 0], [255, 255, 255]]


def measurement(fd_lite0: float, collapsed: bool = False) -> Measurement:
    return Measurement(fd_lite0, 0.9, 0.5, 0.2, collapsed, 16, 16)


class ScriptedJudge:
    def __init__(self, *results: Measurement) -> None:
        self.results = iter(results)
        self.networks: list[Any] = []

    def measure(self, generator: nn.Module, noise_dim: int, device: torch.device) -> Measurement:
        self.networks.append(generator)
        assert not generator.training
        return next(self.results)


def best_steps(run: Run) -> list[int]:
    return [int(path.stem.split("_")[1]) for path in list_checkpoints(run.checkpoints, "best")]


def test_best_by_fd_lite0_is_kept_unless_it_has_collapsed(
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    results = [measurement(50), measurement(60), measurement(10, collapsed=True), measurement(40)]
    seen: list[list[int]] = []

    class Judge(ScriptedJudge):
        def measure(self, *arguments: Any) -> Measurement:
            seen.append(best_steps(run))
            return super().measure(*arguments)

    judge = Judge(*results, measurement(45))
    state = start()
    fit_until(4, state, run, materials, judge=judge, schedule=Schedule(measure_minutes=0))
    assert seen == [[], [1], [1], [1], [4]]
    assert best_steps(run) == [4]
    best = load_newest(run.checkpoints, "best")
    assert best is not None and best["measurement"]["fd_lite0"] == 40
    assert all(network is state.ema.network for network in judge.networks)
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 5

    resumed = start()
    assert resumed.best_fd_lite0 == 40
    fit_until(5, resumed, run, materials, judge=ScriptedJudge(measurement(41)))
    assert best_steps(run) == [4]


def test_time_spent_adds_up_over_resumes(
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    first = start()
    fit_until(1, first, run, materials)
    second = start()
    assert second.seconds == first.seconds > 0
    fit_until(2, second, run, materials)
    assert second.seconds > first.seconds


def test_configuration_counts_before_what_the_optimiser_saved(
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    fit_until(1, start(), run, materials)
    saved = load_newest(run.checkpoints)
    assert saved is not None
    config = replace(run.config, generator_lr=1e-5, adam_betas=(0.5, 0.9))
    state = fresh_state(replace(run, config=config), materials)
    state.load_state_dict(saved)
    [group] = state.optimizers["generator"].param_groups
    assert (group["lr"], group["betas"]) == (1e-5, (0.5, 0.9))
    own = state.optimizers["generator"].state_dict()["state"]
    assert not differing(own, saved["generator_optimizer"]["state"])


def test_checkpoint_of_other_networks_is_one_line(
    run: Run, materials: Materials, start: Callable[[], TrainingState]
) -> None:
    fit_until(1, start(), run, materials)
    saved = load_newest(run.checkpoints)
    assert saved is not None
    state = fresh_state(replace(run, config=replace(run.config, channels=(16, 16, 8))), materials)
    with pytest.raises(TrainingError, match=r"doesn't fit the configuration: .*size mismatch") as error:
        state.load_state_dict(saved)
    assert "\n" not in str(error.value)
    with pytest.raises(TrainingError, match="doesn't fit the configuration: 'ema'"):
        start().load_state_dict({name: value for name, value in saved.items() if name != "ema"})


@pytest.mark.parametrize(
    ("budget", "step", "seconds", "fraction", "is_spent"),
    [
        (Budget(), 1000, 1e9, 0, False),
        (Budget(num_steps=20), 15, 0, 0.5, False),
        (Budget(num_steps=20), 20, 0, 1, True),
        (Budget(minutes=2), 0, 30, 0.25, False),
        (Budget(minutes=2), 0, 120, 1, True),
        (Budget(num_steps=20, minutes=2), 15, 90, 0.75, False),
        (Budget(num_steps=20, minutes=2), 20, 30, 1, True),
    ],
)
def test_budget(budget: Budget, step: int, seconds: float, fraction: float, is_spent: bool) -> None:
    assert budget.fraction_done(step, 10, seconds) == pytest.approx(fraction)
    assert budget.is_spent(step, seconds) is is_spent


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_budget_of_no_time_is_spent_at_once(minutes: float) -> None:
    assert Budget(minutes=minutes).is_spent(0, 0)


@pytest.fixture(autouse=True)
def _default_interrupt() -> Iterator[None]:
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)
