"""A tiny model."""

from pathlib import Path

import pytest

from creativeai.engine.model import Model
from tiny_bundle import make_tiny_bundle


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny(tiny_path: Path) -> Model:
    return Model(tiny_path)
