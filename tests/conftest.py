"""What every test stands on: one thread, fixed seeds, `tests/` importable."""

import os

# Before torch or ONNX Runtime is imported anywhere: two busy processes with default OpenMP threads slow each other down
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

# For `from tiny_bundle import make_tiny_bundle`, whichever folder the importing test is in.
sys.path.insert(0, str(Path(__file__).parent))

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
