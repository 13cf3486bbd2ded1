"""Little folders of captioned pictures."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MakeFolder = Callable[..., Path]


def save_picture(path: Path, colour: str = "red", size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def noise_picture(seed: int, side: int = 32) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Makes a folder with a good picture for each row that has a `file_name`, and `metadata.jsonl`."""

    def make(*rows: dict[str, object] | str, name: str = "pictures") -> Path:
        root = tmp_path / name
        root.mkdir()
        for number, row in enumerate(rows):
            if isinstance(row, dict) and isinstance(file_name := row.get("file_name"), str):
                path = root / file_name
                path.parent.mkdir(parents=True, exist_ok=True)
                noise_picture(number).save(path, "PNG")
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (root / "metadata.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return root

    return make


@pytest.fixture
def good_folder(make_folder: MakeFolder) -> Path:
    """Twelve pictures with one or two captions each."""
    rows = [{"file_name": f"{number}.png", "captions": [f"bird {number}", "a bird"]} for number in range(11)]
    return make_folder(*rows, {"file_name": "deep/last.png", "text": "the last bird", "label": "owl"})
