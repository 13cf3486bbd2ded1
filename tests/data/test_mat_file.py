"""Matrices of MATLAB files are read as SciPy writes them, and damaged files raise an error, nothing else."""

import io
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data import mat_file
from creativeai.data.mat_file import read_mat_numbers
from creativeai.errors import DataError
from data.official import mat_bytes

MATRIX = np.arange(1, 7, dtype=np.uint8).reshape(2, 3)


@pytest.mark.parametrize("packed", [True, False])
def test_matrix_is_read_in_its_shape(packed: bool) -> None:
    assert np.array_equal(read_mat_numbers(mat_bytes("labels", MATRIX, packed=packed), "labels"), MATRIX)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8", "i8", "u8"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 4), (2, 3, 4)])
def test_matrices_that_scipy_writes(dtype: str, compressed: bool, shape: tuple[int, ...]) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    matrix = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    file = io.BytesIO()
    others = {"a": "text", "b": np.ones(3)}
    scipy_io.savemat(file, others | {"labels": matrix, "z": 1}, do_compression=compressed)

    assert np.array_equal(read_mat_numbers(file.getvalue(), "labels"), matrix)
    with pytest.raises(DataError, match="has no other"):
        read_mat_numbers(file.getvalue(), "other")
    with pytest.raises(DataError, match="not made of numbers"):
        read_mat_numbers(file.getvalue(), "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no MATLAB file"),
        (b"<html>", "no MATLAB file"),
        (b"MATLAB 7.3 MAT-file".ljust(126) + b"IM", "no MATLAB file"),
        (b"MATLAB 5.0 MAT-file".ljust(126) + b"IM", "has no labels"),
        (mat_bytes("labels", MATRIX)[:-1], "cut off"),
        (mat_bytes("labels", MATRIX, matrix_class=1), "not made of numbers"),
        (mat_bytes("labels", MATRIX, matrix_class=9 | 0x800), "not made of numbers"),
        (mat_bytes("labels", MATRIX, kind=9), "is damaged"),
        (mat_bytes("labels", MATRIX, kind=99), "not made of numbers"),
    ],
)
def test_other_files(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_mat_numbers(content, "labels")


def test_compressed_matrix_that_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mat_bytes("labels", np.zeros((1000, 1000), np.uint8))
    assert len(content) < 2000
    assert read_mat_numbers(content, "labels").shape == (1000, 1000)
    monkeypatch.setattr(mat_file, "_MAX_BYTES", 100_000)
    with pytest.raises(DataError, match="unpacks to too much"):
        read_mat_numbers(content, "labels")


def test_size_beyond_the_file() -> None:
    content = bytearray(mat_bytes("labels", MATRIX, packed=False))
    for size in (0xFFFFFFFF, 0x7FFFFFF8, len(content)):
        content[132:136] = struct.pack("<I", size)
        with pytest.raises(DataError, match="cut off"):
            read_mat_numbers(bytes(content), "labels")


def test_many_little_elements_take_no_long_time() -> None:
    """A file of 2 MB took 12 s when the rest of it was copied for each element."""
    element = struct.pack("<HH4s", 1, 2, b"ab")
    content = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + element * 2**18
    start = time.process_time()
    with pytest.raises(DataError, match="has no labels"):
        read_mat_numbers(content, "labels")
    assert time.process_time() - start < 5


def test_random_damage_raises_data_errors_only() -> None:
    random = np.random.default_rng(1)
    for packed in (True, False):
        content = np.frombuffer(mat_bytes("labels", MATRIX, packed=packed), np.uint8)
        for _ in range(2000):
            changed = content.copy()
            changed[random.integers(126, len(content), 3)] = random.integers(0, 256, 3)
            try:
                read_mat_numbers(changed.tobytes(), "labels")
            except DataError as error:
                assert "\n" not in str(error)


@given(st.binary(max_size=300))
def test_any_bytes_raise_data_errors_only(content: bytes) -> None:
    with pytest.raises(DataError):
        read_mat_numbers(b"MATLAB 5.0 MAT-file".ljust(126) + b"IM" + content, "labels")
