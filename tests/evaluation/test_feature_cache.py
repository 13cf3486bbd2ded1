import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.data.prepare import prepare
from creativeai.evaluation import feature_cache
from creativeai.evaluation.feature_cache import (
    CACHE_NAME,
    cache_folders,
    kept_arrays,
    photo_features,
    reference_resolution,
)
from creativeai.evaluation.features import FeatureExtractor, PictureFeatures
from creativeai.models.efficientnet_lite import EfficientNetLite
from creativeai.models.pixels import pixels_to_tensor

ABOUT = {"dataset": "abc", "side": 64}


class Work:
    """Computes two arrays, and counts how often."""

    def __init__(self, num_rows: int = 5, value: float = 1.0) -> None:
        self.num_rows = num_rows
        self.value = value
        self.times = 0

    def __call__(self) -> Iterator[dict[str, np.ndarray]]:
        self.times += 1
        for start in range(0, self.num_rows, 2):
            rows = np.arange(start, min(start + 2, self.num_rows), dtype=np.float32)[:, None]
            yield {"pooled": rows * self.value, "descriptions": rows + np.zeros((1, 3), np.float32)}


def assert_right(arrays: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(arrays["pooled"], np.arange(5)[:, None])
    np.testing.assert_array_equal(arrays["descriptions"], np.arange(5)[:, None].repeat(3, 1))


def test_what_was_computed_is_read_the_next_time(tmp_path: Path) -> None:
    work = Work()
    for _ in range(3):
        arrays = kept_arrays([tmp_path / "kept"], ABOUT, 5, work)
        assert_right(arrays)
        assert isinstance(arrays["pooled"], np.memmap)
        arrays["pooled"][:] = 9  # stays in memory
    assert work.times == 1


@pytest.mark.parametrize("other", [{"side": 96}, {"dataset": "abd"}, {"network": "Lite0"}])
def test_what_depends_on_something_else_is_computed_anew(tmp_path: Path, other: dict[str, object]) -> None:
    work = Work()
    kept_arrays([tmp_path], ABOUT, 5, work)
    kept_arrays([tmp_path], ABOUT | other, 5, work)
    assert work.times == 2


def test_another_version_computes_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    kept_arrays([tmp_path], ABOUT, 5, work)
    monkeypatch.setattr(feature_cache, "_VERSION", 2)
    kept_arrays([tmp_path], ABOUT, 5, work)
    assert work.times == 2


def test_the_next_folder_serves_where_the_first_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("in the way")
    folders = [tmp_path / "a file" / "kept", tmp_path / "user"]
    work = Work()
    for _ in range(2):
        assert isinstance(kept_arrays(folders, ABOUT, 5, work)["pooled"], np.memmap)
    assert work.times == 1
    assert len(list((tmp_path / "user").iterdir())) == 1


def test_where_nothing_can_be_kept_it_is_computed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("in the way")
    work = Work()
    for folders in ([tmp_path / "a file" / "kept"], []):
        arrays = kept_arrays(folders, ABOUT, 5, work)
        assert_right(arrays)
        assert not isinstance(arrays["pooled"], np.memmap)
    assert work.times == 2


def test_a_full_disk_loses_no_work_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feature_cache.np, "save", full)
    work = Work()
    assert_right(kept_arrays([tmp_path / "kept"], ABOUT, 5, work))
    assert work.times == 1
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "gone", "empty", "no json", "about", "pickle", "rows"])
def test_damaged_features_are_computed_anew(tmp_path: Path, damage: str) -> None:
    kept_arrays([tmp_path], ABOUT, 5, Work())
    [folder] = tmp_path.iterdir()
    file = folder / "pooled.npy"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-4])
    elif damage == "gone":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "no json":
        (folder / "about.json").write_text("{")
    elif damage == "about":
        (folder / "about.json").write_text(json.dumps(["about"]))
    elif damage == "pickle":
        np.save(file, np.array([{}] * 5, object), allow_pickle=True)
    else:
        np.save(file, np.zeros((4, 1), np.float32))
    work = Work()
    assert_right(kept_arrays([tmp_path], ABOUT, 5, work))
    assert_right(kept_arrays([tmp_path], ABOUT, 5, work))
    assert work.times == 1


def test_two_at_a_time_both_get_the_features(tmp_path: Path) -> None:
    """The second ends while the first still computes."""
    inner = Work()

    def slow() -> Iterator[dict[str, np.ndarray]]:
        assert_right(kept_arrays([tmp_path], ABOUT, 5, inner))
        yield from Work()()

    assert_right(kept_arrays([tmp_path], ABOUT, 5, slow))
    assert inner.times == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_in_the_work_keeps_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, np.ndarray]]:
        yield from Work(3)()
        raise RuntimeError("no more memory")

    with pytest.raises(RuntimeError, match="no more memory"):
        kept_arrays([tmp_path], ABOUT, 5, broken)
    with pytest.raises(ValueError, match="3 rows were computed, not 5"):
        kept_arrays([tmp_path], ABOUT, 5, Work(3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resolutions", "reference_side", "expected"),
    [((64, 128, 256), 128, 128), ((64, 256), 128, 256), ((32, 64), 128, 64), ((128,), 128, 128)],
)
def test_photos_come_at_the_reference_size(
    resolutions: tuple[int, ...], reference_side: int, expected: int
) -> None:
    assert reference_resolution(resolutions, reference_side) == expected


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> CaptionedImages:
    out = tmp_path_factory.mktemp("data") / "birds"
    return CaptionedImages.open(prepare("toybirds", out, num_pictures=9, resolutions=(32, 64)).path)


@pytest.fixture
def extractor() -> FeatureExtractor:
    torch.manual_seed(0)
    return FeatureExtractor(EfficientNetLite(0).eval().requires_grad_(False), side=32, reference_side=48)


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def assert_equal(a: PictureFeatures, b: PictureFeatures) -> None:
    torch.testing.assert_close(a.pooled, b.pooled, rtol=0, atol=0)
    torch.testing.assert_close(a.descriptions, b.descriptions, rtol=0, atol=0)


def test_features_of_photos_are_the_extractors_and_are_kept(
    dataset: CaptionedImages, extractor: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = np.array([4, 0, 7, 8])
    monkeypatch.setattr(feature_cache, "_PHOTOS_AT_ONCE", 3)
    found = photo_features(dataset, pictures, extractor, console())
    assert_equal(found, extractor(pixels_to_tensor(dataset.images(64)[pictures])))
    mirrored = photo_features(dataset, pictures, extractor, console(), mirrored=True)
    assert_equal(mirrored, extractor(pixels_to_tensor(dataset.images(64)[pictures][:, :, ::-1])))
    assert CaptionedImages.open(dataset.path).meta.digest == dataset.meta.digest

    monkeypatch.setattr(FeatureExtractor, "__call__", None)
    assert_equal(photo_features(dataset, pictures, extractor, console()), found)
    assert_equal(photo_features(dataset, pictures, extractor, console(), mirrored=True), mirrored)
    for others, other_extractor in (
        (pictures[::-1], extractor),
        (pictures, FeatureExtractor(extractor.network, side=48, reference_side=48)),
        (pictures, FeatureExtractor(extractor.network, side=32, reference_side=64)),
    ):
        with pytest.raises(TypeError):
            photo_features(dataset, others, other_extractor, console())


def test_the_photos_of_a_dataset_that_can_not_be_written_are_kept_for_the_user(
    dataset: CaptionedImages,
    extractor: FeatureExtractor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folders(dataset.path) == [
        dataset.path / CACHE_NAME,
        tmp_path / "creativeai" / "features",
    ]
    shutil.rmtree(dataset.path / CACHE_NAME, ignore_errors=True)
    (dataset.path / CACHE_NAME).write_text("in the way, as root may write everywhere")
    try:
        photo_features(dataset, np.arange(3), extractor, console())
    finally:
        (dataset.path / CACHE_NAME).unlink()
    assert len(os.listdir(tmp_path / "creativeai" / "features")) == 1


def test_a_user_without_a_home_has_the_datasets_folder_alone(
    dataset: CaptionedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "user_cache", lambda: None)
    assert cache_folders(dataset.path) == [dataset.path / CACHE_NAME]


def test_long_work_says_so_in_a_log(
    dataset: CaptionedImages, extractor: FeatureExtractor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("creativeai.reporting.FIRST_LINE_SECONDS", 0.0)
    monkeypatch.setattr(feature_cache, "cache_folders", lambda _: [tmp_path])
    log = console()
    photo_features(dataset, np.arange(9), extractor, log)
    lines = log.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("EfficientNet-Lite0 looks at photos: ")
    assert "ended after 9 photos in" in lines[-1]
    again = console()
    photo_features(dataset, np.arange(9), extractor, again)
    assert again.file.getvalue() == ""  # type: ignore[attr-defined]
