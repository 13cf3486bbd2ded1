"""Time and memory of a picture, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from creativeai.evaluation.picture_cost import measure_cost
from tiny_bundle import make_tiny_bundle


def test_cost_is_that_of_a_process_that_draws(tmp_path: Path) -> None:
    cost = measure_cost(make_tiny_bundle(tmp_path))
    assert 0.1 < cost.milliseconds < 10_000
    assert 50 < cost.megabytes < 1000
    assert cost.num_pictures == 40


def test_failure_is_told_by_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no bundle at"):
        measure_cost(tmp_path / "none")


def test_process_that_is_measured_has_no_torch() -> None:
    modules = "creativeai.evaluation.picture_cost, creativeai.engine.engine"
    code = f"import {modules}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
