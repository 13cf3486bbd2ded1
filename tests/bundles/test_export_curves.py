"""The end of a run's curves, from the files that a training writes."""

import json
import os
from pathlib import Path

import pytest

from creativeai.bundles import read_bundle
from creativeai.bundles.export_curves import training_end
from creativeai.bundles.manifest import MAX_MEASUREMENTS
from creativeai.errors import BundleError
from creativeai.training.monitor import Monitor
from tiny_bundle import make_tiny_bundle
from tiny_training import quiet_console


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with three windows of losses."""
    with Monitor(tmp_path, quiet_console()) as monitor:
        for step in (10, 20, 30):
            monitor.add({"loss/generator": step / 10, "gradient": 1.0}, 4)
            monitor.flush(step, {"generator": 1e-4})
    return tmp_path


def write_measurements(run: Path, num: int) -> None:
    lines = [json.dumps({"step": step, "num_seen": 8 * step, "fd_lite0": 100 - step}) for step in range(num)]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def test_last_losses_and_measurements(run: Path) -> None:
    write_measurements(run, 50)
    end = training_end(run)
    assert end is not None
    assert end["losses"] == {"loss/generator": 3.0}
    assert [line["step"] for line in end["measurements"]] == list(range(50 - MAX_MEASUREMENTS, 50))


def test_half_written_lines_are_left_out(run: Path) -> None:
    write_measurements(run, 3)
    file = run / "metrics.jsonl"
    os.truncate(file, file.stat().st_size - 5)
    end = training_end(run)
    assert end is not None
    assert [line["step"] for line in end["measurements"]] == [0, 1]


def test_run_without_curves(tmp_path: Path) -> None:
    assert training_end(tmp_path) is None


def test_bundle_carries_the_end_and_others_stay_as_old_as_they_were(run: Path, tmp_path: Path) -> None:
    write_measurements(run, 2)
    end = training_end(run)
    manifest = read_bundle(make_tiny_bundle(tmp_path, "with", training_end=end)).manifest
    assert manifest.schema_version == 4
    assert manifest.training_end is not None
    assert manifest.training_end.measurements[-1] == {"step": 1, "num_seen": 8, "fd_lite0": 99}
    assert manifest.training_end.losses == {"loss/generator": 3.0}
    without = make_tiny_bundle(tmp_path, "without", training_end=None)
    content = json.loads((without / "bundle.json").read_text())
    assert content["schema_version"] == 1
    assert "training_end" not in content
    too_many = {"measurements": [{}] * (MAX_MEASUREMENTS + 1), "losses": {}}
    with pytest.raises(BundleError, match="training_end"):
        make_tiny_bundle(tmp_path, "more", training_end=too_many)
