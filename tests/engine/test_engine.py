import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from creativeai.bundles import read_bundle, write_bundle
from creativeai.engine import Engine, Picture, PictureRequest
from creativeai.engine.model import Model
from creativeai.errors import BundleError, RequestError, TextError
from tiny_bundle import NOISE_DIM, make_tiny_bundle, tiny_generator

RED = "a small red bird with black wings"
REQUESTS = [
    PictureRequest(text, seed, truncation)
    for text in (RED, "a blue bird", "bird " * 60)
    for seed in (0, 7, 2**32 - 1)
    for truncation in (1.0, 0.3)
]


def same(first: Picture, second: Picture) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first.stages, second.stages, strict=True))


def test_picture_has_its_stages_and_what_it_was_made_from(tiny: Model) -> None:
    [picture] = tiny.engine.generate([PictureRequest(RED, 3, 0.5)])
    assert [stage.shape for stage in picture.stages] == [(16, 16, 3), (32, 32, 3)]
    assert all(stage.dtype == np.uint8 and stage.flags.c_contiguous for stage in picture.stages)
    assert picture.pixels is picture.stages[-1]
    assert (picture.text, picture.seed, picture.truncation) == (RED, 3, 0.5)
    assert picture.pixels.std() > 10


def test_picture_is_the_same_alone_and_among_others(tiny: Model, tiny_path: Path) -> None:
    alone = [tiny.engine.generate([request])[0] for request in REQUESTS]
    assert len({picture.pixels.tobytes() for picture in alone}) == len(REQUESTS)
    for num_threads in (1, 3):
        engine = Engine(read_bundle(tiny_path), num_threads)
        assert all(map(same, engine.generate(REQUESTS), alone))
        assert all(map(same, engine.generate(REQUESTS[::-1]), alone[::-1]))


def test_picture_is_the_same_from_many_callers(tiny_path: Path, tiny: Model) -> None:
    expected = tiny.engine.generate(REQUESTS)
    engine = Engine(read_bundle(tiny_path), num_threads=2)
    with ThreadPoolExecutor(6) as callers:
        for pictures in callers.map(lambda _: engine.generate(REQUESTS), range(12)):
            assert all(map(same, pictures, expected))


def test_nothing_asked_is_nothing_given(tiny: Model, tiny_path: Path) -> None:
    assert tiny.engine.generate([]) == []
    assert Engine(read_bundle(tiny_path), num_threads=2).generate([]) == []


@pytest.mark.parametrize("num_threads", [1, 3])
def test_failure_is_raised_and_ends_the_others(
    tiny_path: Path, num_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(read_bundle(tiny_path), num_threads)
    wordless = PictureRequest("", 0)
    for requests in ([wordless, *REQUESTS], [*REQUESTS, wordless]):
        with pytest.raises(TextError, match="no word"):
            engine.generate(requests)
    assert len(engine.generate(REQUESTS)) == len(REQUESTS)

    made = []

    def generate_one(request: PictureRequest) -> None:
        time.sleep(0.002)
        if request.seed == 0:
            raise ValueError("zero")
        made.append(request)

    monkeypatch.setattr(engine, "_generate_one", generate_one)
    with pytest.raises(ValueError, match="zero"):
        engine.generate([PictureRequest(RED, seed) for seed in range(1000)])
    assert len(made) < 100


def test_callers_do_not_wait_for_each_others_pictures(
    tiny_path: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second caller finds the engine's other thread taken and does its work alone."""
    [expected] = tiny.engine.generate([PictureRequest(RED, 1)])
    engine = Engine(read_bundle(tiny_path), num_threads=2)
    blocked, gate = threading.Semaphore(0), threading.Event()

    def generate_one(request: PictureRequest) -> Picture:
        if request.seed == 0:
            blocked.release()
            assert gate.wait(30)
        return expected

    monkeypatch.setattr(engine, "_generate_one", generate_one)
    with ThreadPoolExecutor(1) as caller:
        first = caller.submit(engine.generate, [PictureRequest(RED, 0)] * 2)
        try:
            assert all(blocked.acquire(timeout=30) for _ in range(2))
            assert engine.generate([PictureRequest(RED, 1)] * 2) == [expected] * 2
        finally:
            gate.set()
        assert first.result(30) == [expected] * 2


def test_no_noise_leaves_only_the_text(tiny: Model) -> None:
    first, second = tiny.engine.generate([PictureRequest(RED, 1, 0.0), PictureRequest(RED, 2, 0.0)])
    assert same(first, second)


def test_text_without_a_known_word_is_refused(tiny: Model) -> None:
    tiny.engine.check_text("a 🐦")
    for text in ("🐦🦜", "красная птица", "zxcvbnm", "?!"):
        with pytest.raises(RequestError, match="knows no word of") as caught:
            tiny.engine.check_text(text)
        assert caught.value.param == "prompt"
    assert tiny.engine.unknown_words("a 🐦 zxcvbnm bird") == ["🐦", "zxcvbnm"]


def bundle_with(path: Path, generator: bytes, **fields: Any) -> Path:
    """A tiny bundle with another generator, at `path`/changed."""
    tiny = read_bundle(make_tiny_bundle(path, "tiny", **fields))
    manifest = asdict(tiny.manifest)
    return write_bundle(path / "changed", manifest, {"generator.onnx": generator}).path


def _graph_of_all_inputs() -> bytes:
    """A picture of one colour: the mean of the noise plus a word feature plus the share of the mask."""
    specs = {
        "noise": (TensorProto.FLOAT, ["B", NOISE_DIM]),
        "words": (TensorProto.FLOAT, ["B", 32, 384]),
        "mask": (TensorProto.BOOL, ["B", 32]),
    }
    nodes = [
        helper.make_node("ReduceMean", ["noise"], ["n"], keepdims=0, axes=[1]),
        helper.make_node("ReduceMean", ["words"], ["w"], keepdims=0, axes=[1, 2]),
        helper.make_node("Cast", ["mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["m"], ["share"], keepdims=0, axes=[1]),
        helper.make_node("Sum", ["n", "w", "share"], ["value"]),
        helper.make_node("Unsqueeze", ["value", "axes"], ["pixel"]),
        helper.make_node("Expand", ["pixel", "shape"], ["image_32"]),
        helper.make_node("Expand", ["pixel", "half"], ["image_16"]),
    ]
    weights = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("shape", TensorProto.INT64, [4], [1, 3, 32, 32]),
        helper.make_tensor("half", TensorProto.INT64, [4], [1, 3, 16, 16]),
    ]
    inputs = [helper.make_tensor_value_info(name, *spec) for name, spec in specs.items()]
    outputs = [
        helper.make_tensor_value_info(f"image_{size}", TensorProto.FLOAT, ["B", 3, size, size])
        for size in (16, 32)
    ]
    graph = helper.make_graph(nodes, "all", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def test_generator_gets_the_inputs_it_names(tmp_path: Path) -> None:
    model = Model(bundle_with(tmp_path, _graph_of_all_inputs()))
    [plain], [longer] = model.generate("a bird", seed=1), model.generate("a bird on a branch", seed=1)
    assert plain.getpixel((0, 0)) != longer.getpixel((0, 0))


def _edit(change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_from_string(tiny_generator(32, 384))
    change(model)
    return bytes(model.SerializeToString())


def _rename_output(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.output[:] = ["other" if name == "image_32" else name for name in node.output]
    model.graph.output[1].name = "other"


def _rename_input(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.input[:] = ["style" if name == "noise" else name for name in node.input]
    model.graph.input[0].name = "style"


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (b"", "can't be loaded as an ONNX graph"),
        (b"not a graph at all", "can't be loaded as an ONNX graph"),
        (tiny_generator(32, 384)[:-2000], "can't be loaded as an ONNX graph"),
        (_edit(lambda model: model.graph.initializer.pop()), "can't be loaded as an ONNX graph"),
        (
            _edit(lambda model: setattr(model.opset_import[0], "version", 9999)),
            "can't be loaded as an ONNX graph",
        ),
        (_edit(_rename_output), "has no output 'image_32'"),
        (_edit(_rename_input), "wants an input 'style'"),
        (tiny_generator(64, 384), "has no output 'image_16'"),
        (tiny_generator(32, 384, noise_dim=8), "wants 8 features of noise, but .* have 16"),
        (tiny_generator(32, 128), "wants 128 features of sentence, but .* have 384"),
    ],
)
def test_unfit_generator_is_refused(tmp_path: Path, generator: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        Engine(read_bundle(bundle_with(tmp_path, generator)))
    assert "\n" not in str(caught.value)


def test_pictures_of_another_size_than_said_are_refused(tmp_path: Path) -> None:
    stages = [{"output": "image_16", "resolution": 16}, {"output": "image_32", "resolution": 64}]
    with pytest.raises(BundleError, match=r"gives image_32 as .*32, 32\], but the manifest says 3 x 64 x 64"):
        Engine(read_bundle(make_tiny_bundle(tmp_path, stages=stages)))


def test_generator_with_weights_outside_the_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(os.urandom(100_000))

    def move_out(model: onnx.ModelProto) -> None:
        weight = model.graph.initializer[1]
        size = len(weight.raw_data)
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "../secret"), ("length", str(size))):
            entry = weight.external_data.add()
            entry.key, entry.value = key, value

    with pytest.raises(BundleError, match="can't be loaded as an ONNX graph"):
        Engine(read_bundle(bundle_with(tmp_path, _edit(move_out))))


def test_model_for_another_text_encoder_is_refused(tmp_path: Path) -> None:
    other = {"name": "minilm", "digest": "0" * 64, "folder": None}
    with pytest.raises(BundleError, match="was made for another version of the text encoder minilm"):
        Engine(read_bundle(make_tiny_bundle(tmp_path, text_encoder=other)))
