import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from creativeai.cli import main
from tiny_bundle import make_tiny_bundle

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_tiny_bundle(folder, "boats")
    make_tiny_bundle(folder, "tiny", resolution=64)
    return folder


@pytest.fixture
def run(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `creativeai` in an empty folder with two models; returns exit code, stdout and stderr."""
    monkeypatch.setenv("CREATIVEAI_MODELS", str(models))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["creativeai", *arguments])
        try:
            main()
            code = 0
        except SystemExit as done:
            code = int(done.code or 0)
        return code, *capsys.readouterr()

    return run


def made_from(file: Path) -> dict[str, object]:
    with Image.open(file) as image:
        content: dict[str, object] = json.loads(image.info["creativeai"])
    return content


def test_one_picture_here_named_by_its_text(run: Run, tmp_path: Path) -> None:
    code, out, err = run("generate", "a small red bird", "--model", "tiny", "--seed", "7")
    assert (code, out) == (0, "a-small-red-bird-7.png\n")
    assert err == "model tiny, seed 7\n"
    assert made_from(tmp_path / "a-small-red-bird-7.png")["seed"] == 7


def test_grid_folder_and_the_same_again(run: Run, tmp_path: Path) -> None:
    assert run("generate", "a bird", "-n", "8", "--seed", "7", "--model", "tiny", "-o", "grid.webp")[0] == 0
    with Image.open(tmp_path / "grid.webp") as grid:
        assert grid.size == (4 * 68 - 4, 2 * 68 - 4)
    code, out, err = run("generate", "a bird", "-n", "8", "--seed", "7", "--model", "tiny", "-o", "birds/")
    assert code == 0 and len(out.splitlines()) == 8 and err == "model tiny, seed 7 to 14\n"
    run("generate", "a bird", "--seed", "9", "--model", str(Path(os.environ["CREATIVEAI_MODELS"]) / "tiny"))
    with (
        Image.open(tmp_path / "a-bird-9.png") as again,
        Image.open(tmp_path / "birds" / "a-bird-9.png") as first,
    ):
        assert again.tobytes() == first.tobytes()


def test_truncation_and_default_model(run: Run, tmp_path: Path) -> None:
    assert run("generate", "a bird", "--truncation", "0.25", "-o", "a.png")[0] == 0
    assert made_from(tmp_path / "a.png").items() >= {"truncation": 0.25, "model": "boats"}.items()


def test_unknown_words_are_a_hint(run: Run) -> None:
    code, _, err = run("generate", "a 🐦 bird zxcvbnm", "-o", "a.png")
    assert code == 0
    assert err.splitlines()[1] == "hint: boats can't use these words: 🐦, zxcvbnm"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "the text is empty"),
        (["\x00\x1b"], "the text is empty"),
        (["x" * 10_000], "the text has 10000 characters: 1000 are the most"),
        (["🐦🦜"], "the model knows no word of '🐦🦜'"),
        (["красная птица"], "the model knows no word of"),
        (["a bird", "-n", "0"], "n is 0: ask for 1 to 64"),
        (["a bird", "-n", "-1"], "n is -1: ask for 1 to 64"),
        (["a bird", "-n", "10000"], "n is 10000: ask for 1 to 64"),
        (["a bird", "--seed", "-5"], "seed is -5: give a whole number"),
        (["a bird", "--truncation", "nan"], "truncation is nan: give a number"),
        (["a bird", "--model", "cars"], "there is no model 'cars' (known here: boats, tiny, birds,"),
        (["a bird", "-o", "bird.gif"], "can't write 'bird.gif'"),
        (["a bird", "-o", "nowhere/bird.png"], "there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run("generate", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"creativeai: {message}") and err.count("\n") == 1
    assert not os.listdir(tmp_path)


def test_damaged_model_is_one_line(run: Run, models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "tiny", tmp_path / "damaged")
    os.truncate(tmp_path / "damaged" / "generator.onnx", 100)
    code, _, err = run("generate", "a bird", "--model", "damaged")
    assert code == 2
    assert "damaged/generator.onnx is damaged: it has 100 bytes" in err and err.count("\n") == 1


def test_models_lists_them(run: Run) -> None:
    code, out, _ = run("models")
    assert code == 0
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    for name, pixels in (("boats", "32"), ("tiny", "64")):
        assert lines[name][:3] == ["projected_gan", "blots", pixels]
        assert lines[name][-2:] == ["123.4", "0.5"]


def test_preview_is_quiet_without_a_terminal(run: Run) -> None:
    code, out, _ = run("generate", "a bird", "-o", "a.png", "--preview")
    assert (code, out) == (0, "a.png\n")


def test_the_command_itself(models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "creativeai.cli", "generate", "a bird", "-o", "a.png"]
    environment = {**os.environ, "CREATIVEAI_MODELS": str(models)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "a.png\n"
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (32, 32)


def test_stages_stand_side_by_side(run: Run, tmp_path: Path) -> None:
    arguments = ["generate", "a bird", "-n", "2", "--seed", "0", "--model", "tiny", "-o"]
    assert run(*arguments, "rows.png", "--stages")[0] == 0
    assert run(*arguments, "birds/", "--stages")[0] == 0
    with Image.open(tmp_path / "rows.png") as rows, Image.open(tmp_path / "birds" / "a-bird-0.png") as row:
        assert rows.size == (2 * 68 - 4, 2 * 68 - 4)
        assert row.size == (2 * 68 - 4, 64)
        assert rows.crop((0, 0, *row.size)).tobytes() == row.tobytes()
    assert made_from(tmp_path / "rows.png").items() >= {"stages": True, "n": 2, "seed": 0}.items()


def test_captions_of_a_file_into_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("a red bird\na blue bird\n")
    bulk = ("generate", "--captions", "captions.txt", "--out", "out", "-n", "2", "--model", "tiny")
    code, out, _ = run(*bulk, "--shard", "2/2")
    assert (code, out) == (0, "out: 2 pictures of 2 captions, share 2/2\n")
    assert run(*bulk)[0] == 0
    assert made_from(tmp_path / "out" / "00000003.png") == {
        "text": "a blue bird",
        "seed": 3,
        "truncation": 0.8,
        "model": "tiny",
    }


@pytest.mark.parametrize(
    "arguments", [["--out", "x", "a bird"], [], ["--out", "x", "--stages"], ["--out", "x", "--preview"]]
)
def test_captions_of_a_file_need_a_place_and_nothing_else(
    run: Run, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "captions.txt").write_text("a red bird\n")
    code, out, err = run("generate", "--captions", "captions.txt", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("creativeai: --captions needs --out FOLDER") and err.count("\n") == 1
