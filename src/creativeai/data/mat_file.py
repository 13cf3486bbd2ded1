"""Reading a matrix of numbers out of a MATLAB file (version 5 to 7), with every length checked.

Our own, since SciPy's reader crashes the whole process on some damaged files. The format is Level 5 of
MathWorks' "MAT-File Format".
"""

import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError

__all__ = ["read_mat_numbers"]

_HEADER_BYTES = 128
_MAX_BYTES = 16 * 2**20
"""Most that a compressed matrix may unpack to."""
_MATRIX, _COMPRESSED = 14, 15
_KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC_CLASSES = range(6, 16)
"""Arrays of double, single and whole numbers; the others are cells, structures, texts and functions."""


def read_mat_numbers(content: bytes, name: str) -> NDArray[Any]:
    """The matrix called `name`, in its shape.

    Raises:
        DataError: no MATLAB file of version 5 to 7, damaged, or it has no such matrix of real numbers.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or not content.startswith(b"MATLAB 5.0"):
        raise DataError("is no MATLAB file of version 5 to 7")
    rest = memoryview(content)[_HEADER_BYTES:]  # of which parts are taken without copying the rest each time
    while rest:
        kind, element, rest = _next(rest, order, is_padded=False)
        if kind == _COMPRESSED:
            kind, element, _ = _next(memoryview(_unpack(element)), order)
        if kind == _MATRIX and (matrix := _numbers(element, order, name)) is not None:
            return matrix
    raise DataError(f"has no {name}")


def _next(data: memoryview, order: str, *, is_padded: bool = True) -> tuple[int, memoryview, memoryview]:
    """The kind and the content of the first element, and what comes after it."""
    if len(data) < 8:
        raise DataError("is damaged or cut off")
    kind, num_bytes = struct.unpack(f"{order}II", data[:8])
    if kind >> 16:  # up to four bytes are kept within the eight that otherwise say kind and size
        kind, num_bytes, begin, end = kind & 0xFFFF, kind >> 16, 4, 8
    else:
        begin, end = 8, 8 + num_bytes + (-num_bytes % 8 if is_padded else 0)
    if begin + num_bytes > min(len(data), max(end, 8)):
        raise DataError("is damaged or cut off")
    return kind, data[begin : begin + num_bytes], data[end:]


def _unpack(packed: memoryview) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, _MAX_BYTES)
        is_whole = unpacker.eof or (not unpacker.decompress(unpacker.unconsumed_tail, 1) and unpacker.eof)
    except zlib.error:
        raise DataError("is damaged") from None
    if not is_whole:
        raise DataError("is cut off, or unpacks to too much")
    return data


def _numbers(element: memoryview, order: str, name: str) -> NDArray[Any] | None:
    """The matrix, None if it is called otherwise."""
    _, flags, rest = _next(element, order)
    _, sides, rest = _next(rest, order)
    _, found_name, rest = _next(rest, order)
    if found_name != name.encode():
        return None
    kind, numbers, _ = _next(rest, order)
    if len(flags) != 8 or len(sides) % 4 or not 8 <= len(sides) <= 32:
        raise DataError("is damaged")
    matrix_class = struct.unpack(f"{order}I", flags[:4])[0]
    is_complex = matrix_class & 0x800
    if matrix_class & 0xFF not in _NUMERIC_CLASSES or is_complex or kind not in _KINDS:
        raise DataError(f"has a {name} that is not made of numbers")
    shape = struct.unpack(f"{order}{len(sides) // 4}i", sides)
    dtype = np.dtype(f"{order}{_KINDS[kind]}")
    if min(shape) < 0 or math.prod(shape) * dtype.itemsize != len(numbers):
        raise DataError("is damaged")
    return np.frombuffer(numbers, dtype).reshape(shape, order="F")
