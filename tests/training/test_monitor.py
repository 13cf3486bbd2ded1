import io
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from creativeai.evaluation.judge import Measurement
from creativeai.training.gan_task import finding_of
from creativeai.training.monitor import Monitor, picture_grid

MEASUREMENT = Measurement(
    fd_lite2=321.09,
    kid=12.34,
    kid_error=0.56,
    precision=0.4,
    recall=None,
    text_match=0.125,
    swap_preference=None,
    diversity=0.87,
    seed_diversity=0.6,
    collapsed=False,
    num_generated=64,
    num_real=20,
)


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder / "tensorboard"))
    accumulator.Reload()
    return accumulator


def test_grid_puts_pictures_row_by_row() -> None:
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    grid = picture_grid(pixels, num_columns=3)
    assert grid.shape == (4, 6, 3)
    np.testing.assert_array_equal(grid[::2, ::2, 0], [[0, 1, 2], [3, 4, 5]])


def test_tensorboard_has_means_rates_and_learning_rates(tmp_path: Path) -> None:
    with Monitor(tmp_path, Console(file=io.StringIO())) as monitor:
        monitor.add({"loss/generator": 1.0, "generator/range": 0.5}, 4)
        monitor.add({"loss/generator": 2.0, "generator/range": 0.7}, 4)
        monitor.flush(2, {"generator": 2e-4})
        monitor.add({"loss/generator": 9.0}, 4)
        monitor.flush(3, {"generator": 1e-4})
    scalars = {name: events(tmp_path).Scalars(name) for name in events(tmp_path).Tags()["scalars"]}
    values = {name: [(event.step, round(event.value, 6)) for event in scalars[name]] for name in scalars}
    assert values["loss/generator"] == [(2, 1.5), (3, 9.0)]
    assert values["generator/range"] == [(2, 0.6)]
    assert values["learning_rate/generator"] == [(2, 2e-4), (3, 1e-4)]
    assert [step for step, _ in values["speed/pictures_per_second"]] == [2, 3]


def test_rate_leaves_out_what_is_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    output = io.StringIO()
    with Monitor(tmp_path, Console(file=output)) as monitor:
        monitor.add({}, 30)
        now += 2
        now += 50
        monitor.leave_out(50)
        monitor.add({}, 30)
        now += 1
        monitor.flush(2, {})
    assert "20.0 pictures/s" in output.getvalue()


def test_output_that_is_no_terminal_gets_plain_lines(tmp_path: Path) -> None:
    output = io.StringIO()
    with Monitor(tmp_path, Console(file=output, width=60)) as monitor:
        for step in (50, 100):
            monitor.add({"loss/discriminator": 1.234, "loss/generator": -0.5, "generator/range": 3.0}, 4)
            monitor.flush(step, {})
            monitor.advance(step / 200)
        monitor.measurement(100, 400, finding_of(MEASUREMENT), is_best=True)
        monitor.measurement(
            100, 400, finding_of(replace(MEASUREMENT, diversity=0.3, collapsed=True)), is_best=False
        )
    lines = output.getvalue().splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["step", "50"], ["step", "100"]]
    assert lines[0].endswith("pictures/s  discriminator 1.23  generator -0.50")
    assert lines[2].startswith(
        "measured at step 100: fd_lite2 321.1  KID x 1000 12.3 ± 0.6  text match 12.5%  diversity 0.87"
    )
    assert lines[2].endswith("(best so far)")
    assert lines[4].startswith("collapse alarm: the pictures' diversity is 0.30 of the photos'")
    assert len(lines) == 5 and "\x1b" not in output.getvalue()


def test_terminal_gets_rate_time_left_and_losses(tmp_path: Path) -> None:
    output = io.StringIO()
    with Monitor(tmp_path, Console(file=output, force_terminal=True, width=150)) as monitor:
        monitor.add({"loss/generator": 0.5}, 4)
        monitor.flush(50, {})
        monitor.advance(0.5)
    shown = output.getvalue()
    for part in ("step 50", "pictures/s", "left", "generator 0.50"):
        assert part in shown


def test_measurements_go_to_a_file_and_tensorboard(tmp_path: Path) -> None:
    with Monitor(tmp_path, Console(file=io.StringIO())) as monitor:
        monitor.measurement(10, 40, finding_of(MEASUREMENT), is_best=True)
        monitor.measurement(20, 80, finding_of(replace(MEASUREMENT, fd_lite2=300.0)), is_best=True)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["num_seen"], line["fd_lite2"]) for line in lines] == [
        (10, 40, 321.09),
        (20, 80, 300.0),
    ]
    assert "recall" not in lines[0]  # could not be measured
    figures = {event.step: event.value for event in events(tmp_path).Scalars("metrics/fd_lite2")}
    assert figures == pytest.approx({10: 321.09, 20: 300.0}, rel=1e-5)


def test_samples_are_a_file_and_a_picture_in_tensorboard(tmp_path: Path) -> None:
    grid = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    with Monitor(tmp_path, Console(file=io.StringIO())) as monitor:
        monitor.samples(7, grid, tmp_path / "samples" / "step_7.png", "samples")
        monitor.captions(["a red bird", "a blue bird"])
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "samples" / "step_7.png")), grid)
    [image] = events(tmp_path).Images("samples")
    assert (image.step, image.height, image.width) == (7, 4, 6)
    assert any("captions" in tag for tag in events(tmp_path).Tags()["tensors"])
