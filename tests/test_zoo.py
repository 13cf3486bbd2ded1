"""The models that are shipped: whole, small, not collapsed, and as the README says."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creativeai.bundles import read_bundle
from creativeai.bundles.catalog import ZOO_FOLDER, find_bundles
from creativeai.engine import Engine, PictureRequest

MODELS = sorted(path.parent.name for path in ZOO_FOLDER.glob("*/bundle.json"))
README = (Path(__file__).parent.parent / "README.md").read_text()
MOST_BYTES = 12e6


def table_row(name: str) -> list[str]:
    """Cells of the README's table, without the name."""
    [row] = re.findall(rf"^\| `{re.escape(name)}` \|(.*)\|$", README, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def test_birds_is_the_default() -> None:
    assert next(iter(find_bundles())) == "birds"
    assert "birds" in MODELS


@pytest.mark.parametrize("name", MODELS)
def test_shipped_model_draws_what_its_manifest_says(name: str) -> None:
    bundle = read_bundle(ZOO_FOLDER / name)  # checks every digest
    manifest = bundle.manifest
    assert manifest.name == name
    engine = Engine(bundle)
    requests = [PictureRequest(text, seed=3) for text in manifest.examples[:2]]
    pictures = engine.generate(requests)
    sides = [stage.resolution for stage in manifest.stages]
    for picture in pictures:
        assert [stage.shape for stage in picture.stages] == [(side, side, 3) for side in sides]
        assert picture.stages[-1].std() > 20
    assert np.abs(pictures[0].stages[-1].astype(int) - pictures[1].stages[-1]).mean() > 10
    [again] = engine.generate(requests[1:])
    assert np.array_equal(again.stages[-1], pictures[1].stages[-1])


@pytest.mark.parametrize("name", MODELS)
def test_shipped_model_is_small_and_has_a_card_with_samples(name: str) -> None:
    folder = ZOO_FOLDER / name
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in files)
    assert "![samples](samples.webp)" in (folder / "MODEL_CARD.md").read_text()
    with Image.open(folder / "samples.webp") as samples:
        assert samples.width == 6 * read_bundle(folder).manifest.stages[-1].resolution


@pytest.mark.parametrize("name", MODELS)
def test_collapse_alarm_is_silent_and_the_readme_has_the_measured_figures(name: str) -> None:
    manifest = read_bundle(ZOO_FOLDER / name).manifest
    metrics = manifest.metrics
    assert metrics["collapsed"] is False
    assert table_row(name)[1:] == [
        str(manifest.stages[-1].resolution),
        f"{metrics['fd_lite0']:.1f}",
        f"{metrics['text_match']:.1%}",
        f"{metrics['diversity']:.2f}",
        f"{metrics['seed_diversity']:.2f}",
    ]
