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
