"""What holds for every text encoder behind the contract, shipped or trained."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from creativeai.errors import TextError
from creativeai.text import TextEncoder, load_text_encoder
from creativeai.text.encoder import ENCODER_NAMES, SHIPPED_NAMES
from tiny_encoders import make_char_cnn_rnn, make_damsm

MAKERS: dict[str, Callable[[Path], Path]] = {"damsm": make_damsm, "char_cnn_rnn": make_char_cnn_rnn}
CAPTIONS = ["a red bird with black wings", "bird", "with WINGS, a Père red bird!"]


@pytest.fixture(params=ENCODER_NAMES)
def open_encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], TextEncoder]:
    """Opens the encoder anew each time, its cache empty."""
    folder = MAKERS[request.param](tmp_path / request.param) if request.param in MAKERS else None

    def open_it() -> TextEncoder:
        load_text_encoder.cache_clear()
        return load_text_encoder(request.param, folder)

    return open_it


def test_features_keep_the_contract(open_encoder: Callable[[], TextEncoder]) -> None:
    encoder = open_encoder()
    features = encoder.encode(CAPTIONS)
    size = (3, encoder.max_words)
    assert features.sentence.shape == (3, encoder.dim) and features.sentence.dtype == np.float32
    assert features.words.shape == (*size, encoder.dim) and features.words.dtype == np.float32
    assert features.mask.shape == size and features.mask.dtype == np.bool_
    assert features.mask.any(axis=1).all()
    assert not features.words[~features.mask].any() and features.words[features.mask].any(axis=1).all()
    np.testing.assert_allclose(np.linalg.norm(features.sentence, axis=1), 1, rtol=1e-5)
    assert encoder.encode([]).words.shape == (0, encoder.max_words, encoder.dim)


def test_each_word_place_has_its_word(open_encoder: Callable[[], TextEncoder]) -> None:
    encoder = open_encoder()
    counts = encoder.encode(CAPTIONS).mask.sum(axis=1)
    assert [len(encoder.word_places(caption)) for caption in CAPTIONS] == counts.tolist()


def test_batch_and_threads_give_the_same_bits_as_each_alone(
    open_encoder: Callable[[], TextEncoder],
) -> None:
    together = open_encoder().encode(CAPTIONS)
    for row, caption in enumerate(CAPTIONS):
        alone = open_encoder().encode([caption])
        np.testing.assert_array_equal(alone.sentence[0], together.sentence[row])
        np.testing.assert_array_equal(alone.words[0], together.words[row])
    fresh = open_encoder()
    with ThreadPoolExecutor(4) as pool:
        for words in pool.map(lambda _: fresh.encode(CAPTIONS).words, range(8)):
            np.testing.assert_array_equal(words, together.words)


def test_caller_can_write_into_the_features(open_encoder: Callable[[], TextEncoder]) -> None:
    encoder = open_encoder()
    first = encoder.encode(["red bird"])
    expected = first.words.copy(), first.sentence.copy()
    first.words[:] = first.sentence[:] = 0
    again = encoder.encode(["red bird"])
    np.testing.assert_array_equal(again.words, expected[0])
    np.testing.assert_array_equal(again.sentence, expected[1])


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "... !?"])
def test_text_without_a_word_has_none_known_or_unknown(
    open_encoder: Callable[[], TextEncoder], text: str
) -> None:
    encoder = open_encoder()
    assert encoder.unknown_words(text) == [] and encoder.num_known_words(text) == 0


def test_caption_without_a_word_is_refused(open_encoder: Callable[[], TextEncoder]) -> None:
    with pytest.raises(TextError, match="no word in the text"):
        open_encoder().encode(["a bird", " \n"])


@pytest.mark.parametrize("name", sorted(set(ENCODER_NAMES) - set(SHIPPED_NAMES)))
def test_trained_encoder_needs_its_folder(name: str) -> None:
    with pytest.raises(
        TextError, match=f"'{name}' is trained .* creativeai train {name}, or give the folder"
    ):
        load_text_encoder(name)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_damaged_missing_or_useless_file_is_refused(name: str, tmp_path: Path) -> None:
    folder = MAKERS[name](tmp_path / name)
    graph = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(graph[:-1] + b"x")
    with pytest.raises(TextError, match=r"model\.onnx is damaged"):
        load_text_encoder(name, folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(TextError, match=r"can't read .*model\.onnx"):
        load_text_encoder(name, folder)
    with pytest.raises(TextError, match=r"can't read .*encoder\.json"):
        load_text_encoder(name, tmp_path / "nowhere")
