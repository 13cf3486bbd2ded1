"""`creativeai import` as typed: published files in, bundles and text encoders like any other out."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai import cli
from creativeai.bundles import read_bundle
from creativeai.bundles.listing import bundle_table
from creativeai.engine import Engine, PictureRequest
from creativeai.engine.pictures import noise_of
from creativeai.importers import attngan, damsm, df_gan, stackgan, stackgan_v2
from creativeai.importers.char_cnn_rnn import read_text_encoder
from creativeai.importers.name_map import Weights
from creativeai.models.conditioning import TextTensors
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.recipes.encoders.damsm_guide import load_damsm_guide
from creativeai.server.app import create_app
from creativeai.text import load_text_encoder
from creativeai.text.alphabet import character_ids
from importers.official_files import (
    PUBLISHED,
    WORDS,
    random_weights,
    save,
    save_captions,
    small_weights,
    without_counters,
)
from importers.t7_writer import text_encoder_bytes

TEXT = "This small, red bird has BLACK wings"
KNOWN = ["this", "small", "red", "bird", "has", "black", "wings"]
# Seven exports: slow where a training has the processor.
pytestmark = pytest.mark.timeout(600)
T7_SIZES: dict[str, Any] = {"widths": (6, 7, 8), "out_dim": 128}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published files at an eighth of the widths, saved in the ways that their authors did."""
    folder = tmp_path_factory.mktemp("official")
    weights = without_counters(small_weights("attngan_bird generator"))
    save(weights, folder / "bird_AttnGAN2.pth", old_format=True)
    save(small_weights("attndcgan_bird generator"), folder / "bird_AttnDCGAN2.pth")
    save(small_weights("attngan_bird text_encoder"), folder / "text_encoder200.pth", old_format=True)
    save_captions(folder / "captions.pickle")
    inner = {f"module.{name}": value for name, value in small_weights("df_gan generator").items()}
    save({"model": {"netG": inner, "netD": {}}, "epoch": 610}, folder / "df_gan.pth")
    parallel = {f"module.{name}": value for name, value in small_weights("stackgan_v2 generator").items()}
    save(without_counters(parallel), folder / "netG_210000.pth", old_format=True)
    save(small_weights("stackgan_stage1 generator"), folder / "stage1.pth")
    save(small_weights("stackgan_stage2 generator"), folder / "stage2.pth")
    (folder / "sje.t7").write_bytes(text_encoder_bytes("gru", **T7_SIZES))
    return folder


def creativeai(*arguments: str | Path) -> None:
    """Runs a command that is to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["creativeai", *map(str, arguments)])
        with pytest.raises(SystemExit, match="0"):
            cli.main()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Runs a command that is to fail in one line; gives that line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["creativeai", *map(str, arguments)])
        with pytest.raises(SystemExit, match="2"):
            cli.main()
    error = capsys.readouterr().err
    assert error.startswith("creativeai: ") and error.count("\n") == 1
    return error


def pixels(image: Tensor) -> NDArray[np.int16]:
    return ((image[0].clamp(-1, 1) + 1) * 127.5).round().to(torch.int16).permute(1, 2, 0).numpy()


def assert_equal_pictures(bundle: Path, generator: torch.nn.Module, text: TextTensors) -> None:
    """The engine's pictures and maps are the torch network's: a level of 255 apart at most, from rounding."""
    engine = Engine(read_bundle(bundle))
    attends = bool(engine.manifest.attention)
    [made] = engine.generate([PictureRequest(TEXT, seed=5, attention=attends)])
    noise = torch.from_numpy(noise_of(5, engine.manifest.noise_dim, 1.0))
    expected = generator(noise, text)
    assert len(made.stages) == len(expected.images)
    for ours, theirs in zip(made.stages, expected.images, strict=True):
        difference = np.abs(ours.astype(np.int16) - pixels(theirs))
        assert ours.std() > 10, "a picture of one colour says nothing"
        assert difference.max() <= 1 and (difference > 0).mean() < 0.01
    for ours, theirs in zip(made.attention, expected.attention, strict=True):
        np.testing.assert_allclose(ours, theirs[0, : len(ours)], atol=1e-4)


def damsm_text(files: Path) -> TextTensors:
    """What the published text encoder says of TEXT, read by the published preprocessing."""
    weights = small_weights("attngan_bird text_encoder")
    ids = torch.tensor([[WORDS.index(word) for word in KNOWN]])
    words, sentence = damsm.text_encoder(weights, files)(ids, torch.tensor([len(KNOWN)]))
    return TextTensors(sentence, words, torch.ones(1, len(KNOWN), dtype=torch.bool))


def characters_text(files: Path) -> TextTensors:
    ids = torch.tensor([character_ids(TEXT)])
    sentence = read_text_encoder(files / "sje.t7")(ids)
    return TextTensors(sentence, sentence[:, None], torch.ones(1, 1, dtype=torch.bool))


@pytest.fixture(scope="module")
def bird(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AttnGAN's birds, imported."""
    out = tmp_path_factory.mktemp("models") / "bird"
    creativeai(
        "import",
        "attngan",
        "--generator",
        files / "bird_AttnGAN2.pth",
        "--text-encoder",
        files / "text_encoder200.pth",
        "--captions",
        files / "captions.pickle",
        "-o",
        out,
    )
    return out


def test_attngan_draws_what_the_published_network_draws(files: Path, bird: Path) -> None:
    generator = attngan.generator(small_weights("attngan_bird generator"), files)
    assert_equal_pictures(bird, generator, damsm_text(files))
    [made] = Engine(read_bundle(bird)).generate([PictureRequest(TEXT, seed=5, attention=True)])
    assert made.words == tuple(KNOWN)
    assert [stage.shape[0] for stage in made.stages] == [64, 128, 256]
    assert [map.shape[1] for map in made.attention] == [64, 128]


def test_what_is_unknown_stays_unknown(bird: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_bundle(bird).manifest
    assert (manifest.name, manifest.recipe, manifest.preset) == ("bird", "attngan", "published")
    assert manifest.schema_version == 3
    assert (manifest.dataset.digest, manifest.dataset.num_train, manifest.dataset.num_val) == (None,) * 3
    assert (manifest.training.steps, manifest.training.images_seen, manifest.training.seconds) == (None,) * 3
    assert manifest.dataset.licence == "unknown" and manifest.metrics == {}
    assert set(manifest.examples) == {"this bird has red wings", "a small red bird with black wings"}
    source = manifest.training.hyperparameters["imported_from"]
    assert source["generator"]["file"] == "bird_AttnGAN2.pth" and len(source["captions"]["sha256"]) == 64
    card = (bird / "MODEL_CARD.md").read_text()
    assert "By its authors, not here: steps, pictures seen and time are unknown." in card
    assert "unknown (`unknown`); licence: unknown." in card and "None" not in card
    monkeypatch.setenv("CREATIVEAI_MODELS", str(bird))
    rows = {column.header: [str(cell) for cell in column.cells] for column in bundle_table().columns}
    row = rows["name"].index("bird")
    assert (rows["recipe"][row], rows["data"][row]) == ("attngan", "unknown")


def test_server_and_its_listing_take_an_imported_model(bird: Path) -> None:
    client = create_app({"bird": bird}, wait_for_models=True).test_client()
    listed = client.get("/v1/models").json["data"][0]
    assert (listed["dataset"]["num_train"], listed["licence"]) == (None, "unknown")
    assert client.get("/v1/models/bird/card").status_code == 200
    assert client.get("/v1/models/bird/samples").status_code == 200
    answer = client.post(
        "/v1/images/generations",
        json={"prompt": TEXT + " zebra", "seed": 1, "attention": True, "stages": True},
    )
    assert answer.status_code == 200, answer.json
    assert answer.json["unknown_words"] == ["zebra"]


def test_bundle_is_made_of_the_published_tokeniser(bird: Path) -> None:
    encoder = load_text_encoder("damsm", bird / "text")
    assert encoder.word_places("A père's red_bird, RED bird!") == ["a", "s", "red", "bird"]
    assert encoder.unknown_words("A père's red_bird, RED bird!") == ["père", "red_bird"]
    assert encoder.max_words == 25 and encoder.dim == 32
    norm = float(np.linalg.norm(encoder.encode([TEXT]).sentence))
    assert abs(norm - 1) > 0.01, "published models were trained on sentence vectors of any length"


@pytest.mark.parametrize("model", ["attndcgan", "df_gan"])
def test_other_models_of_words_draw_what_the_published_networks_draw(
    files: Path, tmp_path: Path, model: str
) -> None:
    file = {"attndcgan": "bird_AttnDCGAN2.pth", "df_gan": "df_gan.pth"}[model]
    creativeai(
        "import",
        "attngan" if model == "attndcgan" else model,
        "--generator",
        files / file,
        "--text-encoder",
        files / "text_encoder200.pth",
        "--captions",
        files / "captions.pickle",
        "--out",
        tmp_path / "out",
        "--example",
        "a red bird",
    )
    if model == "attndcgan":
        generator: torch.nn.Module = attngan.generator(small_weights("attndcgan_bird generator"), files)
    else:
        generator = df_gan.generator(small_weights("df_gan generator"), files)
        manifest = read_bundle(tmp_path / "out").manifest
        assert "non-commercial use only" in manifest.dataset.licence
        assert "for non-commercial use only" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert_equal_pictures(tmp_path / "out", generator, damsm_text(files))


@pytest.mark.parametrize("recipe", ["stackgan_v2", "stackgan_stage1", "stackgan_stage2"])
def test_models_of_characters_draw_what_the_published_networks_draw(
    files: Path, tmp_path: Path, recipe: str
) -> None:
    file = {
        "stackgan_v2": "netG_210000.pth",
        "stackgan_stage1": "stage1.pth",
        "stackgan_stage2": "stage2.pth",
    }
    creativeai(
        "import",
        recipe,
        "--generator",
        files / file[recipe],
        "--text-encoder",
        files / "sje.t7",
        "-o",
        tmp_path / "out",
        "--name",
        "birds-v2",
        "--title",
        "Birds",
        "--licence",
        "MIT",
    )
    manifest = read_bundle(tmp_path / "out").manifest
    assert (manifest.name, manifest.title, manifest.dataset.licence) == ("birds-v2", "Birds", "MIT")
    weights: Weights = small_weights(f"{recipe} generator")
    readers = {
        "stackgan_v2": stackgan_v2.generator,
        "stackgan_stage1": stackgan.stage1_generator,
        "stackgan_stage2": stackgan.stage2_generator,
    }
    assert_equal_pictures(tmp_path / "out", readers[recipe](weights, files), characters_text(files))


def foreign_encoder(folder: Path, words: tuple[str, ...]) -> list[str | Path]:
    """Arguments of a random LSTM with a vocabulary of its own, as someone trains it on other captions."""
    weights = dict(small_weights("attngan_bird text_encoder"))
    weights["encoder.weight"] = weights["encoder.weight"][: len(words)].clone()
    text_encoder = save(weights, folder / "text_encoder.pth")
    captions = save_captions(folder / "foreign.pickle", words=words, train=[[1, 2]], test=[[2, 1]])
    return ["--text-encoder", text_encoder, "--captions", captions]


def test_damsm_of_another_language_reads_its_own_words(tmp_path: Path) -> None:
    files = foreign_encoder(tmp_path, ("<end>", "红", "花"))
    creativeai("import", "damsm", *files, "-o", tmp_path / "encoder")
    encoder = load_text_encoder("damsm", tmp_path / "encoder")

    assert encoder.word_places("红 花") == ["红", "花"] and encoder.unknown_words("红 花 鸟") == ["鸟"]
    features = encoder.encode(["红 花", "花 红", "红"])
    assert np.isfinite(features.sentence).all()
    assert not np.allclose(features.sentence[0], features.sentence[1])


def test_damsm_whose_words_nobody_can_type_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = foreign_encoder(tmp_path, ("<end>", "🐦", "🌸"))
    error = refused(capsys, "import", "damsm", *files, "-o", tmp_path / "encoder")

    assert "foreign.pickle: of the 2 words in its vocabulary 0 can be typed" in error
    assert not (tmp_path / "encoder").exists()


def test_damsm_becomes_a_folder_that_training_takes(files: Path, tmp_path: Path) -> None:
    shapes = {
        name: [32 if size == 256 and name.startswith("emb_") else size for size in shape]
        for name, shape in PUBLISHED["attngan image_encoder"].items()
    }
    image_encoder = save(random_weights(shapes), tmp_path / "image_encoder200.pth")
    creativeai(
        "import",
        "damsm",
        "--text-encoder",
        files / "text_encoder200.pth",
        "--image-encoder",
        image_encoder,
        "--captions",
        files / "captions.pickle",
        "-o",
        tmp_path / "encoder",
    )
    encoder = load_text_encoder("damsm", tmp_path / "encoder")
    features = encoder.encode([TEXT])
    expected = damsm_text(files)
    np.testing.assert_allclose(features.sentence, expected.sentence, atol=1e-5)
    np.testing.assert_allclose(features.words[:, : len(KNOWN)], expected.words, atol=1e-5)
    guide = load_damsm_guide(tmp_path / "encoder" / "guide.npz", load_efficientnet_lite0(), image_encoder)
    weights = torch.load(image_encoder, weights_only=True)
    regions, vector = torch.randn(2, 768, 17, 17), torch.randn(2, 2048)
    seen, whole = guide.heads(regions, vector)
    expected_regions = torch.einsum("dc,bchw->bdhw", weights["emb_features.weight"][:, :, 0, 0], regions)
    torch.testing.assert_close(seen, expected_regions, rtol=1e-5, atol=1e-5)
    expected_whole = vector @ weights["emb_cnn_code.weight"].T + weights["emb_cnn_code.bias"]
    torch.testing.assert_close(whole, expected_whole, rtol=1e-5, atol=1e-5)
    assert torch.equal(
        guide.trunk.state_dict()["Mixed_7c.branch_pool.bn.running_var"],
        weights["Mixed_7c.branch_pool.bn.running_var"],
    )
    assert guide.gammas == (4.0, 5.0, 10.0) and guide.adapter is None


@pytest.mark.parametrize("unknown_characters", ["port", "lua"])
def test_char_cnn_rnn_becomes_a_folder_that_training_takes(
    files: Path, tmp_path: Path, unknown_characters: str
) -> None:
    creativeai(
        "import",
        "char_cnn_rnn",
        files / "sje.t7",
        "--unknown-characters",
        unknown_characters,
        "-o",
        tmp_path / "encoder",
    )
    encoder = load_text_encoder("char_cnn_rnn", tmp_path / "encoder")
    ids = character_ids(TEXT, "lua" if unknown_characters == "lua" else "port")
    expected = read_text_encoder(files / "sje.t7")(torch.tensor([ids]))
    np.testing.assert_allclose(encoder.encode([TEXT]).sentence, expected, atol=1e-5)
    description = json.loads((tmp_path / "encoder" / "encoder.json").read_text())
    assert description["provenance"]["imported_from"]["text_encoder"]["file"] == "sje.t7"


def test_files_that_dont_belong_together_are_refused(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "narrow.t7").write_bytes(text_encoder_bytes("rnn", out_dim=64))
    options = ["--generator", files / "stage1.pth", "--text-encoder", tmp_path / "narrow.t7"]
    error = refused(capsys, "import", "stackgan_stage1", *options, "-o", tmp_path / "out")
    assert "reads sentences of 128 numbers, but the text encoder" in error and "narrow.t7 gives 64" in error
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))
    error = refused(capsys, "import", "stackgan_v2", *options, "-o", tmp_path / "out")
    assert "stage1.pth looks like StackGAN's generator of stage I: give a file of StackGAN-v2's" in error
    options = ["--generator", files / "stage1.pth", "--text-encoder", files / "text_encoder200.pth"]
    error = refused(capsys, "import", "stackgan_stage1", *options, "-o", tmp_path / "out")
    assert "text_encoder200.pth is no whole binary file of Torch7" in error


def test_existing_folder_or_wrong_name_is_refused_first(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    missing = ["--generator", "nowhere.pth", "--text-encoder", "nowhere.t7"]
    error = refused(capsys, "import", "stackgan_stage1", *missing, "-o", tmp_path / "mine")
    assert "mine exists already" in error
    error = refused(capsys, "import", "char_cnn_rnn", "nowhere.t7", "-o", tmp_path / "mine")
    assert "mine exists already" in error
    options = ["--generator", files / "stage1.pth", "--text-encoder", files / "sje.t7"]
    error = refused(capsys, "import", "stackgan_stage1", *options, "-o", tmp_path / "Birds!")
    assert "lower-case letters" in error
