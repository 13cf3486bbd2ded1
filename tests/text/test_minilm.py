import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.errors import TextError
from creativeai.text import TextEncoder, load_text_encoder
from creativeai.text.encoder import ZOO_FOLDER
from creativeai.text.minilm import MiniLM

CAPTIONS = [
    "a small red bird with black wings",
    "bird",
    "perched on a thick curved log, this bird is light brown all over, with a dark background",
    "a scarlet macaw",
]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return load_text_encoder("minilm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The encoder's files, to be damaged."""
    return Path(shutil.copytree(ZOO_FOLDER / "minilm", tmp_path / "minilm"))


def test_shapes_types_and_mask(encoder: TextEncoder) -> None:
    features = encoder.encode(CAPTIONS)
    assert len(features) == 4
    assert features.sentence.shape == (4, encoder.dim) and features.sentence.dtype == np.float32
    assert features.words.shape == (4, encoder.max_words, encoder.dim) and features.words.dtype == np.float32
    assert features.mask.shape == (4, encoder.max_words) and features.mask.dtype == np.bool_
    assert features.mask[0].sum() == 7
    assert np.all(features.words[~features.mask] == 0) and np.all(features.words[features.mask].any(axis=1))
    np.testing.assert_allclose(np.linalg.norm(features.sentence, axis=1), 1, rtol=1e-5)


def test_no_captions_are_no_features(encoder: TextEncoder) -> None:
    assert encoder.encode([]).words.shape == (0, encoder.max_words, encoder.dim)


def test_batch_is_the_same_bits_as_each_alone(encoder: TextEncoder) -> None:
    together = encoder.encode(CAPTIONS)
    for row, caption in enumerate(CAPTIONS):
        alone = MiniLM(ZOO_FOLDER / "minilm").encode([caption])  # a new one, whose cache is empty
        np.testing.assert_array_equal(alone.sentence[0], together.sentence[row])
        np.testing.assert_array_equal(alone.words[0], together.words[row])
        np.testing.assert_array_equal(alone.mask[0], together.mask[row])


def test_threads_get_the_same_bits(encoder: TextEncoder) -> None:
    expected = encoder.encode(CAPTIONS).words
    fresh = MiniLM(ZOO_FOLDER / "minilm")
    with ThreadPoolExecutor(4) as pool:
        for words in pool.map(lambda _: fresh.encode(CAPTIONS).words, range(8)):
            np.testing.assert_array_equal(words, expected)


def test_caller_can_write_into_the_features(encoder: TextEncoder) -> None:
    first = encoder.encode(["a green bird"])
    expected = first.words.copy()
    first.words[:] = 0
    np.testing.assert_array_equal(encoder.encode(["a green bird"]).words, expected)


def test_near_meanings_are_near(encoder: TextEncoder) -> None:
    red, scarlet, plane = encoder.encode(
        ["a red bird", "a scarlet bird", "an aeroplane on a runway"]
    ).sentence
    assert red @ scarlet > 0.5 > red @ plane


def test_case_accents_and_spaces_do_not_matter(encoder: TextEncoder) -> None:
    plain, typed = encoder.encode(["a pere david finch", "  A  Père\nDAVID finch"]).words
    np.testing.assert_array_equal(plain, typed)


def test_long_caption_fills_all_words_and_still_counts_for_the_sentence(encoder: TextEncoder) -> None:
    start = "bird " * 40
    features = encoder.encode([start + "red", start + "blue", "bird " * 1000])
    assert features.mask.all()
    assert not np.array_equal(features.sentence[0], features.sentence[1])


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", "\x00\x07"])
def test_caption_without_a_word_is_refused(encoder: TextEncoder, text: str) -> None:
    with pytest.raises(TextError, match="no word in the text"):
        encoder.encode(["a bird", text])


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a small red bird with black wings", []),
        ("a stork, an osprey and a 3-coloured trogon", []),
        ("der Vogel oiseau rouge", []),
        ("a 🐦 bird 🐦", ["🐦"]),
        ("красная птица", ["красная", "птица"]),
        ("赤い鳥", ["赤い鳥"]),
        ("Asdfgh bird, zxcvbnm; Asdfgh", ["Asdfgh", "zxcvbnm"]),
        ("bird " + "a" * 200, ["a" * 200]),
        ("", []),
        ("... !?", []),
    ],
)
def test_unknown_words(encoder: TextEncoder, text: str, unknown: list[str]) -> None:
    assert encoder.unknown_words(text) == unknown


@pytest.mark.parametrize(("text", "num"), [("a red bird", 3), ("🐦 красная", 0), ("", 0), ("bird 🐦", 1)])
def test_number_of_known_words(encoder: TextEncoder, text: str, num: int) -> None:
    assert encoder.num_known_words(text) == num


@given(st.text(max_size=80))
def test_unknown_words_are_in_the_text(text: str) -> None:
    encoder = load_text_encoder("minilm")
    unknown = encoder.unknown_words(text)
    assert all(word in text for word in unknown)
    assert len(set(unknown)) == len(unknown)


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(TextError, match="unknown text encoder 'bert': use one of minilm"):
        load_text_encoder("bert")


def test_same_files_elsewhere_have_the_same_digest(encoder: TextEncoder, folder: Path) -> None:
    description = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps({"files": description["files"], "licence": "told anew"}))
    assert MiniLM(folder).digest == encoder.digest


def test_it_is_loaded_once_whatever_folder_comes_with_it(encoder: TextEncoder, folder: Path) -> None:
    assert load_text_encoder("minilm", folder) is encoder


@pytest.mark.parametrize("name", ["model.onnx", "vocab.txt"])
def test_changed_file_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(TextError, match=f"{name} is damaged"):
        MiniLM(folder)


@pytest.mark.parametrize("name", ["model.onnx", "vocab.txt", "encoder.json"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(TextError, match=name):
        MiniLM(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": {"model.onnx": 3}}'])
def test_broken_description_is_refused(folder: Path, content: str) -> None:
    (folder / "encoder.json").write_text(content)
    with pytest.raises(TextError, match=r"encoder\.json is damaged"):
        MiniLM(folder)


@pytest.mark.parametrize(
    ("name", "content"), [("model.onnx", b"no graph"), ("vocab.txt", b"bird\n"), ("vocab.txt", b"\xff")]
)
def test_file_with_a_right_digest_but_no_encoder_in_it_is_refused(
    folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    description = json.loads((folder / "encoder.json").read_text())
    description["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "encoder.json").write_text(json.dumps(description))
    with pytest.raises(TextError, match="has no usable text encoder"):
        MiniLM(folder)


def test_shipped_files_say_where_they_are_from() -> None:
    description = json.loads((ZOO_FOLDER / "minilm" / "encoder.json").read_text())
    assert description["licence"] == "Apache-2.0"
    assert description["provenance"]["least_cosine_to_original"] > 0.99


def test_word_places_are_the_pieces_in_order(encoder: TextEncoder) -> None:
    pieces = ["a", "scarlet", "mac", "##aw", ",", "perch", "##ing"]
    assert encoder.word_places("A scarlet macaw, perching") == [piece.removeprefix("##") for piece in pieces]
    assert len(encoder.word_places("bird " * 50)) == encoder.max_words
    assert encoder.word_places("") == []
