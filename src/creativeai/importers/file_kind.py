"""What a file really is, when it is not what its name promises."""

import os
from pathlib import Path

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

__all__ = ["check_is_weights"]

_START = 512


def check_is_weights(path: Path) -> bytes:
    """Refuse what is plainly no file of weights; give its first bytes.

    Raises:
        DataError: It is missing, no file, empty, a git-LFS pointer or a web page, or can't be read.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder: give the file of weights in it")
        with path.open("rb") as file:
            start = file.read(_START)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from None
    if not size:
        raise DataError(f"{path} is empty: fetch it again")
    if start.startswith(LFS_POINTER):
        raise DataError(f"{path} is a git-LFS pointer instead of the file itself: run git lfs pull")
    if is_web_page(start):
        raise DataError(
            f"{path} is a web page saved under the file's name, such as a download's confirmation: fetch the "
            "file itself"
        )
    return start
