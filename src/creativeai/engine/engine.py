"""A bundle at work: text to pictures with ONNX Runtime."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from creativeai.bundles import Bundle, BundleManifest
from creativeai.bundles.manifest import GENERATOR_NAME
from creativeai.engine.pictures import Picture, PictureRequest, noise_of
from creativeai.errors import BundleError, RequestError
from creativeai.text import TextEncoder, load_text_encoder

_INPUTS = {"noise", "sentence", "words", "mask"}


class Engine:
    """Makes pictures from text with one model. Safe to use from several threads.

    Every picture is a run of its own on one thread, so its bytes don't depend on what else is asked for or on
    the number of threads.

    Args:
        bundle: The model.
        num_threads: Pictures made at the same time.
        on_stage: Told of each picture the seconds that `encode_text` and then `generate` took.

    Raises:
        BundleError: The generator can't be loaded or doesn't fit its manifest.
        TextError: The text encoder can't be loaded.
    """

    def __init__(
        self,
        bundle: Bundle,
        num_threads: int = 1,
        on_stage: Callable[[str, float], None] = lambda stage, seconds: None,
    ) -> None:
        self.manifest: BundleManifest = bundle.manifest
        name = f"engine-{bundle.manifest.name}"
        self._pool = ThreadPoolExecutor(max(1, num_threads - 1), thread_name_prefix=name)
        # Reading the encoder and the generator takes most of a cold start; neither holds the interpreter
        # while at it.
        encoder = self._pool.submit(_load_encoder, bundle)
        self._session = _load_generator(bundle)
        self._encoder = encoder.result()
        self._input_names = _check_fit(self._session, bundle, self._encoder)
        self._num_threads = num_threads
        self._on_stage = on_stage

    def generate(self, requests: Sequence[PictureRequest]) -> list[Picture]:
        """Make the pictures asked for, in their order.

        Raises:
            TextError: A text has no word at all; `check_text` finds this out beforehand.
            RequestError: Attention is asked of a model without; so does `check_attention`.
        """
        pictures: dict[int, Picture] = {}
        waiting = iter(range(len(requests)))

        def work() -> None:
            try:
                for index in waiting:  # all threads take from the one iterator
                    pictures[index] = self._generate_one(requests[index])
            except BaseException:
                deque(waiting, maxlen=0)  # nobody wants the others any more
                raise

        # This thread works too, and the others are woken once and not for every picture: hand-overs cost CPU.
        helpers = [self._pool.submit(work) for _ in range(min(self._num_threads, len(requests)) - 1)]
        work()
        for helper in helpers:
            if not helper.cancel():  # one that still waits for a thread has nothing left to do
                helper.result()
        return [pictures[index] for index in range(len(requests))]

    def check_text(self, text: str) -> None:
        """Refuse a text without any word the model can use.

        Raises:
            RequestError: As said.
        """
        if self._encoder.num_known_words(text) == 0:
            raise RequestError(
                f"the model knows no word of {_shortened(text)!r}: describe the picture in English words",
                param="prompt",
            )

    def check_attention(self) -> None:
        """Refuse to give attention maps if the model has none.

        Raises:
            RequestError: As said.
        """
        if not self.manifest.attention:
            raise RequestError(
                f"the model {self.manifest.name} has no attention maps: ask a model that attends to words, "
                "such as AttnGAN's",
                param="attention",
            )

    def unknown_words(self, text: str) -> list[str]:
        """Words of the text the model can't make use of."""
        return self._encoder.unknown_words(text)

    def _generate_one(self, request: PictureRequest) -> Picture:
        if request.attention:
            self.check_attention()
        start = time.perf_counter()
        features = self._encoder.encode([request.text])
        encoded = time.perf_counter()
        self._on_stage("encode_text", encoded - start)
        inputs = {
            "noise": noise_of(request.seed, self.manifest.noise_dim, request.truncation),
            "sentence": features.sentence,
            "words": features.words,
            "mask": features.mask,
        }
        # What is not asked for is not computed.
        kept = [stage.output for stage in self.manifest.stages]
        if request.attention:
            kept += [map.output for map in self.manifest.attention]
        outputs = self._session.run(kept, {name: inputs[name] for name in self._input_names})
        num_stages = len(self.manifest.stages)
        stages = tuple(_to_pixels(output[0]) for output in outputs[:num_stages])
        self._on_stage("generate", time.perf_counter() - encoded)
        made_from = (request.seed, request.text, request.truncation)
        if not request.attention:
            return Picture(stages, *made_from)
        words = tuple(self._encoder.word_places(request.text))
        maps = tuple(output[0][features.mask[0]].astype(np.float32) for output in outputs[num_stages:])
        return Picture(stages, *made_from, words, maps)


def _load_encoder(bundle: Bundle) -> TextEncoder:
    wanted = bundle.manifest.text_encoder
    encoder = load_text_encoder(wanted.name, bundle.path / wanted.folder if wanted.folder else None)
    if encoder.digest != wanted.digest:
        raise BundleError(
            f"{bundle.path} was made for another version of the text encoder {wanted.name}: export it again"
        )
    return encoder


def _load_generator(bundle: Bundle) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised, and shown in our words
    file = bundle.file(GENERATOR_NAME)
    try:
        return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no base of their own
        reason = " ".join(str(error).split())[:200]
        raise BundleError(f"{file} can't be loaded as an ONNX graph ({reason}): export it again") from None


def _check_fit(session: ort.InferenceSession, bundle: Bundle, encoder: TextEncoder) -> list[str]:
    """Names of the generator's inputs, once inputs and outputs are seen to fit manifest and encoder."""
    manifest = bundle.manifest
    last_dims = {
        "noise": manifest.noise_dim,
        "sentence": encoder.dim,
        "words": encoder.dim,
        "mask": encoder.max_words,
    }
    for value in session.get_inputs():
        if value.name not in _INPUTS:
            raise BundleError(
                f"the generator of {bundle.path} wants an input {value.name!r}, which no engine has"
            )
        if value.shape and isinstance(value.shape[-1], int) and value.shape[-1] != last_dims[value.name]:
            raise BundleError(
                f"the generator of {bundle.path} wants {value.shape[-1]} features of {value.name}, but its "
                f"manifest and text encoder have {last_dims[value.name]}"
            )
    shapes = {value.name: value.shape for value in session.get_outputs()}
    outputs = [(stage.output, 3, stage.resolution) for stage in manifest.stages]
    outputs += [(map.output, encoder.max_words, map.resolution) for map in manifest.attention]
    for name, num_channels, side in outputs:
        if name not in shapes:
            raise BundleError(
                f"the generator of {bundle.path} has no output {name!r}, which the manifest names"
            )
        known = zip(shapes[name][1:], (num_channels, side, side), strict=False)
        if any(isinstance(size, int) and size != wanted for size, wanted in known):
            raise BundleError(
                f"the generator of {bundle.path} gives {name} as {shapes[name]}, but the manifest says "
                f"{num_channels} x {side} x {side}"
            )
    return [value.name for value in session.get_inputs()]


def _to_pixels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """From float32 [3, R, R] about [-1, 1] to uint8 [R, R, 3]."""
    scaled = np.clip(image * np.float32(127.5) + np.float32(127.5), 0, 255)
    return np.ascontiguousarray(np.rint(scaled).astype(np.uint8).transpose(1, 2, 0))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
