"""The classic family as typed: a text encoder, models on it, a stage upon another, and the bundles of all."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creativeai import cli
from creativeai.bundles import read_bundle
from creativeai.engine import Engine, PictureRequest
from tiny_training import measuring_small

TEXT = "a small red bird with black wings"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("classic")


def creativeai(*arguments: str | Path) -> None:
    """Runs a command that is to succeed."""
    with pytest.MonkeyPatch.context() as patch, measuring_small():
        patch.setattr(sys, "argv", ["creativeai", *map(str, arguments)])
        with pytest.raises(SystemExit, match="0"):
            cli.main()


def train(recipe: str, data: Path, out: Path, *more: str | Path) -> None:
    creativeai(
        "train",
        recipe,
        "--data",
        data,
        "--out",
        out,
        "--preset",
        "debug",
        "--steps",
        "2",
        "--no-compile",
        *more,
    )


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    out = folder / "data"
    creativeai("data", "prepare", "toybirds", out, "--num", "40", "--resolutions", "64,128")
    return out


@pytest.fixture(scope="module")
def damsm(folder: Path, data: Path) -> Path:
    """A text encoder of one's own, exported."""
    train("damsm", data, folder / "runs" / "damsm", "--set", "resolution=64")
    creativeai("export", folder / "runs" / "damsm", "-o", folder / "damsm")
    assert list((folder / "runs" / "damsm" / "attention").glob("*.png"))
    return folder / "damsm"


def test_attngan_learns_and_draws_with_the_damsm_it_is_given(folder: Path, data: Path, damsm: Path) -> None:
    run = folder / "runs" / "attngan"
    train("attngan", data, run, "--text-encoder", damsm, "--set", "damsm_weight=1")
    assert {path.parent.name for path in run.glob("samples*/*.png")} == {"samples_64", "samples"}
    creativeai("export", run, "-o", folder / "attngan", "--example", TEXT)
    bundle = read_bundle(folder / "attngan")
    assert bundle.manifest.text_encoder.folder == "text"
    engine = Engine(bundle)
    [picture] = engine.generate([PictureRequest(TEXT, seed=1, attention=True)])
    assert [stage.shape[0] for stage in picture.stages] == [64, 128]
    assert picture.words == ("a", "small", "red", "bird", "with", "black", "wings")[: len(picture.words)]
    [attention] = picture.attention
    np.testing.assert_allclose(attention.sum(0), 1, atol=1e-4)


def test_attngan_learns_by_a_damsm_over_minilm(folder: Path, data: Path) -> None:
    train("damsm", data, folder / "runs" / "over", "--set", "resolution=64", "--set", "text=minilm")
    creativeai("export", folder / "runs" / "over", "-o", folder / "over")
    assert {path.name for path in (folder / "over").iterdir()} == {"encoder.json", "guide.npz"}
    run = folder / "runs" / "attngan-minilm"
    train("attngan", data, run, "--text-encoder", folder / "over", "--set", "damsm_weight=1")
    creativeai("export", run, "-o", folder / "attngan-minilm", "--example", TEXT)
    bundle = read_bundle(folder / "attngan-minilm")
    assert (bundle.manifest.text_encoder.name, bundle.manifest.text_encoder.folder) == ("minilm", None)
    [picture] = Engine(bundle).generate([PictureRequest("a vermilion bird", seed=1)])
    assert picture.stages[-1].shape == (128, 128, 3)


def test_stage_two_builds_upon_stage_one(folder: Path, data: Path) -> None:
    first, second = folder / "runs" / "first", folder / "runs" / "second"
    train("wgan_cls", data, first)
    train("stackgan_stage2", data, second, "--first-stage", first)
    for path in first.rglob("*"):  # the run goes on by its own copy
        if path.is_file():
            path.unlink()
    creativeai("train", "--resume", second, "--steps", "3", "--no-compile")
    creativeai("export", second, "-o", folder / "stages", "--example", TEXT)
    [picture] = Engine(read_bundle(folder / "stages")).generate([PictureRequest(TEXT, seed=1)])
    assert [stage.shape[0] for stage in picture.stages] == [64, 128]


def test_pictures_of_one_class_with_one_caption_train_too(folder: Path, damsm: Path) -> None:
    """Nothing can be told apart: every mismatched caption is the right one, DAMSM has nothing to choose."""
    pictures, data, run = folder / "same", folder / "same-data", folder / "runs" / "same"
    pictures.mkdir()
    random = np.random.default_rng(0)
    lines = []
    for index in range(20):
        pixels = random.integers(0, 256, (128, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{index}.png")
        lines.append(json.dumps({"file_name": f"{index}.png", "text": "a red bird", "label": "bird"}))
    (pictures / "metadata.jsonl").write_text("\n".join(lines))
    creativeai("data", "prepare", "folder", data, "--from", pictures, "--resolutions", "128")
    train("attngan", data, run, "--text-encoder", damsm, "--set", "damsm_weight=1")
    figures = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert figures["step"] == 2 and np.isfinite(figures["fd_lite2"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stackgan_stage2"], "stackgan_stage2: give the run it builds upon --first-stage RUN"),
        (["gan_cls", "--first-stage", "{tmp}"], "gan_cls: it builds upon none: leave out --first-stage RUN"),
        (
            ["attngan", "--set", "damsm_weight=5"],
            "damsm_weight needs a trained DAMSM: creativeai train damsm",
        ),
        (
            ["gan_cls", "--text-encoder", "{tmp}"],
            "{tmp} is no text encoder: name one of minilm, minilm_gru, or the folder",
        ),
        (["gan_cls", "--set", "learning.batch_size=1"], "batch_size=1 must be at least 2"),
        (["gan_cls", "--set", "stabilisers.r1=1"], "discriminator_norm=batch makes it depend on the other"),
    ],
)
def test_what_does_not_fit_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    command = ["train", *(part.format(tmp=tmp_path) for part in arguments), "--data", str(data)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(
            sys, "argv", ["creativeai", *command, "--out", str(tmp_path / "run"), "--preset", "debug"]
        )
        cli.main()
    stderr = capsys.readouterr().err
    assert stop.value.code == 2 and "Traceback" not in stderr
    assert message.format(tmp=tmp_path) in stderr.splitlines()[-1]


def test_stage_two_wants_the_text_encoder_of_stage_one(
    folder: Path, data: Path, damsm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = folder / "runs" / "of-damsm"
    train("stackgan_stage1", data, first, "--text-encoder", damsm)
    out = folder / "runs" / "mixed"
    command = [
        "train",
        "stackgan_stage2",
        "--data",
        data,
        "--out",
        out,
        "--preset",
        "debug",
        "--first-stage",
        first,
    ]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["creativeai", *map(str, command)])
        cli.main()
    assert stop.value.code == 2
    assert (
        "was trained with the text encoder damsm, this run has minilm"
        in capsys.readouterr().err.splitlines()[-1]
    )
