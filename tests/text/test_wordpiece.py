import bz2
import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from creativeai.text.encoder import ZOO_FOLDER
from creativeai.text.wordpiece import WordPiece, words_of

VOCABULARY = (ZOO_FOLDER / "minilm" / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
OURS = WordPiece(VOCABULARY)
THEIRS = Tokenizer(
    models.WordPiece(
        {piece: id for id, piece in enumerate(VOCABULARY)}, unk_token="[UNK]", max_input_chars_per_word=100
    )
)
THEIRS.normalizer = normalizers.BertNormalizer(lowercase=True)
THEIRS.pre_tokenizer = pre_tokenizers.BertPreTokenizer()


def _is_same_in_both(character: str) -> bool:
    return THEIRS.encode(f"a{character}a", add_special_tokens=False).ids == OURS.encode(f"a{character}a")


ASSIGNED = [
    chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
]
# `tokenizers` sorts characters by an older Unicode than Python's.
NEWER = "".join(character for character in ASSIGNED if not _is_same_in_both(character))


def test_every_character_but_a_few_new_marks_is_as_in_tokenizers() -> None:
    assert len(NEWER) < 0.005 * len(ASSIGNED)
    assert not {character for character in NEWER if unicodedata.category(character)[0] in "LNZ"}


def test_captions_of_birds_are_as_in_tokenizers() -> None:
    captions = files("creativeai.data.sources").joinpath("birds525_captions.jsonl.bz2").read_bytes()
    for line in bz2.decompress(captions).decode().splitlines():
        assert OURS.encode(line) == THEIRS.encode(line, add_special_tokens=False).ids


@given(st.text(st.characters(exclude_characters=NEWER, exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_as_in_tokenizers(text: str) -> None:
    assert OURS.encode(text) == THEIRS.encode(text, add_special_tokens=False).ids


@given(st.text(st.sampled_from("aábcß 'ÀİŒ.,-#[]中\t\u200d\U0001f426"), max_size=120))
def test_difficult_text_is_as_in_tokenizers(text: str) -> None:
    assert OURS.encode(text) == THEIRS.encode(text, add_special_tokens=False).ids


@given(st.text())
def test_words_never_fail_even_on_halves_of_characters(text: str) -> None:
    assert all(words_of(text))


def test_special_tokens_in_text_are_plain_text() -> None:
    assert OURS.id("[SEP]") not in OURS.encode("a bird [SEP] a plane")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A Black-Crowned NIGHT heron", ["a", "black", "-", "crowned", "night", "heron"]),
        ("Père\tDavid's", ["pere", "david", "'", "s"]),
        ("鳥bird", ["鳥", "bird"]),
        (" \x00\u200b\ufffd ", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_word_in_no_piece_and_word_too_long_are_unknown() -> None:
    assert OURS.pieces_of_word("\U0001f426") == ["[UNK]"]
    assert OURS.pieces_of_word("a" * 101) == ["[UNK]"]
