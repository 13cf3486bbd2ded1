import shutil
from pathlib import Path

import numpy as np
import pytest

import creativeai
from creativeai.engine.model import Model
from creativeai.errors import RequestError, UnknownModelError


def test_load_by_name_and_path(tiny_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(tiny_path, tmp_path / "boats")
    monkeypatch.setenv("CREATIVEAI_MODELS", str(tmp_path))
    assert "boats" in creativeai.list_models()
    by_name = creativeai.load("boats")
    assert by_name.name == "boats"
    assert by_name.manifest.title == "Tiny test model"
    assert creativeai.load(tiny_path).name == "tiny"
    with pytest.raises(UnknownModelError, match="no model 'cars'"):
        creativeai.load("cars")


def test_images_know_what_they_were_made_from(tiny: Model) -> None:
    images = tiny.generate("  a small\nred bird", n=3, seed=2**32 - 2, truncation=0.5)
    assert [image.info["seed"] for image in images] == [2**32 - 2, 2**32 - 1, 0]
    assert all(image.mode == "RGB" and image.size == (32, 32) for image in images)
    info = images[2].info
    assert (info["text"], info["truncation"], info["model"]) == ("a small red bird", 0.5, "tiny")
    [again] = tiny.generate(info["text"], seed=info["seed"], truncation=info["truncation"])
    assert again.tobytes() == images[2].tobytes()


def test_seed_is_random_and_truncation_the_models_unless_given(tiny: Model) -> None:
    [first], [second] = tiny.generate("a bird"), tiny.generate("a bird")
    assert first.info["seed"] != second.info["seed"]
    assert first.info["truncation"] == tiny.manifest.default_truncation == 0.8


def test_pictures_are_arrays_with_stages(tiny: Model) -> None:
    [picture] = tiny.pictures("a bird", seed=1)
    [image] = tiny.generate("a bird", seed=1)
    np.testing.assert_array_equal(picture.pixels, np.asarray(image))
    assert len(picture.stages) == 2


@pytest.mark.parametrize("text", ["", "🐦🐦🐦", "x" * 10_000, "птица"])
def test_useless_text_is_refused(tiny: Model, text: str) -> None:
    with pytest.raises(RequestError):
        tiny.generate(text)


def test_unknown_words(tiny: Model) -> None:
    assert tiny.unknown_words("a 🐦 bird") == ["🐦"]
