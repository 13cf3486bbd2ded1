"""Pictures by a bundle and by a generator in training: the same noise for the same seed."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from creativeai.bundles import read_bundle
from creativeai.engine import Engine, PictureRequest
from creativeai.engine.pictures import noise_of
from creativeai.evaluation.drawing import EngineDraw, GeneratorDraw
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.text import load_text_encoder
from tiny_bundle import NOISE_DIM, make_tiny_bundle

ASKED = [("a red bird", 3), ("a blue bird on a branch", 4), ("a red bird", 5)]


class Weights(nn.Module):
    """The tiny bundle's generator in torch."""

    noise_dim = NOISE_DIM

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(0)
        noise, text = random.normal(0, 0.25, (NOISE_DIM, 48)), random.normal(0, 1.0, (384, 3))
        self.noise, self.text = (
            torch.from_numpy(x.astype(np.float16).astype(np.float32))
            for x in (noise, np.repeat(text, 16, axis=1))
        )

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        blots = (noise @ self.noise + text.sentence @ self.text).reshape(-1, 3, 4, 4)
        return GeneratorOutput((blots.repeat_interleave(8, 2).repeat_interleave(8, 3),))


def test_bundle_draws_what_its_engine_does(tmp_path: Path) -> None:
    engine = Engine(read_bundle(make_tiny_bundle(tmp_path)), 2)
    pictures = EngineDraw(engine, truncation=0.5)(ASKED)
    for picture, (caption, seed) in zip(pictures, ASKED, strict=True):
        [expected] = engine.generate([PictureRequest(caption, seed, 0.5)])
        np.testing.assert_array_equal(picture, expected.pixels)


def test_sentence_without_a_word_is_replaced_and_counted(tmp_path: Path) -> None:
    draw = EngineDraw(Engine(read_bundle(make_tiny_bundle(tmp_path))), 1.0, fallback="a bird")
    pictures = draw([("\u200b", 1), ("a bird", 1), ("\u200b", 1)])
    assert draw.unread == {"\u200b"}
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_generator_in_training_draws_with_the_noise_of_the_seed(tmp_path: Path) -> None:
    generator, encoder = Weights(), load_text_encoder("minilm")
    draw = GeneratorDraw(encoder, torch.device("cpu"), batch_size=2).by(generator)
    pictures = draw(ASKED)
    assert pictures.shape == (3, 32, 32, 3)
    engine = Engine(read_bundle(make_tiny_bundle(tmp_path)))
    for picture, (caption, seed) in zip(pictures, ASKED, strict=True):
        blots = noise_of(seed, NOISE_DIM, 1.0) @ generator.noise.numpy()
        blots = blots + encoder.encode([caption]).sentence @ generator.text.numpy()
        expected = np.clip(np.rint(blots.reshape(3, 4, 4) * 127.5 + 127.5), 0, 255).transpose(1, 2, 0)
        np.testing.assert_allclose(picture[::8, ::8], expected, atol=1)
        # The bundle of the same weights, whose blots are blended but in the corners.
        [drawn] = engine.generate([PictureRequest(caption, seed)])
        np.testing.assert_allclose(drawn.pixels[::31, ::31], picture[::31, ::31], atol=1)
    np.testing.assert_array_equal(draw(ASKED[1:]), pictures[1:])
