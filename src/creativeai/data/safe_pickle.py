"""Reading the pickles that text-to-image datasets are published as, without running anything in them.

AttnGAN's and StackGAN's lists need no class at all; their embeddings and pictures need NumPy's arrays, for
which stand-ins of our own take the raw bytes. Any other name in a pickle is refused before it is looked up.
"""

import errno
import io
import math
import pickle  # noqa: TID251  -- the only place; find_class below never looks anything up
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER

__all__ = ["parse_plain_pickle", "read_array_pickle", "read_plain_pickle"]

_DTYPES = ("u1", "i1", "i4", "i8", "f2", "f4", "f8")
"""Kinds of arrays that such pickles hold."""
_LARGE = 2**14
"""Raw pixels of more bytes than this are not kept in memory once they are in their array."""


def read_plain_pickle(path: Path) -> Any:
    """What a pickle of lists, dictionaries, texts and numbers holds, as Python 2 and 3 write them.

    Raises:
        DataError: No pickle, cut off, or it names a class or function, which it has no reason to.
    """
    return _read_file(path, None)


def parse_plain_pickle(content: bytes, where: str) -> Any:
    """The same for a pickle that was read already, e.g. from an archive; `where` is its name in errors.

    Raises:
        DataError: As `read_plain_pickle`.
    """
    return _read(io.BytesIO(content), len(content), where, None)


def read_array_pickle(path: Path) -> Any:
    """The same for pickles that may hold NumPy arrays of numbers, also in lists and tuples of any depth.

    The arrays lie in a temporary file that is mapped into memory and gone with the last of them, since such
    pickles may be larger than the memory.

    Raises:
        DataError: As `read_plain_pickle`, or an array isn't what it says it is.
    """
    with tempfile.TemporaryFile() as spill:
        return _read_file(path, spill)


class _Dtype:
    """Stands in for `numpy.dtype`."""

    def __init__(self, name: object, *_: object) -> None:
        if name not in _DTYPES:
            raise DataError(f"holds arrays of kind {name!r:.20}: only numbers are read")
        self.name = name
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise DataError("holds an array of unknown byte order")
        self.order = order


class _Array:
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
        content = raw.encode("latin1") if isinstance(raw, str) else raw
        if not isinstance(dtype, _Dtype) or not isinstance(content, bytes):
            raise DataError("holds an array that is not made of numbers")
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise DataError(f"holds an array of shape {shape!r:.60}")
        kind = np.dtype(f"{dtype.order}{dtype.name}")
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


def _stand_ins(spill: BinaryIO, num_bytes: int) -> dict[tuple[str, str], Any]:
    """What the names of NumPy's arrays are taken for, made anew for each file: a pickle may deface them."""
    left = 2 * num_bytes

    def spend(num_bytes: int) -> None:
        nonlocal left
        left -= num_bytes
        if left < 0:
            raise DataError("holds more than its own size: it is made to fill memory")

    def array(*_: object) -> _Array:
        return _Array(spend, spill)

    def encode(text: str, encoding: str) -> bytes:
        """Stands in for `_codecs.encode`, by which Python 3 writes bytes at protocol 2."""
        if encoding != "latin1":
            raise DataError(f"holds bytes written in {encoding!r:.20}")
        spend(len(text))
        return text.encode("latin1")

    return {
        ("numpy.core.multiarray", "_reconstruct"): array,
        ("numpy._core.multiarray", "_reconstruct"): array,
        ("numpy", "ndarray"): array,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): encode,
    }


class _Bounded:
    """A file that never sets memory aside for more than is in it, whatever length a pickle states."""

    def __init__(self, file: BinaryIO, num_bytes: int) -> None:
        self._file = file
        self._num_bytes = num_bytes

    def read(self, num_bytes: int) -> bytes:
        if not 0 <= num_bytes <= self._num_bytes:
            raise EOFError("cut off")
        return self._file.read(num_bytes)

    def readinto(self, buffer: bytearray) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def readline(self) -> bytes:
        return self._file.readline()


class _Memo(dict[int, Any]):
    """What a pickle may refer back to: all but raw pixels, of which it would keep gigabytes alive."""

    def __setitem__(self, key: int, value: Any) -> None:
        parts = value if isinstance(value, tuple) else (value,)
        is_large = any(isinstance(part, str | bytes) and len(part) > _LARGE for part in parts)
        super().__setitem__(key, _FORGOTTEN if is_large else value)

    def __getitem__(self, key: int) -> Any:
        value = super().__getitem__(key)
        if value is _FORGOTTEN:
            raise DataError("refers to the same pixels twice")
        return value


_FORGOTTEN = object()


# The one in Python: that in C sets aside a table as long as the largest number in the file, up to 32 GB.
class _Unpickler(pickle._Unpickler):
    # Of all that have a length, bytearrays alone are made before there is anything to fill them with.
    dispatch: ClassVar = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code != pickle.BYTEARRAY8[0]
    }

    def __init__(self, file: _Bounded, known: dict[tuple[str, str], Any]) -> None:
        super().__init__(file, encoding="latin1")
        self._known = known
        if known:
            self.memo = _Memo()

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise DataError(
                f"asks for {module}.{name}, which a list of captions or pictures has no need for"[:200]
            )
        return self._known[module, name]

    def get_extension(self, code: int) -> Any:
        raise DataError(f"asks for class number {code}, which a list of captions or pictures has no need for")

    def persistent_load(self, _: Any) -> Any:
        raise DataError("refers to objects outside of the file")


def _read_file(path: Path, spill: BinaryIO | None) -> Any:
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, str(path), spill)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from None


def _read(file: BinaryIO, num_bytes: int, where: str, spill: BinaryIO | None) -> Any:
    try:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise DataError("is a git-LFS pointer instead of the file: run git lfs pull")
        file.seek(0)
        known = {} if spill is None else _stand_ins(spill, num_bytes)
        value = _Unpickler(_Bounded(file, num_bytes), known).load()
        return value if spill is None else _real(value, spill)
    except DataError as error:
        raise DataError(f"{where}: {_one_line(error)}") from None
    except RecursionError:
        raise DataError(f"{where}: nested too deeply for a list of captions or pictures") from None
    # Damaged pickles raise nearly anything: UnpicklingError, EOFError, KeyError, UnicodeDecodeError...
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise DataError(f"{where}: the disk of {tempfile.gettempdir()} is full: set TMPDIR") from None
        raise DataError(f"{where}: not a whole pickle ({_one_line(error)}): fetch it again") from None


def _real(value: Any, spill: BinaryIO) -> Any:
    """Arrays in place of their stand-ins, in lists, tuples and dictionaries."""
    num_bytes = spill.tell()
    spill.flush()
    spilled = np.memmap(spill, np.uint8, "r") if num_bytes else np.zeros(0, np.uint8)
    done: dict[int, tuple[Any, Any]] = {}  # a pickle may hold the same list many times, or in itself

    def real(value: Any) -> Any:
        if id(value) in done:
            return done[id(value)][1]
        if isinstance(value, _Array):
            return value.real(spilled)
        if isinstance(value, tuple):
            done[id(value)] = value, value
            done[id(value)] = value, tuple(real(item) for item in value)
        elif isinstance(value, list):
            done[id(value)] = value, value
            value[:] = [real(item) for item in value]
        elif isinstance(value, dict):
            done[id(value)] = value, value
            value.update({key: real(item) for key, item in value.items()})
        else:
            return value
        return done[id(value)][1]

    return real(value)


def _one_line(error: Exception) -> str:
    text = str(error).encode(errors="replace").decode()
    return " ".join(text.split())[:200] or type(error).__name__
