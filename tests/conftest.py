"""What every test stands on: one thread and fixed seeds."""

import os

# Before torch or ONNX Runtime is imported: busy processes with default OpenMP threads slow each other down
# 20 to 50 times.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ["MKL_NUM_THREADS"] = "1"
# A test sees only the models and folders it made itself.
os.environ.pop("CREATIVEAI_MODELS", None)
# Rich would wrap or colour what tests read.
os.environ["NO_COLOR"] = "1"
os.environ["COLUMNS"] = "200"

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples every time, and no deadline: a machine that trains meanwhile is slow at times.
settings.register_profile("creativeai", derandomize=True, deadline=None)
settings.load_profile("creativeai")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed the global generators, torch's too where a test has imported it."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def toybirds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 drawn birds at 32 px, prepared, the captions encoded with the first training; not to be changed."""
    from creativeai.data import prepare

    out = tmp_path_factory.mktemp("datasets") / "toybirds"
    return prepare("toybirds", out, num_pictures=24, resolutions=(32,)).path


@pytest.fixture(scope="session")
def toybirds_64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same at 64 px, for the classic models; not to be changed."""
    from creativeai.data import prepare

    out = tmp_path_factory.mktemp("datasets") / "toybirds-64"
    return prepare("toybirds", out, num_pictures=24, resolutions=(64,)).path


@pytest.fixture(scope="session")
def trained(toybirds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that took two steps and was measured; copy it to go on with it."""
    from creativeai.training.command import run_training
    from tiny_training import measuring_small, options

    run = tmp_path_factory.mktemp("runs") / "trained"
    with measuring_small():
        run_training(options(data=toybirds, out=run, num_steps=2))
    return run
