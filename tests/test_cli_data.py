"""The data commands, as typed: what they print, and one line and exit code 2 for what can't be."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image


def creativeai(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "creativeai.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "toys"
    done = creativeai(
        "data", "prepare", "toybirds", out, "--num", "20", "--seed", "5", "--resolutions", "16,32"
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{out}: 20 pictures (")
    return out


def test_show_prints_a_table_and_writes_a_sheet(toys: Path, tmp_path: Path) -> None:
    done = creativeai("data", "show", toys, "--sheet", tmp_path / "sheet.webp", "-n", "4")

    assert done.returncode == 0
    assert "16 x 16, 32 x 32" in done.stdout
    assert done.stdout.splitlines()[-1] == str(tmp_path / "sheet.webp")
    assert (tmp_path / "sheet.webp").stat().st_size > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["fish", "{out}"],
            "unknown source 'fish': use one of folder, birds, flowers, toybirds, cub200,",
        ),
        (["toybirds", "{out}", "--split", "sides"], "unknown split 'sides': use pictures or classes"),
        (["toybirds", "{out}", "--num", "9", "--split", "classes"], "9 of 9 pictures have no label"),
        (["toybirds", "{toys}"], "{toys} exists already: remove it or choose another folder"),
        (["toybirds", "{out}", "--num", "0"], "the number of pictures must be at least 1, not 0"),
        (["toybirds", "{out}", "--resolutions", "big"], "resolutions 'big' are not whole numbers"),
        (["birds", "{out}"], "birds needs --from DIR"),
        (["folder", "{out}", "--from", "{toys}"], "{toys} has no metadata.jsonl or metadata.csv"),
    ],
)
def test_errors_are_one_line(toys: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    names = {"out": tmp_path / "out", "toys": toys}
    done = creativeai("data", "prepare", *(argument.format(**names) for argument in arguments))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"creativeai: {message.format(**names)}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_show_of_what_is_no_dataset(tmp_path: Path) -> None:
    done = creativeai("data", "show", tmp_path)

    assert done.returncode == 2
    assert "is not a prepared dataset" in done.stderr and done.stderr.count("\n") == 1


def test_download_of_an_unknown_dataset_is_one_line(tmp_path: Path) -> None:
    done = creativeai("data", "download", "cars", str(tmp_path / "out"))
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert done.stderr == "creativeai: unknown dataset 'cars': cub200 and oxford102 can be downloaded\n"


def test_captions_without_a_known_word_are_told_by_prepare_and_show(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    root.mkdir()
    for number, text in enumerate(["a red bird", "红色的鸟"]):
        Image.new("RGB", (32, 32), ("red", "blue")[number]).save(root / f"{number}.png")
        (root / f"{number}.txt").write_text(text, "utf-8")
    made = creativeai("data", "prepare", "text_files", tmp_path / "out", "--from", root)
    shown = creativeai("data", "show", tmp_path / "out")

    line = "not read by MiniLM: 1 of 2 captions have no word that it knows, of 1 picture (1.png), 1 of which"
    assert made.returncode == shown.returncode == 0
    assert line in made.stdout and line in shown.stdout


def test_default_resolutions_serve_every_preset(tmp_path: Path) -> None:
    done = creativeai("data", "prepare", "toybirds", tmp_path / "out", "--num", "2")

    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "out").glob("images_*")}
    assert names == {"images_32.npy", "images_64.npy", "images_128.npy", "images_256.npy"}
