"""The judge of a training, on patches: what it notices, and that it leaves the test photos alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from creativeai.data import CaptionedImages
from creativeai.evaluation.drawing import GeneratorDraw
from creativeai.evaluation.judge import COLLAPSE_RATIO, TRAINING_CONSTANTS, Judge, num_judged
from creativeai.evaluation.photos import see_photos_of
from creativeai.evaluation.questions import make_questions
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.pixels import pixels_to_tensor
from creativeai.text.features import TextFeatures
from creativeai.training.judging import build_judge
from patches import colours_of, patch, patch_judges, patches
from tiny_training import quiet_console

CPU = torch.device("cpu")


class LetterEncoder:
    """A caption's letters as its vector, so that a generator can read the caption itself."""

    name, dim, max_words, digest = "letters", 80, 2, "0" * 64

    def encode(self, captions: list[str]) -> TextFeatures:
        letters = np.array([[ord(letter) for letter in caption.ljust(80)] for caption in captions])
        words = np.zeros((len(captions), 2, 80), np.float32)
        return TextFeatures(letters.astype(np.float32), words, np.ones((len(captions), 2), np.bool_))


class Painter(nn.Module):
    """Paints what a caption asks for; how, the noise decides; or always the same."""

    noise_dim = 4

    def __init__(self, *, hears: bool = True, varies: bool = True, spread: float = 18) -> None:
        super().__init__()
        self.hears, self.varies, self.spread = hears, varies, spread

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        captions = ["".join(chr(int(letter)) for letter in row).strip() for row in text.sentence]
        numbers = (noise[:, 0].abs() * 1e5).int().tolist() if self.varies else [0] * len(noise)
        colours = [colours_of(caption) if self.hears else ("red", "white") for caption in captions]
        pairs = zip(colours, numbers, strict=True)
        pixels = np.stack([patch(*both, number, self.spread) for both, number in pairs])
        return GeneratorOutput((pixels_to_tensor(pixels),))


def judge_of(dataset: CaptionedImages, indices: NDArray[np.int64]) -> Judge:
    judges = patch_judges()
    questions = make_questions(
        dataset, indices, TRAINING_CONSTANTS, num_judged(len(indices)), 0, asks_colours_and_names=False
    )
    photos = see_photos_of(dataset, questions, judges, quiet_console(), 1, with_training=False)
    encoder: Any = LetterEncoder()
    return Judge(judges, questions, photos, GeneratorDraw(encoder, CPU), quiet_console())


@pytest.fixture(scope="module")
def judge(toybirds: Path) -> Judge:
    dataset = patches(toybirds)
    return judge_of(dataset, dataset.indices("validation"))


def test_generator_that_does_right_is_as_photos_are(judge: Judge) -> None:
    found = judge.measure(Painter())
    assert (found.num_generated, found.num_real) == (90, 30)
    assert found.swap_preference == 1 and found.text_match is not None and found.text_match > 0.6
    assert found.diversity == pytest.approx(1, abs=0.2)


def test_alarm_is_silent_where_seeds_differ(judge: Judge) -> None:
    assert not judge.measure(Painter(spread=120)).collapsed


def test_generator_that_always_draws_one_picture_sets_off_the_alarm(judge: Judge) -> None:
    found = judge.measure(Painter(hears=False, varies=False))
    assert found.collapsed
    assert found.diversity == pytest.approx(0, abs=1e-3)
    assert found.seed_diversity == pytest.approx(0, abs=1e-3)
    right = judge.measure(Painter())
    assert found.fd_lite2 > 2 * right.fd_lite2
    assert found.kid is not None and right.kid is not None and found.kid > right.kid


def test_generator_that_ignores_the_noise_sets_off_the_alarm(judge: Judge) -> None:
    found = judge.measure(Painter(varies=False))
    assert found.diversity > COLLAPSE_RATIO
    assert found.seed_diversity == pytest.approx(0, abs=1e-3)
    assert found.collapsed


def test_generator_that_ignores_the_caption_follows_none(judge: Judge) -> None:
    found, right = judge.measure(Painter(hears=False)), judge.measure(Painter())
    assert found.text_match is not None and right.text_match is not None
    assert found.text_match < right.text_match / 2


def test_measuring_twice_gives_the_same_to_the_last_digit(judge: Judge) -> None:
    torch.randn(3)
    first = judge.measure(Painter())
    torch.randn(5)
    assert judge.measure(Painter()) == first
    assert first.as_dict()["fd_lite2"] == first.fd_lite2


def test_seed_diversity_rests_on_many_sentences(judge: Judge) -> None:
    """A6: four sentences were too few."""
    assert len(judge.questions.sentences) >= 28 and judge.questions.num_sentence_seeds >= 4


def test_figures_that_photos_allow_not_are_left_out(toybirds: Path) -> None:
    dataset = patches(toybirds, captions=("a bird",))
    found = judge_of(dataset, dataset.indices("validation")).measure(Painter())
    assert "text_match" not in found.as_dict() and "kid" in found.as_dict()


def test_photos_that_are_all_the_same_do_not_stop_a_run(toybirds: Path) -> None:
    plain = patches(toybirds)
    images = plain.images(32)[:1].repeat(len(plain), 0)
    dataset = CaptionedImages(plain.path / "same", plain.meta, plain.records, {32: images})
    assert np.isfinite(judge_of(dataset, dataset.indices("validation")).measure(Painter()).diversity)


def test_training_never_looks_at_a_test_photo(toybirds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A4: the best checkpoint was chosen on the very photos that it was then reported on."""
    plain = patches(toybirds)
    images = plain.images(32).copy()
    images[plain.indices("test")] = 0
    dataset = CaptionedImages(plain.path / "without-test", plain.meta, plain.records, {32: images})
    monkeypatch.setattr("creativeai.training.judging.load_judges", lambda *_, **__: (patch_judges(), []))

    class Run:
        text_encoder, text_folder = "minilm", None

    class Materials:
        def __init__(self, dataset: CaptionedImages) -> None:
            self.dataset, self.held_out = dataset, dataset.indices("validation")

    def asked(of: CaptionedImages) -> tuple[Sequence[str], NDArray[np.float32]]:
        run: Any = Run
        materials: Any = Materials(of)
        judge = build_judge(run, materials, quiet_console(), CPU)
        assert set(judge.questions.photos) == set(of.indices("validation"))
        return judge.questions.captions, judge.photos.test.pooled

    blackened, whole = asked(dataset), asked(plain)
    assert blackened[0] == whole[0]
    np.testing.assert_array_equal(blackened[1], whole[1])
