"""Reading files of Torch7 (`.t7`): numbers, texts, tables, tensors, and modules as tables of their fields.

Functions in a file are passed over, never run. Every size is held against what is left of the file before
anything of it is made, and tensors are views of the file itself.
"""

import struct
from collections.abc import Generator, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError
from creativeai.importers.file_kind import check_is_weights

__all__ = ["Table", "TorchObject", "parse_t7", "read_t7"]

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
_PLAIN_FUNCTION = 6
"""The oldest way to write a function, which gives it no number."""
_MAX_DEPTH = 4000
_MAX_DIMS = 16
_MAX_SIZE = 4_000_000_000
_KINDS = {
    "Byte": "u1",
    "Char": "i1",
    "Short": "<i2",
    "Int": "<i4",
    "Long": "<i8",
    "Float": "<f4",
    "Double": "<f8",
    "Cuda": "<f4",
    "CudaDouble": "<f8",
}
_STORAGES = {f"torch.{kind}Storage": dtype for kind, dtype in _KINDS.items()}
_TENSORS = {f"torch.{kind}Tensor": dtype for kind, dtype in _KINDS.items()}


@dataclass(eq=False)
class Table:
    """A Lua table. Keys that are whole numbers are ints; Lua counts from 1."""

    entries: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(eq=False)
class TorchObject:
    """An object of a class that is not read further, such as a module of `nn`."""

    class_name: str
    content: Any = None


def read_t7(path: Path) -> Any:
    """What a binary Torch7 file holds.

    Returns:
        None, a float, bool or str, a `Table`, a `TorchObject` or a read-only NumPy array; functions are None.

    Raises:
        DataError: It is missing, another kind of file, cut off or damaged.
    """
    check_is_weights(path)
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise DataError(f"{path} is too large for a text encoder: at most {_MAX_SIZE:,} bytes are read")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from None
    try:
        return parse_t7(data)
    except DataError as error:
        raise DataError(f"{path} is no whole binary file of Torch7: {error}") from None


def parse_t7(data: bytes) -> Any:
    """As `read_t7`, of bytes.

    Raises:
        DataError: They are cut off, damaged or something else; the message doesn't say of what file.
    """
    reader = _Reader(data)
    # Objects nest deeper than Python's own calls may: each one under way is a generator on this stack.
    stack: list[_Reading] = [_read_object(reader)]
    answer: Any = None
    while stack:
        try:
            asked = stack[-1].send(answer)
        except StopIteration as finished:
            answer = finished.value
            stack.pop()
            continue
        if len(stack) == _MAX_DEPTH:
            raise DataError(f"its objects nest more than {_MAX_DEPTH} deep")
        stack.append(asked)
        answer = None
    return answer


_Reading = Generator[Any, Any, Any]
"""Yields the reading of an object within, gets that object, and returns its own."""


class _Reader:
    """Bytes from which numbers are taken one after the other, and the objects read so far by number."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.known: dict[int, Any] = {}

    def skip(self, num_bytes: int) -> int:
        """Pass over so many bytes; where they begin."""
        if not 0 <= num_bytes <= len(self.data) - self.place:
            raise DataError(f"at byte {self.place:,} it has {num_bytes:,} bytes to read, which it lacks")
        start = self.place
        self.place += num_bytes
        return start

    def number(self, form: str) -> Any:
        """A number in one of `struct`'s forms."""
        return struct.unpack_from(form, self.data, self.skip(struct.calcsize(form)))[0]

    def count(self) -> int:
        return int(self.number("<i"))

    def longs(self, num: int) -> list[int]:
        start = self.skip(8 * num)
        return list(struct.unpack_from(f"<{num}q", self.data, start))

    def text(self) -> str:
        size = self.count()
        start = self.skip(size)
        return self.data[start : start + size].decode("latin1")


def _read_object(reader: _Reader) -> _Reading:
    kind = reader.count()
    if kind == _NIL:
        return None
    if kind == _NUMBER:
        return float(reader.number("<d"))
    if kind == _STRING:
        return reader.text()
    if kind == _BOOLEAN:
        return reader.count() != 0
    if kind == _PLAIN_FUNCTION:
        return (yield _read_function(reader))
    if kind not in (_TABLE, _TORCH, *_FUNCTIONS):
        raise DataError(f"at byte {reader.place - 4:,} it has an object of the unknown kind {kind}")
    index = reader.count()
    if index in reader.known:
        return reader.known[index]
    if kind == _TABLE:
        return (yield _read_table(reader, index))
    if kind == _TORCH:
        return (yield _read_torch(reader, index))
    reader.known[index] = None
    return (yield _read_function(reader))


def _read_function(reader: _Reader) -> _Reading:
    """Pass over a function's code and what it captured."""
    reader.skip(reader.count())
    yield _read_object(reader)


def _read_table(reader: _Reader, index: int) -> _Reading:
    table = reader.known[index] = Table()
    size = reader.count()
    if not 0 <= size <= len(reader.data) - reader.place:
        raise DataError(
            f"at byte {reader.place - 4:,} it has a table of {size:,} entries, for which it is short"
        )
    for _ in range(size):
        key = yield _read_object(reader)
        value = yield _read_object(reader)
        if isinstance(key, np.ndarray):
            continue  # Lua knows tensors by their identity; nothing here looks for them
        table.entries[int(key) if isinstance(key, float) and key.is_integer() else key] = value
    return table


def _read_torch(reader: _Reader, index: int) -> _Reading:
    version = reader.text()
    # The oldest files have no version, but the class in its place.
    class_name = reader.text() if version.startswith("V ") else version
    if class_name in _STORAGES:
        reader.known[index] = _read_storage(reader, np.dtype(_STORAGES[class_name]))
        return reader.known[index]
    if class_name in _TENSORS:
        reader.known[index] = None
        reader.known[index] = yield _read_tensor(reader, np.dtype(_TENSORS[class_name]))
        return reader.known[index]
    made = reader.known[index] = TorchObject(class_name)
    made.content = yield _read_object(reader)
    return made


def _read_storage(reader: _Reader, dtype: np.dtype[Any]) -> NDArray[Any]:
    [size] = reader.longs(1)
    start = reader.skip(size * dtype.itemsize)
    return np.frombuffer(reader.data, dtype, size, start)


def _read_tensor(reader: _Reader, dtype: np.dtype[Any]) -> _Reading:
    num_dims = reader.count()
    if not 0 <= num_dims <= _MAX_DIMS:
        raise DataError(f"at byte {reader.place - 4:,} it has a tensor of {num_dims} dimensions")
    sizes, strides = reader.longs(num_dims), reader.longs(num_dims)
    [offset] = reader.longs(1)
    storage = yield _read_object(reader)
    if not num_dims or 0 in sizes:
        return np.zeros(0, dtype)
    if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype != dtype:
        raise DataError("it has a tensor without numbers of its kind")
    num = last = 1
    for size, stride in zip(sizes, strides, strict=True):
        if size < 0 or stride < 0:
            raise DataError(f"it has a tensor with the sizes {sizes} and strides {strides}")
        num *= size
        last += (size - 1) * stride
    steps = [stride * dtype.itemsize if size > 1 else 0 for size, stride in zip(sizes, strides, strict=True)]
    if offset < 1 or max(num, offset - 1 + last) > len(storage):
        raise DataError(f"it has a tensor with the sizes {sizes} beyond its {len(storage):,} numbers")
    return np.lib.stride_tricks.as_strided(storage[offset - 1 :], sizes, steps, writeable=False)
