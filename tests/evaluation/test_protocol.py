"""What figures depend on: one difference anywhere is found and named."""

from dataclasses import fields, replace
from typing import Any

import pytest

from creativeai.evaluation.protocol import (
    STANDARD,
    EvaluationProtocol,
    ProtocolConstants,
    captions_digest,
    protocol_differences,
)
from tiny_card import PROTOCOL


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, dict):
        return {**value, "features": "0" * 64, "new": "1"}
    if isinstance(value, ProtocolConstants):
        return replace(value, num_neighbours=value.num_neighbours + 1)
    return value + "x" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("field", [field.name for field in fields(EvaluationProtocol)])
def test_every_field_counts(field: str) -> None:
    changed = replace(PROTOCOL, **{field: other(getattr(PROTOCOL, field))})
    found = protocol_differences(PROTOCOL, changed)
    assert found and all(line.startswith(field) for line in found)
    assert protocol_differences(PROTOCOL, PROTOCOL) == []


@pytest.mark.parametrize("field", [field.name for field in fields(ProtocolConstants)])
def test_every_constant_counts_and_both_values_are_told(field: str) -> None:
    value = getattr(STANDARD, field)
    changed = replace(PROTOCOL, constants=replace(STANDARD, **{field: other(value)}))
    [line] = protocol_differences(PROTOCOL, changed)
    assert line == f"constants.{field}: {value} and {other(value)}"


def test_network_that_only_one_has_is_told() -> None:
    changed = replace(PROTOCOL, networks={**PROTOCOL.networks, "inception": "b" * 64})
    assert protocol_differences(PROTOCOL, changed) == [f"networks.inception: none and {'b' * 64}"]


def test_captions_digest_follows_words_seeds_and_order() -> None:
    asked = {"captions": [("a bird", 0), ("a red bird", 1)]}
    digests = {
        captions_digest(groups)
        for groups in (
            asked,
            {"captions": asked["captions"][::-1]},
            {"captions": [("a bird", 0), ("a red bird", 2)]},
            {"captions": [("a bird", 0), ("a red bird.", 1)]},
            {**asked, "names": []},
        )
    }
    assert len(digests) == 5
    assert captions_digest(dict(asked)) == captions_digest(asked)
