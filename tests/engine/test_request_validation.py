import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.engine.model import Model
from creativeai.engine.validation import clean_text, validate_request
from creativeai.errors import RequestError
from creativeai.request_limits import MAX_TEXT_LENGTH

anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a bird", "a bird"),
        ("  a \t small\r\n bird\x00\x07 ", "a small bird"),
        ("a\u200b bird\ufeff \ud800\ue000", "a bird"),
        ("ein Vögelchen 🐦", "ein Vögelchen 🐦"),
        ("x" * MAX_TEXT_LENGTH, "x" * MAX_TEXT_LENGTH),
        ("x" * MAX_TEXT_LENGTH + " \n" * 500, "x" * MAX_TEXT_LENGTH),
    ],
)
def test_clean_text(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\x00\x1b\x7f", "\u200b\u200d\ufeff", "\ud800"])
def test_empty_text_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="the text is empty: describe the picture"):
        clean_text(text)


@pytest.mark.parametrize("length", [MAX_TEXT_LENGTH + 1, 10_000])
def test_long_text_is_refused_with_its_length(length: int) -> None:
    with pytest.raises(RequestError, match=f"the text has {length} characters: 1000 are the most"):
        clean_text("x" * length)


@given(st.text())
def test_any_text_is_cleaned_or_refused(text: str) -> None:
    try:
        cleaned = clean_text(text)
    except RequestError as error:
        assert error.param == "prompt"
    else:
        assert clean_text(cleaned) == cleaned
        assert cleaned.isprintable() or not cleaned.isascii()
        cleaned.encode()


@given(st.text(max_size=50))
def test_any_text_becomes_a_picture_or_is_refused(tiny: Model, text: str) -> None:
    try:
        [image] = tiny.generate(text, seed=0)
    except RequestError as error:
        assert error.param == "prompt"
    else:
        assert image.size == (32, 32)


@given(text=anything, n=anything, seed=anything, truncation=anything)
def test_any_values_are_valid_or_refused_in_one_line(text: Any, n: Any, seed: Any, truncation: Any) -> None:
    try:
        request = validate_request(text, n, seed, truncation)
    except RequestError as error:
        assert error.param in ("prompt", "n", "seed", "truncation")
        assert "\n" not in str(error) and len(str(error)) < 200
    else:
        assert 1 <= request.num_pictures <= 64 and 0 <= request.seed < 2**32 and 0 <= request.truncation <= 1


@pytest.mark.parametrize("n", [0, -1, 65, 10_000, 1.0, "1", True, None])
def test_wrong_number_is_refused(n: Any) -> None:
    with pytest.raises(RequestError, match=r"n is .*: ask for 1 to 64 pictures") as caught:
        validate_request("a bird", n, 0, 1.0)
    assert caught.value.param == "n"


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "7", False])
def test_wrong_seed_is_refused(seed: Any) -> None:
    with pytest.raises(RequestError, match=r"seed is .*: give a whole number from 0 to 4294967295") as caught:
        validate_request("a bird", 1, seed, 1.0)
    assert caught.value.param == "seed"


@pytest.mark.parametrize("truncation", [-0.1, 1.1, math.nan, math.inf, "1", True, None])
def test_wrong_truncation_is_refused(truncation: Any) -> None:
    with pytest.raises(RequestError, match=r"truncation is .*: give a number from 0 to 1") as caught:
        validate_request("a bird", 1, 0, truncation)
    assert caught.value.param == "truncation"


def test_pictures_of_a_request_have_seeds_in_a_row() -> None:
    pictures = validate_request(" a  bird ", 3, 2**32 - 1, 1).pictures()
    assert [(picture.text, picture.seed, picture.truncation) for picture in pictures] == [
        ("a bird", 2**32 - 1, 1.0),
        ("a bird", 0, 1.0),
        ("a bird", 1, 1.0),
    ]
