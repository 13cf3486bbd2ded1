import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from creativeai.errors import TextError
from creativeai.text.damsm import Damsm
from tiny_encoders import make_damsm, write_encoder


@pytest.fixture
def encoder(tmp_path: Path) -> Damsm:
    return Damsm(make_damsm(tmp_path / "damsm"))


def test_graph_says_how_many_words_there_are(tmp_path: Path) -> None:
    encoder = Damsm(make_damsm(tmp_path / "damsm", max_words=2))
    assert encoder.max_words == 2 and encoder.dim == 6
    assert encoder.encode(["a red bird with black wings"]).words.shape == (1, 2, 6)


def test_unknown_words_are_passed_over_and_only_the_first_known_ones_count(encoder: Damsm) -> None:
    plain = encoder.encode(["a red bird with"])
    mixed = encoder.encode(["a scarlet RED, red-crested bird with wings"])
    assert encoder.word_places("a scarlet RED, red-crested bird with wings") == ["a", "red", "red", "bird"]
    assert encoder.unknown_words("a scarlet RED, red-crested bird; scarlet") == ["scarlet", "crested"]
    assert encoder.num_known_words("a scarlet RED, red-crested bird") == 4
    np.testing.assert_array_equal(mixed.words[0, :2], plain.words[0, :2])
    longer = encoder.encode(["a red bird with black wings"])
    np.testing.assert_array_equal(longer.sentence, plain.sentence)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("scarlet", ["scarlet"]),
        ("красная птица", ["красная", "птица"]),
        ("🐦", ["🐦"]),
        ("<end>", ["end"]),
    ],
)
def test_caption_of_unknown_words_only_is_refused_and_they_are_named(
    encoder: Damsm, text: str, unknown: list[str]
) -> None:
    with pytest.raises(TextError, match=r"no word in the text .* learnt: use other words"):
        encoder.encode([text])
    assert encoder.unknown_words(text) == unknown
    assert encoder.word_places(text) == [] and encoder.num_known_words(text) == 0


def test_digest_covers_the_vocabulary_and_the_number_of_words(tmp_path: Path) -> None:
    plain = Damsm(make_damsm(tmp_path / "a"))
    assert Damsm(make_damsm(tmp_path / "b")).digest == plain.digest
    assert Damsm(make_damsm(tmp_path / "c", max_words=3)).digest != plain.digest
    files = {name: (tmp_path / "a" / name).read_bytes() for name in ("model.onnx", "vocab.txt")}
    files["vocab.txt"] = files["vocab.txt"].replace(b"red", b"rot")
    assert Damsm(write_encoder(tmp_path / "d", "damsm", files)).digest != plain.digest


def test_other_files_of_the_folder_do_not_count(tmp_path: Path) -> None:
    """A guide lies beside it; a bundle ships without."""
    folder = make_damsm(tmp_path / "a")
    digest = Damsm(folder).digest
    description = json.loads((folder / "encoder.json").read_text())
    description["files"]["guide.npz"] = {"sha256": "0" * 64}
    (folder / "encoder.json").write_text(json.dumps(description))
    assert Damsm(folder).digest == digest


@pytest.mark.parametrize("vocabulary", [b"bird\nred\n", b"<end>\nbird\nbird\n", b"\xff"])
def test_whole_files_without_an_encoder_in_them_are_refused(tmp_path: Path, vocabulary: bytes) -> None:
    graph = (make_damsm(tmp_path / "a") / "model.onnx").read_bytes()
    folder = write_encoder(tmp_path / "b", "damsm", {"model.onnx": graph, "vocab.txt": vocabulary})
    with pytest.raises(TextError, match=r"has no usable text encoder .* export the text encoder again"):
        Damsm(folder)


def test_unknown_way_to_take_texts_apart_is_refused(tmp_path: Path) -> None:
    folder = make_damsm(tmp_path / "a")
    graph = (folder / "model.onnx").read_bytes()
    model = onnx.load_from_string(graph)
    onnx.helper.set_model_props(model, {"max_words": "4", "tokeniser": "other"})
    files = {"model.onnx": model.SerializeToString(), "vocab.txt": (folder / "vocab.txt").read_bytes()}
    with pytest.raises(TextError, match=r"has no usable text encoder .*tokeniser=other"):
        Damsm(write_encoder(tmp_path / "b", "damsm", files))
