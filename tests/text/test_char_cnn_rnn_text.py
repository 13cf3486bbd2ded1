from pathlib import Path

import numpy as np
import pytest

from creativeai.errors import TextError
from creativeai.text.alphabet import ALPHABET, character_ids, has_character
from creativeai.text.char_cnn_rnn import CharCnnRnnText
from tiny_encoders import make_char_cnn_rnn

SPACE = 70


def test_alphabet_is_the_published_one() -> None:
    assert len(ALPHABET) == 70
    assert [place for place, character in enumerate(ALPHABET) if character == "-"] == [36, 59]
    assert len(set(ALPHABET)) == 69
    assert character_ids("-")[0] == 60  # the later one
    assert character_ids("az09 ")[:5] == [1, 26, 27, 36, SPACE]


def test_text_is_cut_or_filled_up_to_201_places() -> None:
    assert character_ids("b" * 300) == [2] * 201
    assert character_ids("b") == [2] + [0] * 200


@pytest.mark.parametrize(
    ("text", "port", "lua"),
    [
        ("Ab", [1, 2, 0], [0, 2, 0]),  # a capital leaves its place empty in Lua
        ("a–b", [1, SPACE, 2], [1, 0, 0]),  # the dash is three bytes there
        ("é", [SPACE, 0, 0], [0, 0, 0]),
        ("a\tb", [1, SPACE, 2], [1, 0, 2]),
    ],
)
def test_unknown_and_capital_characters(text: str, port: list[int], lua: list[int]) -> None:
    assert character_ids(text, "port")[:3] == port
    assert character_ids(text, "lua")[:3] == lua
    assert len(character_ids(text, "lua")) == len(character_ids(text, "port")) == 201


def test_dash_of_three_bytes_moves_what_follows_in_lua() -> None:
    assert character_ids("a–b", "lua")[:6] == [1, 0, 0, 0, 2, 0]


def test_a_word_is_known_by_one_character() -> None:
    assert has_character("RED") and not has_character("RED", "lua")
    assert has_character("птица7") and not has_character("птица")


@pytest.mark.parametrize(("mode", "same"), [("port", True), ("lua", False)])
def test_graph_says_how_capitals_are_read(tmp_path: Path, mode: str, same: bool) -> None:
    encoder = CharCnnRnnText(make_char_cnn_rnn(tmp_path / "text", mode))
    small, capital = encoder.encode(["a red bird", "a RED bird"]).sentence
    assert np.array_equal(small, capital) == same
    assert encoder.unknown_words("a RED птица bird") == (["птица"] if same else ["RED", "птица"])
    assert encoder.num_known_words("a RED птица bird") == (3 if same else 2)


def test_its_only_word_is_the_sentence(tmp_path: Path) -> None:
    encoder = CharCnnRnnText(make_char_cnn_rnn(tmp_path / "text"))
    features = encoder.encode(["a red bird", "bird"])
    assert encoder.max_words == 1 and features.mask.all()
    np.testing.assert_array_equal(features.words[:, 0], features.sentence)
    assert encoder.word_places(" a  Red bird\n") == ["a Red bird"]
    assert encoder.word_places("птица") == []


def test_caption_in_other_letters_only_is_refused(tmp_path: Path) -> None:
    encoder = CharCnnRnnText(make_char_cnn_rnn(tmp_path / "text"))
    with pytest.raises(TextError, match="no word in the text 'красная птица'"):
        encoder.encode(["a bird", "красная птица"])


def test_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"no usable text encoder .*unknown_characters=perl"):
        CharCnnRnnText(make_char_cnn_rnn(tmp_path / "text", "perl"))
