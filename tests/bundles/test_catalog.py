import os
import shutil
from pathlib import Path

import pytest

from creativeai.bundles import catalog, find_bundle, find_bundles
from creativeai.bundles.listing import bundle_table
from creativeai.errors import BundleError, UnknownModelError
from tiny_bundle import make_tiny_bundle


@pytest.fixture(autouse=True)
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty zoo in place of the shipped one."""
    (tmp_path / "zoo").mkdir()
    monkeypatch.setattr(catalog, "ZOO_FOLDER", tmp_path / "zoo")
    return tmp_path / "zoo"


def test_default_model_is_birds_else_the_first(bundle: Path) -> None:
    models = bundle.parent
    shutil.copytree(bundle, models / "boats")
    assert list(find_bundles([models])) == ["boats", "tiny"]
    assert find_bundle(None, [models]) == models / "boats"
    shutil.copytree(bundle, models / "birds")
    assert list(find_bundles([models])) == ["birds", "boats", "tiny"]
    assert find_bundle(None, [models]) == models / "birds"


def test_given_folders_come_before_the_environment_and_the_zoo(
    bundle: Path, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle, zoo / "tiny")
    shutil.copytree(bundle, zoo / "shipped")
    assert find_bundles() == {"shipped": zoo / "shipped", "tiny": zoo / "tiny"}
    shutil.copytree(bundle, tmp_path / "mine" / "tiny")
    monkeypatch.setenv(
        "CREATIVEAI_MODELS", os.pathsep.join([str(tmp_path / "mine"), "", str(zoo / "shipped")])
    )
    assert find_bundles()["tiny"] == tmp_path / "mine" / "tiny"
    assert find_bundles([bundle.parent])["tiny"] == bundle


def test_folder_may_be_a_bundle_itself(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundles([bundle]) == {"tiny": bundle}
    monkeypatch.chdir(bundle)
    assert find_bundles(["."]) == {"tiny": bundle}


def test_hidden_folders_and_others_are_no_bundles(bundle: Path) -> None:
    shutil.copytree(bundle, bundle.parent / ".birds.abc.tmp")
    (bundle.parent / "empty").mkdir()
    (bundle.parent / "file").touch()
    assert list(find_bundles([bundle.parent])) == ["tiny"]


def test_path_is_a_name_too(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundle(str(bundle)) == bundle
    monkeypatch.chdir(bundle.parent)
    assert find_bundle("tiny") == bundle
    monkeypatch.chdir(bundle)
    assert find_bundle(".") == bundle


@pytest.mark.parametrize("name", ["", "nope", "../tiny", "/", "a\0b", "x" * 10_000])
def test_unknown_name_says_what_there_is(bundle: Path, name: str) -> None:
    with pytest.raises(UnknownModelError, match=r"there is no model .* \(known here: tiny\)") as caught:
        find_bundle(name, [bundle.parent])
    assert len(str(caught.value)) < 300


def test_no_model_at_all() -> None:
    with pytest.raises(UnknownModelError, match=r"no model here yet: .*CREATIVEAI_MODELS"):
        find_bundle()


def test_folder_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError, match="no folder /nowhere"):
        find_bundles(["/nowhere"])
    monkeypatch.setenv("CREATIVEAI_MODELS", "/nowhere")
    with pytest.raises(BundleError, match="no folder /nowhere"):
        find_bundles()


def test_table_shows_bundles_and_what_is_wrong_with_them(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle, bundle.parent / "broken")
    (bundle.parent / "broken" / "generator.onnx").unlink()
    monkeypatch.setenv("CREATIVEAI_MODELS", str(bundle.parent))
    table = bundle_table()
    rows = {column.header: [str(cell) for cell in column.cells] for column in table.columns}
    assert rows["name"] == ["broken", "tiny"]
    assert "generator.onnx is missing" in rows["recipe"][0]
    assert (rows["recipe"][1], rows["data"][1]) == ("projected_gan", "blots")
    assert (rows["kid"][1], rows["text_match"][1]) == ("123.4", "0.5")


def test_figures_of_a_former_measure_stand_beside_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_bundle(tmp_path, metrics={"fd_lite0": 62.7, "text_match": 0.361})
    monkeypatch.setenv("CREATIVEAI_MODELS", str(tmp_path))
    table = bundle_table()
    rows = {column.header: [str(cell) for cell in column.cells] for column in table.columns}
    assert rows["name"] == ["tiny"] and rows["text_match"] == [""]
