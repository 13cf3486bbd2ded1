"""Engine, server and page work where torch is not installed, and start without what they don't need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tiny_bundle import make_tiny_bundle

BLOCK = """
import importlib, importlib.abc, pkgutil, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"{{name}} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
"""

GENERATE = """
import creativeai
model = creativeai.load(sys.argv[1])
[image] = model.generate("a small red bird", seed=1)
assert image.size == (32, 32), image.size
"""

IMPORT_ROOMS = """
for room in ("text", "data", "bundles", "engine", "store", "server", "web"):
    package = importlib.import_module(f"creativeai.{room}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "export" not in module.name.removeprefix("creativeai.bundles."):
            importlib.import_module(module.name)
importlib.import_module("creativeai.cli")
"""


def run_without(libraries: set[str], code: str, *arguments: str) -> None:
    command = [sys.executable, "-c", BLOCK.format(blocked=libraries) + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("models"))


def test_every_serving_room_imports_and_makes_a_picture_without_torch(tiny: Path) -> None:
    run_without({"torch", "onnx", "onnxscript", "tensorboard"}, IMPORT_ROOMS + GENERATE, str(tiny))


def test_picture_needs_neither_server_nor_page_nor_pydantic(tiny: Path) -> None:
    """They are installed, but importing them would take most of a cold start."""
    run_without({"torch", "flask", "dash", "pydantic", "rich", "prometheus_client"}, GENERATE, str(tiny))


def test_package_alone_imports_nothing_heavy() -> None:
    run_without({"numpy", "onnxruntime", "PIL", "typer"}, "import creativeai; creativeai.__version__")


def test_cards_compare_without_torch(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("no card")
    compare = """
from creativeai.cli import main
sys.argv[1:] = ["compare", sys.argv[1]]
try:
    main()
except SystemExit as stop:
    assert stop.code == 2, stop.code
"""
    run_without({"torch", "onnx"}, compare, str(tmp_path / "one"))
