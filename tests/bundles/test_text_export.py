import json
import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.bundles.text_export import encoder_to_onnx, export_text_encoder
from creativeai.errors import BundleError, TextError
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.recipes.encoders.char_cnn_rnn import CharCnnRnnRecipe
from creativeai.recipes.encoders.contract import EncoderContext, EncoderGraph
from creativeai.recipes.encoders.damsm import DamsmRecipe
from creativeai.recipes.encoders.registry import find_encoder_recipe
from creativeai.text import load_text_encoder

CAPTIONS = ["a small red bird with black wings and a beak", "bird", "the green bird, a bird"]


@pytest.fixture(scope="module")
def context() -> EncoderContext:
    return EncoderContext(load_efficientnet_lite0(), CAPTIONS)


@pytest.fixture(scope="module")
def damsm(context: EncoderContext) -> DamsmRecipe:
    torch.manual_seed(0)
    entry = find_encoder_recipe("damsm")
    recipe = entry.build(entry.presets["debug"], context)
    assert isinstance(recipe, DamsmRecipe)
    return recipe


@pytest.fixture(scope="module")
def folder(damsm: DamsmRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("encoders") / "damsm"
    export_text_encoder(
        damsm.graph(), out, "Words of birds", "CC0", {"dataset": "three captions", "steps": 0}
    )
    return out


def in_half_precision(network: nn.Module, smallest: int) -> nn.Module:
    """A copy whose weights of so many values are rounded, as they are in the graph."""
    network = deepcopy(network).eval()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.numel() >= smallest:
                weight.copy_(weight.half())
    return network


def open_session(graph: bytes) -> ort.InferenceSession:
    return ort.InferenceSession(graph, providers=["CPUExecutionProvider"])


def test_damsm_graph_computes_what_torch_does_for_captions_of_any_length(
    damsm: DamsmRecipe, folder: Path
) -> None:
    text = in_half_precision(damsm.networks.text, 1)  # the LSTM's biases are one tensor there
    session = open_session((folder / "model.onnx").read_bytes())
    for ids, lengths in (
        (torch.tensor([[1, 2, 0, 0], [3, 4, 5, 6], [7, 0, 0, 0]]), torch.tensor([2, 4, 1])),
        (torch.tensor([[2]]), torch.tensor([1])),
    ):
        words, sentence = session.run(["words", "sentence"], {"ids": ids.numpy(), "lengths": lengths.numpy()})
        with torch.no_grad():
            expected_words, expected_sentence = text(ids, lengths)
        np.testing.assert_allclose(words, expected_words, atol=1e-5)
        np.testing.assert_allclose(sentence, F.normalize(expected_sentence, dim=1), atol=1e-5)


@pytest.mark.parametrize("recurrence", ["gru", "rnn"])
def test_character_graph_computes_what_torch_does(context: EncoderContext, recurrence: str) -> None:
    entry = find_encoder_recipe("char_cnn_rnn")
    recipe = entry.build(replace(entry.presets["debug"], recurrence=recurrence), context)
    assert isinstance(recipe, CharCnnRnnRecipe)
    session = open_session(encoder_to_onnx(recipe.graph()))
    assert recipe.networks.training  # as it was
    text = in_half_precision(recipe.networks.text, 64)
    assert session.get_modelmeta().custom_metadata_map == {"unknown_characters": "port"}
    for num in (1, 3):
        ids = torch.randint(0, 71, (num, 201))
        [sentence] = session.run(["sentence"], {"ids": ids.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(sentence, F.normalize(text(ids), dim=1), atol=2e-5)


def test_exported_encoder_reads_as_the_trained_one(damsm: DamsmRecipe, folder: Path) -> None:
    encoder = load_text_encoder("damsm", folder)
    features = encoder.encode(CAPTIONS)
    assert (encoder.dim, encoder.max_words) == (damsm.config.dim, damsm.config.max_words)
    assert encoder.word_places(CAPTIONS[0]) == ["a", "small", "red", "bird", "with", "black"]
    _, sentence = damsm.codes(torch.zeros(3, 3, 32, 32), CAPTIONS)
    np.testing.assert_allclose(features.sentence, sentence, atol=1e-3)
    for row, caption in enumerate(CAPTIONS):
        np.testing.assert_array_equal(encoder.encode([caption]).words[0], features.words[row])


def test_folder_says_what_is_in_it_and_where_it_is_from(folder: Path) -> None:
    description = json.loads((folder / "encoder.json").read_text())
    assert description["name"] == "damsm" and description["licence"] == "CC0"
    assert description["provenance"] == {"dataset": "three captions", "steps": 0}
    assert {path.name for path in folder.iterdir()} == {*description["files"], "encoder.json"}
    assert description["files"].keys() == {"model.onnx", "vocab.txt", "guide.npz"}
    for name, entry in description["files"].items():
        assert entry["size"] == (folder / name).stat().st_size
    if os.name == "posix":
        assert (folder.stat().st_mode & 0o777) == 0o755


def test_weights_are_stored_in_half_precision(damsm: DamsmRecipe, folder: Path) -> None:
    num_weights = sum(weight.numel() for weight in damsm.networks.text.parameters())
    assert (folder / "model.onnx").stat().st_size < 2 * num_weights + 10_000


def test_existing_folder_is_left_alone(damsm: DamsmRecipe, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BundleError, match="mine exists already"):
        export_text_encoder(damsm.graph(), tmp_path / "mine", "", "", {})
    assert list((tmp_path / "mine").iterdir()) == []


class Scale(nn.Module):
    """Reads nothing that the run-time encoder would feed it."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((8, 16), value))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


def scale_graph(value: float) -> EncoderGraph:
    return EncoderGraph("damsm", Scale(value), {"x": torch.ones(2, 8)}, {"x": (0,)}, ("y",), {})


def test_encoder_that_cant_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"vocab\.txt|damaged"):
        export_text_encoder(scale_graph(1.0), tmp_path / "out", "", "", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_weight_beyond_half_precision_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(BundleError, match="too large for half precision"):
        export_text_encoder(scale_graph(value), tmp_path / "out", "", "", {})
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match=r"can't write the text encoder .*: No space left on device"):
        export_text_encoder(scale_graph(1.0), tmp_path / "out", "", "", {})
    assert list(tmp_path.iterdir()) == []
