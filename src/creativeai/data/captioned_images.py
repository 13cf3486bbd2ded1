"""The prepared dataset: memory-mapped pictures with their captions, the one thing training reads."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class CaptionRecord:
    """What is known of one picture besides its pixels."""

    file_name: str
    captions: tuple[str, ...]
    split: str
    """`train`, `val` or `test`."""
    label: str | None = None
    attributes: dict[str, Any] | None = None
    """Facts that tests and benchmarks can check, e.g. `{"body": "red"}`; None for photos."""


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """The content of `dataset.json`."""

    schema_version: int
    name: str
    title: str
    source: str
    licence: str
    description: str
    num_pictures: int
    resolutions: tuple[int, ...]
    splits: dict[str, int]
    """Number of pictures in each split."""
    digest: str
    """SHA-256 over captions and pixels: equal digests mean equal training data."""
    attributes: tuple[str, ...] | None
    """Names of the attributes that records may carry."""
    created_with: str
    """Version of CreativeAI."""


class CaptionedImages:
    """A prepared dataset, opened for reading. Picture `i` of every array belongs to `records[i]`."""

    def __init__(
        self,
        path: Path,
        meta: DatasetInfo,
        records: list[CaptionRecord],
        images: dict[int, NDArray[np.uint8]],
    ) -> None:
        self.path = path
        self.meta = meta
        self.records = records
        self._images = images

    @classmethod
    def open(cls, path: str | Path) -> "CaptionedImages":
        """Open a folder that `prepare` has written; pixels stay on disk until they are used.

        Raises:
            DataError: the folder is missing, is no prepared dataset, is damaged or made by a newer version.
        """
        path = Path(path)
        meta = _read_info(path)
        records = _read_records(path / "captions.jsonl")
        if len(records) != meta.num_pictures:
            raise _damaged(path / "captions.jsonl", f"{len(records)} lines for {meta.num_pictures} pictures")
        images = {
            r: _open_array(path / f"images_{r}.npy", (meta.num_pictures, r, r, 3)) for r in meta.resolutions
        }
        return cls(path, meta, records, images)

    @property
    def name(self) -> str:
        """The dataset's short name."""
        return self.meta.name

    def __len__(self) -> int:
        return self.meta.num_pictures

    def images(self, resolution: int) -> NDArray[np.uint8]:
        """All pictures at one resolution: a read-only memory map, uint8 [N, R, R, 3].

        Raises:
            DataError: the dataset was not prepared at this resolution.
        """
        if resolution not in self._images:
            have = ", ".join(map(str, self.meta.resolutions))
            raise DataError(
                f"{self.path} has no pictures at {resolution} x {resolution} (it has {have}): "
                f"prepare it again with --resolutions {have.replace(' ', '')},{resolution}"
            )
        return self._images[resolution]

    def indices(self, split: str) -> NDArray[np.int64]:
        """Positions of the pictures of one split, ascending.

        Raises:
            DataError: there is no such split.
        """
        if split not in SPLITS:
            raise DataError(f"unknown split '{split}': use one of {', '.join(SPLITS)}")
        return np.array([i for i, record in enumerate(self.records) if record.split == split], dtype=np.int64)


def _read_info(path: Path) -> DatasetInfo:
    file = path / "dataset.json"
    if not path.is_dir():
        raise DataError(f"{path}: no such folder: make it with creativeai data prepare SOURCE {path}")
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise DataError(
            f"{path} is not a prepared dataset (it has no dataset.json): "
            f"make one with creativeai data prepare {path} OUT"
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(file, f"not valid JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(version := content.get("schema_version"), int):
        raise _damaged(file, "no schema_version")
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{path} was made by a newer CreativeAI "
            f"(schema {version}, this one reads {SCHEMA_VERSION}): upgrade"
        )
    missing = [field.name for field in fields(DatasetInfo) if field.name not in content]
    if missing:
        raise _damaged(file, f"no {', '.join(missing)}")
    try:
        attributes = content["attributes"]
        known = {field.name: content[field.name] for field in fields(DatasetInfo)}
        return DatasetInfo(
            **known
            | {
                "num_pictures": int(content["num_pictures"]),
                "resolutions": tuple(int(resolution) for resolution in content["resolutions"]),
                "splits": {str(split): int(num) for split, num in content["splits"].items()},
                "attributes": None if attributes is None else tuple(attributes),
            }
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise _damaged(file, str(error)) from None


def _read_records(file: Path) -> list[CaptionRecord]:
    records: list[CaptionRecord] = []
    decode = json.JSONDecoder().raw_decode  # a sixth less time than json.loads for a whole dataset
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                row, end = decode(line)
                if line[end:] not in ("", "\n"):
                    raise ValueError("more than one object")
                record = CaptionRecord(
                    row["file_name"], tuple(row["captions"]), row["split"], row["label"], row["attributes"]
                )
                if not record.captions or record.split not in SPLITS:
                    raise ValueError("captions or split")
                records.append(record)
    except FileNotFoundError:
        raise _damaged(file, "the file is missing") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(file, f"line {len(records) + 1}: {error}") from None
    return records


def _open_array(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise _damaged(file, "the file is missing") from None
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(file, str(error)) from None
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != np.uint8:
        raise _damaged(file, f"not a uint8 array of shape {shape}")
    return array


def _damaged(file: Path, reason: str) -> DataError:
    reason = " ".join(reason.split())
    return DataError(f"{file} is damaged ({reason}): delete the folder and prepare the dataset again")
