"""Reading the pickles that text-to-image datasets are published as, without running anything in them.

Lists of names and captions need no class at all. AttnGAN's and StackGAN's numbers of classes are NumPy's, and
so are the arrays of their pictures: for these names stand-ins of our own take the raw bytes. Any other name
in a pickle is refused before it is looked up.
"""

import errno
import io
import pickle  # noqa: TID251  -- the only place; find_class below never looks anything up
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from creativeai.data.numpy_stand_ins import NumpyArray, is_stand_in, stand_ins
from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

__all__ = ["parse_array_pickle", "parse_plain_pickle", "read_array_pickle", "read_plain_pickle"]

_START = 2**16
"""Bytes that tell what a file is."""
_MAX_KEY = 2**60
"""Larger whole numbers can be chosen so that a dictionary of 60,000 of them takes half a minute to make."""
_LARGE = 2**14
"""Raw pixels of more bytes than this are not kept in memory once they are in their array."""


def read_plain_pickle(path: Path) -> Any:
    """What a pickle of lists, dictionaries, texts and numbers holds, as Python 2 and 3 write them.

    NumPy's numbers and texts, of any version, become Python's.

    Raises:
        DataError: No pickle, cut off, its line endings were changed, or it names a class or function, which
            it has no reason to.
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


def parse_array_pickle(content: bytes, where: str) -> Any:
    """The same for a pickle that was read already; `where` is its name in errors.

    Raises:
        DataError: As `read_array_pickle`.
    """
    with tempfile.TemporaryFile() as spill:
        return _read(io.BytesIO(content), len(content), where, spill)


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
    """What a pickle may refer back to, by numbers that it counts up."""

    def __setitem__(self, key: int, value: Any) -> None:
        if key > _MAX_KEY:
            raise DataError("refers back by numbers that nothing counts up to")
        super().__setitem__(key, value)


class _MemoWithoutPixels(_Memo):
    """All but raw pixels, of which it would keep gigabytes alive."""

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


def _checking_keys(load: Any, keys: slice) -> Any:
    """The same opcode, after a look at the part of the stack that becomes the keys of a dictionary."""

    def checked(unpickler: Any) -> None:
        for key in unpickler.stack[keys]:
            if not isinstance(key, str) and not (isinstance(key, int) and abs(key) <= _MAX_KEY):
                raise DataError("has a dictionary of other things than texts and numbers")
        load(unpickler)

    return checked


_KEYS = {
    pickle.SETITEM[0]: slice(-2, -1),
    pickle.SETITEMS[0]: slice(None, None, 2),
    pickle.DICT[0]: slice(None, None, 2),
}
"""Opcodes that fill dictionaries, and where the keys are on the stack."""


# The one in Python: that in C sets aside a table as long as the largest number in the file, up to 32 GB.
class _Unpickler(pickle._Unpickler):
    # Of all that have a length, bytearrays alone are made before there is anything to fill them with. An
    # empty set takes 200 times the byte that asks for it, and no list of captions or pictures has one.
    dispatch: ClassVar = {
        code: _checking_keys(load, _KEYS[code]) if code in _KEYS else load
        for code, load in pickle._Unpickler.dispatch.items()
        if code not in (pickle.BYTEARRAY8[0], pickle.EMPTY_SET[0], pickle.FROZENSET[0])
    }

    def __init__(self, file: _Bounded, known: dict[tuple[str, str], Any], *, has_arrays: bool) -> None:
        super().__init__(file, encoding="latin1")
        self._known = known
        self.has_used_names = False
        self.memo = _MemoWithoutPixels() if has_arrays else _Memo()

    def find_class(self, module: str, name: str) -> Any:
        self.has_used_names = True
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
    start = b""
    try:
        start = file.read(_START)
        _refuse_what_is_no_pickle(start)
        file.seek(0)
        known = stand_ins(spill, num_bytes)
        unpickler = _Unpickler(_Bounded(file, num_bytes), known, has_arrays=spill is not None)
        value = unpickler.load()
        return _real(value, spill) if unpickler.has_used_names else value
    except DataError as error:
        raise DataError(f"{where}: {_one_line(error)}") from None
    except RecursionError:
        raise DataError(f"{where}: nested too deeply for a list of captions or pictures") from None
    # Damaged pickles raise nearly anything: UnpicklingError, EOFError, KeyError, UnicodeDecodeError...
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise DataError(f"{where}: the disk of {tempfile.gettempdir()} is full: set TMPDIR") from None
        if _has_changed_line_endings(start, at_least=4):
            raise DataError(f"{where}: {_CHANGED_LINE_ENDINGS}") from None
        raise DataError(f"{where}: not a whole pickle ({_one_line(error)}): fetch it again") from None


_CHANGED_LINE_ENDINGS = (
    "its line endings were changed (every LF is CRLF), as git or an editor on Windows does, which damages a "
    "pickle: fetch the file itself again, or turn them back (dos2unix)"
)


def _refuse_what_is_no_pickle(start: bytes) -> None:
    if start.startswith(LFS_POINTER):
        raise DataError("is a git-LFS pointer instead of the file: run git lfs pull")
    if is_web_page(start):
        raise DataError("is a web page saved under this name, not the file: fetch it again")
    # A pickle of text (protocol 0) has lines that end in LF alone whatever is in it. Texts in a damaged one
    # would be read with a CR at their end, so it is refused as a whole. In binary ones any byte may occur.
    is_text = start.partition(b"\r\n")[0].decode("latin1").isprintable()
    if is_text and _has_changed_line_endings(start, at_least=2):
        raise DataError(_CHANGED_LINE_ENDINGS)


def _has_changed_line_endings(start: bytes, at_least: int) -> bool:
    return at_least <= start.count(b"\n") == start.count(b"\r\n")


def _real(value: Any, spill: BinaryIO | None) -> Any:
    """Arrays in place of their stand-ins, in lists, tuples and dictionaries; others may not be left over."""
    num_bytes = 0 if spill is None else spill.tell()
    if spill is None or not num_bytes:
        spilled = np.zeros(0, np.uint8)
    else:
        spill.flush()
        spilled = np.memmap(spill, np.uint8, "r")
    done: dict[int, tuple[Any, Any]] = {}  # a pickle may hold the same list many times, or in itself

    def real(value: Any) -> Any:
        if id(value) in done:
            return done[id(value)][1]
        if isinstance(value, NumpyArray):
            return value.real(spilled)
        if is_stand_in(value):
            raise DataError("names a function of NumPy's without using it, which no list has a need for")
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
