"""A manifest and a bundle to damage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiny_bundle import make_tiny_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_tiny_bundle(tmp_path / "models")


@pytest.fixture
def change_manifest(bundle: Path) -> Callable[[Callable[[dict[str, Any]], object]], None]:
    """Rewrites the bundle's manifest after a function changed its content."""

    def change(edit: Callable[[dict[str, Any]], object]) -> None:
        file = bundle / "bundle.json"
        content = json.loads(file.read_text())
        edit(content)
        file.write_text(json.dumps(content))

    return change
