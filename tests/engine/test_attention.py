"""Where a model looked for each word."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from creativeai.bundles import read_bundle
from creativeai.engine import Engine, PictureRequest
from creativeai.engine.model import Model
from creativeai.errors import BundleError, RequestError
from creativeai.text import load_text_encoder
from tiny_bundle import make_tiny_bundle

TEXT = "a small red bird"
LONG = "bird " * 60


@pytest.fixture(scope="module")
def attentive(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models")
    return Model(make_tiny_bundle(folder, "attentive", resolution=64, num_stages=3, attends=True))


@pytest.mark.parametrize(("text", "num_words"), [(TEXT, 4), ("bird", 1), (LONG, 32)])
def test_maps_are_of_the_words_that_are_there(attentive: Model, text: str, num_words: int) -> None:
    [picture] = attentive.pictures(text, seed=1, attention=True)
    assert len(picture.words) == num_words
    assert [maps.shape for maps in picture.attention] == [(num_words, 16, 16), (num_words, 32, 32)]
    for maps in picture.attention:
        assert maps.dtype == np.float32
        assert maps.min() >= 0
        np.testing.assert_allclose(maps.sum(axis=0), 1, rtol=1e-5)


def test_words_are_in_their_order(attentive: Model) -> None:
    [picture] = attentive.pictures(TEXT, seed=1, attention=True)
    assert picture.words == ("a", "small", "red", "bird")


def test_map_is_what_the_graph_computes(tmp_path: Path) -> None:
    """A softmax over the words of their projections to the 4 x 4 places, written out."""
    bundle = make_tiny_bundle(tmp_path, resolution=8, attends=True)
    [picture] = Model(bundle).pictures(TEXT, seed=1, attention=True)
    graph = onnx.load(bundle / "generator.onnx").graph
    keys = next(numpy_helper.to_array(value) for value in graph.initializer if value.name == "keys")
    words = load_text_encoder("minilm").encode([TEXT]).words[0, :4]
    scores = np.exp(words.astype(float) @ keys.astype(float))
    expected = (scores / scores.sum(axis=0)).reshape(4, 4, 4)
    np.testing.assert_allclose(picture.attention[0], expected, rtol=1e-3, atol=1e-6)


def test_pictures_are_the_same_with_and_without(attentive: Model) -> None:
    [plain], [looked_into] = (attentive.pictures(TEXT, seed=1, attention=asked) for asked in (False, True))
    assert (plain.words, plain.attention) == ((), ())
    for one, other in zip(plain.stages, looked_into.stages, strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_what_is_asked_for_is_computed(attentive: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    session = attentive.engine._session

    class Recording:
        def run(self, names: list[str], inputs: object) -> object:
            asked.append(names)
            return session.run(names, inputs)

    monkeypatch.setattr(attentive.engine, "_session", Recording())
    attentive.pictures(TEXT, seed=1)
    attentive.pictures(TEXT, seed=1, attention=True)
    images = ["image_16", "image_32", "image_64"]
    assert asked == [images, [*images, "attention_16", "attention_32"]]


def test_model_without_attention_refuses(tiny: Model) -> None:
    with pytest.raises(RequestError, match="the model tiny has no attention maps: ") as caught:
        tiny.pictures(TEXT, attention=True)
    assert caught.value.param == "attention"
    with pytest.raises(RequestError, match="no attention maps"):
        tiny.engine.generate([PictureRequest(TEXT, 1, attention=True)])


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([{"output": "attention_8", "resolution": 8}], "has no output 'attention_8', which the manifest"),
        ([{"output": "attention_16", "resolution": 8}], r"gives attention_16 as .* says 32 x 8 x 8"),
        ([{"output": "image_16", "resolution": 16}], r"gives image_16 as .* says 32 x 16 x 16"),
    ],
)
def test_attention_that_does_not_fit_the_manifest_is_refused(
    tmp_path: Path, maps: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        Engine(read_bundle(make_tiny_bundle(tmp_path, attends=True, attention=maps)))
