"""What the names of NumPy in a pickle are taken for: they take raw bytes and never look anything up."""

import math
import re
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError

__all__ = ["NumpyArray", "is_stand_in", "stand_ins"]

_NUMBERS = ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
"""Kinds of numbers that such pickles hold, alone or in arrays."""
_TEXTS = re.compile(r"[US][1-9][0-9]{0,3}")
"""Kinds of texts, which are read alone only."""


class _Dtype:
    """Stands in for `numpy.dtype`."""

    def __init__(self, name: object, *_: object) -> None:
        if name not in _NUMBERS and not (isinstance(name, str) and _TEXTS.fullmatch(name)):
            raise DataError(f"holds NumPy values of kind {name!r:.20}: only numbers and texts are read")
        self.name = name
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise DataError("holds NumPy values of unknown byte order")
        self.order = order

    def real(self) -> np.dtype[Any]:
        return np.dtype(f"{self.order}{self.name}")


class NumpyArray:
    """Stands in for an array under reconstruction: puts its bytes where the real one finds them."""

    def __init__(self, spend: Callable[[int], None], spill: BinaryIO) -> None:
        self._spend = spend
        self._spill = spill
        self.shape: tuple[int, ...] = (0,)
        self.dtype = np.dtype("u1")
        self.is_fortran = False
        self.offset = 0

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, raw = state
        self._spend(len(raw))
        content = _bytes_of(raw)
        if not isinstance(dtype, _Dtype) or dtype.name not in _NUMBERS or content is None:
            raise DataError("holds an array that is not made of numbers")
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise DataError(f"holds an array of shape {shape!r:.60}")
        kind = dtype.real()
        if math.prod(shape) * kind.itemsize != len(content):
            raise DataError(f"holds an array of shape {shape!s:.60} with {len(content):,} bytes")
        self.shape, self.dtype, self.is_fortran = shape, kind, bool(is_fortran)
        self.offset = self._spill.tell()
        self._spill.write(content + bytes(-len(content) % 8))

    def real(self, spilled: NDArray[np.uint8]) -> np.ndarray:
        """The array itself, a part of what was put aside."""
        num_bytes = math.prod(self.shape) * self.dtype.itemsize
        flat = spilled[self.offset : self.offset + num_bytes].view(self.dtype)
        return flat.reshape(self.shape, order="F" if self.is_fortran else "C")


def stand_ins(spill: BinaryIO | None, num_bytes: int) -> dict[tuple[str, str], Any]:
    """By module and name, made anew for each file: a pickle may deface them.

    Args:
        spill: Where the bytes of arrays go; None where arrays aren't read, only single numbers and texts.
        num_bytes: Size of the pickle; its arrays, numbers and texts may have twice as much in all.
    """
    left = 2 * num_bytes

    def spend(num_bytes: int) -> None:
        nonlocal left
        left -= num_bytes
        if left < 0:
            raise DataError("holds more than its own size: it is made to fill memory")

    def scalar(dtype: object, raw: object) -> Any:
        """Stands in for NumPy's function of that name: one number or text, as Python has it."""
        content = _bytes_of(raw)
        if not isinstance(dtype, _Dtype) or content is None:
            raise DataError("holds a NumPy value that is neither a number nor a text")
        spend(len(content))
        kind = dtype.real()
        if kind.itemsize != len(content):
            raise DataError(f"holds a NumPy value of kind {dtype.name} with {len(content):,} bytes")
        value = np.frombuffer(content, kind)[0].item()
        return value.decode("latin1") if isinstance(value, bytes) else value

    def encode(text: str, encoding: str) -> bytes:
        """Stands in for `_codecs.encode`, by which Python 3 writes bytes up to protocol 2."""
        if encoding != "latin1":
            raise DataError(f"holds bytes written in {encoding!r:.20}")
        spend(len(text))
        return text.encode("latin1")

    known: dict[tuple[str, str], Any] = {("numpy", "dtype"): _Dtype, ("_codecs", "encode"): encode}
    # NumPy 2 has given its inner modules an underscore.
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        known[module, "scalar"] = scalar
    if spill is not None:

        def array(*_: object) -> NumpyArray:
            return NumpyArray(spend, spill)

        known["numpy", "ndarray"] = array
        for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            known[module, "_reconstruct"] = array
    return known


def is_stand_in(value: object) -> bool:
    """Whether it is a name that was never used for what it is there for."""
    return callable(value) or isinstance(value, _Dtype)


def _bytes_of(raw: object) -> bytes | None:
    """Bytes as Python 3 writes them, or the text that Python 2's are read as."""
    content = raw.encode("latin1") if isinstance(raw, str) else raw
    return content if isinstance(content, bytes) else None
