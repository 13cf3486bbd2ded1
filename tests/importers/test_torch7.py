"""Torch7's format, whole, damaged and made up."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creativeai.errors import DataError
from creativeai.importers.torch7 import Table, TorchObject, parse_t7, read_t7
from importers.t7_writer import Function, Module, t7_bytes, text_encoder_bytes

GOOD = text_encoder_bytes("gru", widths=(2, 2, 2), out_dim=2)


def plain(value: Any) -> Any:
    return {key: plain(item) for key, item in value.entries.items()} if isinstance(value, Table) else value


texts = st.text(st.characters(max_codepoint=255), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | texts,
    lambda inner: st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_values_survive_writing_and_reading(value: Any) -> None:
    assert plain(parse_t7(t7_bytes(value))) == value


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1"])
@pytest.mark.parametrize("has_versions", [True, False])
def test_tensors_are_views_of_the_file(dtype: str, has_versions: bool) -> None:
    base = np.arange(24).astype(dtype).reshape(2, 3, 4)
    parts = {"whole": base, "turned": base.transpose(2, 0, 1), "part": base[1, :, 1:3], "empty": base[:0]}
    read = parse_t7(t7_bytes(parts, has_versions=has_versions)).entries
    for name, value in parts.items():
        np.testing.assert_array_equal(read[name], value if value.size else np.zeros(0))
    assert not read["whole"].flags.writeable and not read["part"].flags.owndata


def test_objects_are_read_once_and_may_hold_themselves() -> None:
    loop: dict[str, Any] = {"name": "loop"}
    loop["self"] = loop
    shared = Module("nn.Linear", {"weight": np.ones(3)})
    read = parse_t7(t7_bytes({"loop": loop, "first": shared, "second": shared})).entries
    assert read["loop"].entries["self"] is read["loop"]
    assert read["first"] is read["second"] and isinstance(read["first"], TorchObject)
    assert read["first"].class_name == "nn.Linear"


def test_whole_number_keys_are_ints_and_other_keys_stay() -> None:
    read = parse_t7(t7_bytes({1: "a", 2.5: "b", "d": "e"})).entries
    assert read == {1: "a", 2.5: "b", "d": "e"} and [type(key) for key in read] == [int, float, str]
    table = parse_t7(t7_bytes(["x", "y"]))
    assert table.entries == {1: "x", 2: "y"} and all(type(key) is int for key in table.entries)


@pytest.mark.parametrize("kind", [6, 7, 8])
def test_functions_are_passed_over(kind: int) -> None:
    function = Function(b"\x1bLJ os.execute", {"captured": 1.0}, kind)
    read = plain(parse_t7(t7_bytes({"f": function, "after": "it", "again": function})))
    assert read == {"f": None, "after": "it", "again": None}


def test_long_chain_of_objects_is_read_but_not_an_endless_one() -> None:
    def chain(length: int) -> bytes:
        data = b""
        for index in range(length):
            data += struct.pack("<iii", 3, index + 1, 1) + struct.pack("<id", 1, 1.0)
        return data + struct.pack("<i", 0)

    value = parse_t7(chain(1500))
    for _ in range(1500):
        value = value.entries[1]
    assert value is None
    with pytest.raises(DataError, match="nest more than 4000 deep"):
        parse_t7(chain(5000))


def tensor(
    sizes: list[int], strides: list[int], offset: int, stored: int, num: int = 4, num_dims: int | None = None
) -> bytes:
    """A tensor that says what it wants of itself; `stored` is what its storage claims to hold."""

    def name(text: str) -> bytes:
        return struct.pack("<i", 3) + b"V 1" + struct.pack("<i", len(text)) + text.encode()

    dims = len(sizes) if num_dims is None else num_dims
    return (
        struct.pack("<ii", 4, 1)
        + name("torch.FloatTensor")
        + struct.pack(f"<i{2 * len(sizes)}qq", dims, *sizes, *strides, offset)
        + struct.pack("<ii", 4, 2)
        + name("torch.FloatStorage")
        + struct.pack("<q", stored)
        + bytes(4 * num)
    )


def test_tensor_by_hand_is_right() -> None:
    assert parse_t7(tensor([2, 2], [2, 1], 1, 4)).shape == (2, 2)
    assert parse_t7(tensor([1, 4], [10**15, 1], 1, 4)).shape == (1, 4)  # the stride of a single row is moot


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (tensor([2, 2], [2, 1], 1, 2**40), "bytes to read, which it lacks"),
        (tensor([2, 2], [2, 1], 1, -1), "bytes to read, which it lacks"),
        (tensor([2, 3], [2, 1], 1, 4), "beyond its 4 numbers"),
        (tensor([2, 2], [2, 1], 2, 4), "beyond its 4 numbers"),
        (tensor([2, 2], [2, 1], 0, 4), "beyond its 4 numbers"),
        (tensor([2, 2], [-2, 1], 3, 4), "strides"),
        (tensor([2**40, 2**40], [0, 0], 1, 4), "beyond its 4 numbers"),
        (tensor([-2, 2], [2, 1], 1, 4), "sizes"),
        (tensor([], [], 1, 4, num_dims=-1), "a tensor of -1 dimensions"),
        (tensor([], [], 1, 4, num_dims=10**6), "a tensor of 1000000 dimensions"),
        (tensor([2, 2], [2, 1], 1, 4, num=3), "bytes to read, which it lacks"),
        (struct.pack("<ii", 2, 2**31 - 1), "bytes to read, which it lacks"),
        (struct.pack("<ii", 2, -1), "bytes to read, which it lacks"),
        (struct.pack("<iii", 3, 1, 2**31 - 1), "a table of 2,147,483,647 entries"),
        (struct.pack("<iii", 3, 1, -1), "a table of -1 entries"),
        (struct.pack("<i", 42), "an object of the unknown kind 42"),
        (b"", "bytes to read, which it lacks"),
    ],
)
def test_sizes_are_checked_before_anything_is_made(data: bytes, wrong: str) -> None:
    with pytest.raises(DataError, match=wrong):
        parse_t7(data)


def test_tensor_over_something_else_is_refused() -> None:
    whole = tensor([2, 2], [2, 1], 1, 4)
    data = whole[: whole.index(struct.pack("<ii", 4, 2))]
    with pytest.raises(DataError, match="without numbers of its kind"):
        parse_t7(data + struct.pack("<ii", 4, 1))  # its storage is the tensor itself
    with pytest.raises(DataError, match="without numbers of its kind"):
        parse_t7(data + struct.pack("<i", 0))


def refused_or_read(data: bytes) -> None:
    try:
        parse_t7(data)
    except DataError as error:
        assert "\n" not in str(error)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    refused_or_read(data)


@settings(max_examples=150)
@given(st.lists(st.integers(-2, 9) | st.integers(-(2**31), 2**31 - 1), max_size=40))
def test_any_numbers_are_refused_or_read(numbers: list[int]) -> None:
    refused_or_read(struct.pack(f"<{len(numbers)}i", *numbers))


@settings(max_examples=100)
@given(st.integers(0, len(GOOD) - 1))
def test_truncated_file_is_refused(size: int) -> None:
    with pytest.raises(DataError):
        parse_t7(GOOD[:size])


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_file_is_refused_or_read(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    refused_or_read(bytes(data))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a git-LFS pointer"),
        (b"<!doctype html>", "is a web page"),
        (GOOD[:-9], "is no whole binary file of Torch7: at byte"),
        (b"PK\x03\x04 a file of PyTorch's", "is no whole binary file of Torch7"),
    ],
)
def test_file_is_named_for_what_it_is(tmp_path: Path, content: bytes, wrong: str) -> None:
    file = tmp_path / "sje.t7"
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"sje.t7 {wrong}"):
        read_t7(file)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sje\.t7: no such file"):
        read_t7(tmp_path / "sje.t7")


def test_numbers_without_an_end_are_numbers() -> None:
    read = parse_t7(t7_bytes({"inf": math.inf, "nan": math.nan})).entries
    assert read["inf"] == math.inf and math.isnan(read["nan"])
