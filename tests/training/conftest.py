"""A run about to begin, and all it reads."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from creativeai.training.materials import Materials, load_materials
from creativeai.training.run import Run, open_run
from tiny_training import quiet_console


@pytest.fixture(scope="session")
def materials(trained: Path) -> Materials:
    return load_materials(open_run(trained), quiet_console())


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    """A run of no steps whose guide is trained already."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "guide.safetensors"):
        shutil.copy(trained / name, folder / name)
    return replace(open_run(trained), folder=folder)
