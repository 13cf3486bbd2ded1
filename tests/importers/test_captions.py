"""AttnGAN's captions.pickle."""

import os
import pickle  # noqa: TID251  -- writes the file that must not be obeyed
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creativeai.errors import DataError
from creativeai.importers.captions import read_captions
from creativeai.importers.damsm import text_encoder, text_graph, tokeniser_of
from creativeai.text.vocabulary import Vocabulary
from importers.official_files import WORDS, save_captions, small_weights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "captions.pickle"


def test_vocabulary_and_test_captions_are_read(file: Path) -> None:
    captions = read_captions(save_captions(file))
    assert captions.words == WORDS
    assert captions.test[0] == (9, 2, 4, 5, 11)
    assert set(captions.examples(6)) == {"this bird has red wings", "a small red bird with black wings"}
    assert captions.examples(1) == captions.examples(6)[:1]


def test_vocabulary_of_numpys_numbers_is_read(file: Path) -> None:
    """As code writes it that counts words with NumPy."""
    by_number = {np.int64(number): word for number, word in enumerate(WORDS)}
    by_word = {word: np.int32(number) for number, word in enumerate(WORDS)}
    test = [[np.int64(1), np.int64(2)]]
    captions = read_captions(save_captions(file, test=test, by_number=by_number, by_word=by_word))
    assert captions.words == WORDS and captions.examples(1) == ("a bird",)


def test_captions_that_fit_no_page_are_no_examples(file: Path) -> None:
    captions = read_captions(save_captions(file, test=[[], [0], [7] * 60, [1, 2, 0]]))
    assert captions.examples(6) == ("a bird",)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"test": 3}, "second entry is no list of captions"),
        ({"test": [[1, "bird"]]}, "a test caption is not made of numbers of words below 12"),
        ({"test": [[1, 12]]}, "a test caption is not made of numbers of words below 12"),
        ({"by_number": list(WORDS)}, "no vocabulary"),
        ({"by_number": {0: "<end>", 2: "a"}}, "word 1 of its vocabulary of 2 is missing or no word"),
        ({"by_number": {0: "<end>", 1: "a b"}}, "word 1 of its vocabulary of 2 is missing or no word"),
        ({"by_number": {0: "a"}}, "word 0 of its vocabulary is not <end>"),
        ({"by_number": {}}, "word 0 of its vocabulary is not <end>"),
        ({"by_word": {"<end>": 0, "bird": 1}}, "its two lists of words don't agree"),
        ({"more": []}, "no captions.pickle of AttnGAN's"),
    ],
)
def test_other_pickle_is_refused(file: Path, changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(DataError, match=rf"captions\.pickle.*{wrong}"):
        read_captions(save_captions(file, **changes))


class Obeyed:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


def test_code_is_not_run(file: Path) -> None:
    file.write_bytes(pickle.dumps([[], [], {0: Obeyed()}, {}], protocol=2))
    with pytest.raises(DataError, match=r"captions\.pickle"):
        read_captions(file)


def test_vocabulary_of_another_size_is_refused_with_both_numbers(file: Path, tmp_path: Path) -> None:
    captions = read_captions(save_captions(file, words=WORDS[:-1], test=[[1, 2]]))
    encoder = text_encoder(small_weights("attngan_bird text_encoder"), tmp_path / "text_encoder200.pth")
    with pytest.raises(
        DataError, match=r"text_encoder200\.pth knows 12 words, but .*captions\.pickle has 11: give the"
    ):
        text_graph(encoder, tmp_path / "text_encoder200.pth", captions)


@pytest.mark.parametrize(
    ("words", "tokeniser"),
    [
        (WORDS, "attngan"),
        (("<end>", "red_bird", "a"), "attngan"),
        (("<end>", "红", "花"), "plain"),
        (("<end>", "красная", "птица"), "plain"),
        (("<end>", "синий", "йод"), "unicode"),
        (("<end>", "une", "tête", "bleutée"), "unicode"),
        (("<end>", "붉은", "새"), "unicode"),
        (("<end>", "a", "bird", "n't"), "attngan"),
    ],
)
def test_tokeniser_is_the_one_that_reaches_the_vocabulary(
    file: Path, words: tuple[str, ...], tokeniser: str
) -> None:
    captions = read_captions(save_captions(file, words=words, test=[[1, 2]]))
    assert tokeniser_of(captions) == tokeniser
    vocabulary = Vocabulary(list(words), tokeniser_of(captions))
    assert all(vocabulary.knows(word) for word in words[1:] if word != "n't")


@pytest.mark.parametrize(
    "words", [("<end>",), ("<end>", "A", "BIRD"), ("<end>", "n't", "'s", "bird"), ("<end>", "🐦")]
)
def test_vocabulary_that_nobody_can_type_is_refused(file: Path, words: tuple[str, ...]) -> None:
    captions = read_captions(save_captions(file, words=words, test=[[]]))
    with pytest.raises(
        DataError, match=r"captions\.pickle: of the \d words in its vocabulary \d can be typed"
    ):
        tokeniser_of(captions)
