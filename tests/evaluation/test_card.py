"""Evaluation cards: what is written is read again, and what isn't right is refused in one line."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.errors import EvaluationError
from creativeai.evaluation.card import Figure, card_bytes, card_metrics, no_figure, parse_card, read_card
from tiny_card import tiny_card


def test_card_is_read_as_it_was_written() -> None:
    card = tiny_card()
    assert parse_card(card_bytes(card), "it") == card
    assert parse_card(card_bytes(replace(card, grid=None, figures={})), "it").figures == {}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_figure_is_lost(value: float) -> None:
    card = replace(tiny_card(), figures={"kid": Figure(value=value)})
    assert parse_card(card_bytes(card), "it").figures["kid"].value == value


def test_figure_needs_a_finite_value_or_a_reason() -> None:
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            Figure(value=bad)
    with pytest.raises(ValueError, match="reason"):
        Figure(value=None)
    assert no_figure("too few").value is None


def test_photos_are_the_ceiling_where_there_is_one() -> None:
    assert Figure(value=1.0, floor=2.0).photos == 2.0
    assert Figure(value=1.0, floor=2.0, ceiling=3.0).photos == 3.0
    assert Figure(value=1.0).photos is None


def changed(**changes: Any) -> bytes:
    """A card's JSON with other values at dotted places; None takes the field away."""
    content = json.loads(card_bytes(tiny_card()))
    for place, value in changes.items():
        *groups, name = place.split("__")
        inner = content
        for group in groups:
            inner = inner[group]
        if value is None:
            del inner[name]
        else:
            inner[name] = value
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "must be an object"),
        (b'{"schema_version": 1}', "created is missing"),
        (changed(schema_version=9), "made by a newer CreativeAI"),
        (changed(created="now"), "created must be a whole number"),
        (changed(protocol__constants__num_neighbours=None), "protocol.constants.num_neighbours is missing"),
        (changed(protocol__surprise=1), "protocol.surprise is unknown"),
        (changed(protocol__networks={"features": 3}), "protocol.networks.features must be text"),
        (changed(figures={"fun": {"value": 1.0}}), "'fun', which this version doesn't know"),
        (changed(figures__kid={"value": "1"}), "figures.kid.value must be a number"),
        (changed(figures__kid={"value": None}), "needs a reason"),
        (changed(grid__file="../secret"), "must be a plain name beside the card"),
        (changed(model__digest="abc"), "model.digest must be a SHA-256"),
        (card_bytes(tiny_card()).replace(b"12.5", b"NaN"), "NaN is no number"),
    ],
)
def test_wrong_card_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(EvaluationError, match=r"^x\.json ") as error:
        parse_card(data, "x.json")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_anything_else_is_refused_too(data: bytes) -> None:
    with pytest.raises(EvaluationError):
        parse_card(data, "x.json")


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="No such file"):
        read_card(tmp_path / "none.json")


def test_metrics_of_a_manifest_have_value_interval_and_photos() -> None:
    metrics = card_metrics(tiny_card(kid=12.5))
    assert (metrics["kid"], metrics["kid_low"], metrics["kid_high"]) == (12.5, 11.5, 13.5)
    assert (metrics["kid_of_photos"], metrics["kid_error"]) == (0.2, 0.5)
    assert (metrics["text_match"], metrics["text_match_of_photos"]) == (0.19, 0.88)
    assert "names" not in metrics
    assert (metrics["measured_on"], metrics["num_generated"], metrics["num_real"]) == ("test", 1890, 1890)
