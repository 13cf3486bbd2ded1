"""`creativeai evaluate` and `creativeai compare` on tiny bundles, judged by colours."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creativeai import cli
from creativeai.data import CaptionedImages
from creativeai.evaluation import report as report_module
from creativeai.evaluation.card import read_card
from creativeai.store import publish
from tiny_bundle import make_tiny_bundle
from tiny_training import measuring_small


def splits(dataset: CaptionedImages, split: str) -> np.ndarray:
    places = {"test": range(8), "validation": range(8, 10), "train": range(10, len(dataset))}
    return np.array(places[split], np.int64)


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.MonkeyPatch.context() as patch, measuring_small(), pytest.raises(SystemExit) as stop:
        patch.setattr(CaptionedImages, "indices", splits)
        patch.setattr(sys, "argv", ["creativeai", *map(str, arguments)])
        patch.setattr(sys, "stdout", stdout := io.StringIO())
        patch.setattr(sys, "stderr", stderr := io.StringIO())
        cli.main()
    return int(stop.value.code or 0), stdout.getvalue(), stderr.getvalue()


def refusal(*arguments: object) -> str:
    """The one line with which a command ends."""
    code, stdout, stderr = run(*arguments)
    assert code == 2 and stdout == ""
    *_, line = stderr.splitlines()
    assert line.startswith("creativeai: ") and "Traceback" not in stderr
    return line


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [make_tiny_bundle(folder, "one"), make_tiny_bundle(folder, "two", resolution=64, attends=True)]


@pytest.fixture(scope="module")
def measured(
    models: list[Path], toybirds: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    out = tmp_path_factory.mktemp("reports") / "report"
    code, stdout, stderr = run("evaluate", *models, "--data", toybirds, "--out", out)
    assert code == 0, stderr
    return out, stdout, stderr


def test_report_has_cards_grids_and_a_page(measured: tuple[Path, str, str], models: list[Path]) -> None:
    out, stdout, _ = measured
    assert sorted(path.name for path in out.iterdir()) == [
        "one.card.json",
        "one.grid.webp",
        "report.html",
        "two.card.json",
        "two.grid.webp",
    ]
    assert stdout.splitlines()[-1] == str(out)
    card = read_card(out / "two.card.json")
    manifest = json.loads((models[1] / "bundle.json").read_text())
    assert card.model.digest == manifest["files"]["generator.onnx"]["sha256"]
    assert card.model.resolution == 64
    assert (card.protocol.num_pictures, card.protocol.num_photos, card.protocol.split) == (8, 8, "test")
    assert card.protocol.truncation == 1.0  # whatever the model's own
    assert card.figures["fd_lite2"].floor is not None
    assert card.figures["milliseconds"].value is not None and card.figures["milliseconds"].value > 0
    with Image.open(out / "two.grid.webp") as grid:
        assert grid.size == (4 * 64, 8 * 64)
    page = (out / "report.html").read_text()
    assert "one and two on toybirds" in page and page.count("data:image/webp") == 2


def test_table_is_whole_in_a_pipe(measured: tuple[Path, str, str]) -> None:
    _, stdout, _ = measured
    [heading] = [line for line in stdout.splitlines() if "figure" in line]
    assert heading.split() == ["figure", "one", "two", "photos"]
    assert any(line.strip().startswith("fd_lite2") for line in stdout.splitlines())
    assert "…" not in stdout


def test_what_figures_are_worth_and_another_domain_are_told(measured: tuple[Path, str, str]) -> None:
    out, _, stderr = measured
    assert "only 8 test photos: the intervals are wide" in stderr
    notes = read_card(out / "one.card.json").notes
    assert any("only 8 test photos" in note for note in notes)
    assert any("trained on blots, not on toybirds" in note for note in notes)


def test_two_runs_are_equal_but_for_time_and_memory(
    measured: tuple[Path, str, str], models: list[Path], toybirds: Path, tmp_path: Path
) -> None:
    assert run("evaluate", models[0], "--data", toybirds, "--out", tmp_path / "again")[0] == 0
    ours, theirs = (
        json.loads((folder / "one.card.json").read_text()) for folder in (measured[0], tmp_path / "again")
    )
    for card in (ours, theirs):
        del card["created"], card["figures"]["milliseconds"], card["figures"]["megabytes"]
    assert ours == theirs
    assert (measured[0] / "one.grid.webp").read_bytes() == (tmp_path / "again" / "one.grid.webp").read_bytes()


def test_compare_puts_reports_side_by_side(measured: tuple[Path, str, str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, stdout, _ = run("compare", measured[0], "--out", page)
    assert code == 0 and stdout.splitlines()[-1] == str(page)
    assert page.read_text() == (measured[0] / "report.html").read_text()
    code, stdout, _ = run("compare", measured[0] / "one.card.json")
    assert code == 0 and "fd_lite2" in stdout


def test_compare_refuses_cards_of_unlike_protocol(
    measured: tuple[Path, str, str], models: list[Path], toybirds: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    options = ("--num", 12, "--truncation", 0.5, "--seed", 3)
    assert run("evaluate", models[0], "--data", toybirds, "--out", other, *options)[0] == 0
    line = refusal(
        "compare", measured[0] / "one.card.json", other / "one.card.json", "-o", tmp_path / "p.html"
    )
    for part in ("num_pictures: 8 and 12", "truncation: 1.0 and 0.5", "seed: 0 and 3", "captions_digest: "):
        assert part in line
    assert not (tmp_path / "p.html").exists()


def test_existing_report_is_kept_unless_forced(
    measured: tuple[Path, str, str], models: list[Path], toybirds: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "precious").write_text("mine")
    options = ("evaluate", models[0], "--data", toybirds, "--out", out)
    assert "exists already" in refusal(*options)
    assert "is no report of creativeai evaluate" in refusal(*options, "--force")
    (out / "report.html").write_text("older")
    assert run(*options, "--force")[0] == 0
    assert not (out / "precious").exists() and (out / "one.card.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_report_is_written_whole_or_not_at_all(
    models: list[Path], toybirds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_module, "compare_page", full)
    line = refusal("evaluate", models[0], "--data", toybirds, "--out", tmp_path / "report")
    assert "can't write the report" in line and "No space left" in line
    assert list(tmp_path.iterdir()) == []


def test_model_of_a_store_is_measured(models: list[Path], toybirds: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "report"
    publish(str(store), models[0])
    options = ("--data", toybirds, "--out", out, "--num", 4)
    assert "say which, --store" in refusal("evaluate", "one@1", *options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert run("evaluate", "one@1", *options, "--store", store)[0] == 0
    assert read_card(out / "one.card.json").model.name == "one"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("{model}", "--data", "{tmp}/none"), "no such folder"),
        (("no-such-model", "--data", "{data}"), "there is no model 'no-such-model'"),
        (("{model}", "--data", "{data}", "--split", "train"), "can't measure on the split 'train'"),
    ],
)
def test_wrong_options_are_refused(
    models: list[Path], toybirds: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    names = {"model": models[0], "data": toybirds, "tmp": tmp_path}
    arguments = [option.format(**names) for option in options]
    assert message in refusal("evaluate", *arguments, "--out", tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_damaged_model_is_refused_before_anything_is_measured(
    models: list[Path], toybirds: Path, tmp_path: Path
) -> None:
    broken = make_tiny_bundle(tmp_path, "broken")
    (broken / "generator.onnx").write_bytes(b"x")
    line = refusal("evaluate", models[0], broken, "--data", toybirds, "--out", tmp_path / "report")
    assert "is damaged" in line


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema_version": 99}'])
def test_bad_card_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert "x.json" in refusal("compare", tmp_path / "x.json")


def test_folder_without_a_card_is_refused(models: list[Path]) -> None:
    assert "has no evaluation card" in refusal("compare", models[0])
