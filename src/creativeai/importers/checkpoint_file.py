"""Tensors of a file of torch's, old or new, without running anything that is in it."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from creativeai.errors import DataError
from creativeai.importers.file_kind import check_is_weights

__all__ = ["read_weights"]

_ZIP_START = b"PK"
_OLD_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The number that torch before 1.6 began its files with, pickled."""
_WRAPPERS = ("model", "state_dict", "params")
_MAX_WRAPPERS = 4
_PARALLEL = "module."
"""What DataParallel puts before every name."""


def read_weights(path: Path, network: str) -> dict[str, Tensor]:
    """Tensors of one network by their published names, without `module.` before them.

    Args:
        path: A file of `torch.save`, also of torch before 1.6: the tensors themselves, or wrapped, as in
            `{"netG": ...}` or `{"model": {"netG": ...}}`.
        network: The wrapped network wanted, such as `netG`.

    Raises:
        DataError: It is something else, which is named: a git-LFS pointer, a web page, an empty or truncated
            file, a pickle that asks for code, a file without such tensors.
    """
    start = check_is_weights(path)
    if start.startswith(_ZIP_START):
        _check_archive(path)
    elif not start.startswith(b"\x80"):
        raise DataError(f"{path} is no file of PyTorch's: give the published .pth file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load has no common error
        raise _unreadable(path, start, str(error)) from None
    weights = _unwrapped(content, network, path)
    if all(name.startswith(_PARALLEL) for name in weights):
        weights = {name.removeprefix(_PARALLEL): value for name, value in weights.items()}
    for name, value in weights.items():
        if value.layout is not torch.strided or value.is_quantized or value.is_complex():
            raise DataError(f"{path}: the tensor {name} is not made of plain numbers")
        # A tensor may repeat a single number of its file to any size.
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise DataError(f"{path}: the tensor {name} claims to be larger than what the file holds of it")
    return weights


def _check_archive(path: Path) -> None:
    """Refuse an archive that is cut off, or would unpack to more than its own size: torch packs nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise DataError(f"{path} is cut off or damaged: fetch it again") from None
    if unpacked > path.stat().st_size:
        raise DataError(f"{path} would unpack to {unpacked:,} bytes, more than its own size: not torch's way")


def _unreadable(path: Path, start: bytes, reason: str) -> DataError:
    if asked := re.search(r"GLOBAL ([\w.]+)", reason):
        return DataError(
            f"{path} asks for the code {asked[1]} instead of holding tensors alone: it is not run; give a "
            "file of weights (a state_dict)"
        )
    if not start.startswith((_ZIP_START, _OLD_START)):
        return DataError(f"{path} is a pickle, but no file of PyTorch's: give the published .pth file")
    return DataError(f"{path} is cut off or damaged: fetch it again")


def _unwrapped(content: Any, network: str, path: Path) -> dict[str, Tensor]:
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(content, Mapping) or not content:
            break
        if all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()):
            return dict(content)
        inner = next((name for name in (network, *_WRAPPERS) if isinstance(content.get(name), Mapping)), None)
        if inner is None:
            named = ", ".join(str(name)[:40] for name in list(content)[:6])
            raise DataError(f"{path} holds no network {network}, but {named}")
        content = content[inner]
    raise DataError(f"{path} holds no tensors by name: give a file of weights (a state_dict)")
