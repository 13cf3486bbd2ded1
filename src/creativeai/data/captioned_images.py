"""The prepared dataset: memory-mapped pictures with their captions, the one thing training reads."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import DataError

SCHEMA_VERSION = 2  # 1 had no test split, and captions of all kinds in one list
SPLITS = ("train", "validation", "test")
CAPTION_KINDS = ("captions", "short_captions", "name_captions")
"""Fields of a record that hold captions, in the order in which `all_captions` gives them."""
CREDITS_NAME = "CREDITS.txt"
"""File of a prepared dataset with a line for each picture that has a credit."""


@dataclass(frozen=True, slots=True)
class CaptionRecord:
    """What is known of one picture besides its pixels. It has at least one caption, of whatever kind."""

    file_name: str
    captions: tuple[str, ...]
    """Written by someone who saw the picture."""
    split: str
    """`train`, `validation` or `test`."""
    label: str | None = None
    """Name of the picture's class."""
    attributes: dict[str, Any] | None = None
    """Facts that tests and benchmarks can check, e.g. `{"body": "red"}`; None for photos."""
    short_captions: tuple[str, ...] = ()
    """A few words each, as people type them; written, or derived from the written captions."""
    name_captions: tuple[str, ...] = ()
    """Made of the label: "a bald eagle", "an eagle"."""
    credit: str | None = None
    """Author, page and licence, of a picture whose licence asks for them to be named."""

    @property
    def all_captions(self) -> tuple[str, ...]:
        """Written captions, then short ones, then names."""
        return self.captions + self.short_captions + self.name_captions


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """How many pictures of a dataset are copies of others, and what became of them."""

    num_pictures: int = 0
    """Pictures that are like another one."""
    num_groups: int = 0
    """Groups of pictures that are alike."""
    num_moved: int = 0
    """Pictures that went to another split than their own, so that no group stands in two."""
    num_apart: int = 0
    """Pictures whose group stands in two splits all the same, since their source publishes the split."""


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
    split_rule: str
    """Who or what decided the splits, in words."""
    num_captions: dict[str, int]
    """Number of captions of each of the `CAPTION_KINDS`."""
    num_classes: int
    """Number of different labels."""
    near_duplicates: NearDuplicates
    left_out: dict[str, int]
    """Number of the source's pictures that are not in the dataset, by the reason why."""
    enlarged: dict[str, int]
    """Number of pictures that had fewer pixels a side than a resolution, by the resolution."""
    digest: str
    """SHA-256 over captions and pixels: equal digests mean equal training data."""
    credits_digest: str | None
    """SHA-256 of `CREDITS.txt`, None where no picture has a credit."""
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


def credits_of(dataset: CaptionedImages) -> tuple[str, ...]:
    """A line for each picture that has a credit: its file name, author, page and licence."""
    return tuple(f"{record.file_name}: {record.credit}" for record in dataset.records if record.credit)


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
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file, f"not valid JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(version := content.get("schema_version"), int):
        raise _damaged(file, "no schema_version")
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{path} was made by a newer CreativeAI "
            f"(schema {version}, this one reads {SCHEMA_VERSION}): upgrade"
        )
    if version < SCHEMA_VERSION:
        raise DataError(
            f"{path} was made by an older CreativeAI "
            f"(schema {version}, this one reads {SCHEMA_VERSION}): prepare it again"
        )
    try:
        return _parse_info(content)
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError) as error:
        raise _damaged(file, f"no {error}" if isinstance(error, KeyError) else str(error)) from None


def _parse_info(content: dict[str, Any]) -> DatasetInfo:
    known = {field.name: content[field.name] for field in fields(DatasetInfo)}
    for name in ("name", "title", "source", "licence", "description", "split_rule", "digest", "created_with"):
        if not isinstance(known[name], str):
            raise ValueError(f"{name} is no text")
    attributes, credits = known["attributes"], known["credits_digest"]
    if credits is not None and not isinstance(credits, str):
        raise ValueError("credits_digest is no text")
    counts = ("splits", "num_captions", "left_out", "enlarged")
    return DatasetInfo(
        **known
        | {name: {str(key): _count(num) for key, num in known[name].items()} for name in counts}
        | {
            "num_pictures": _count(known["num_pictures"]),
            "num_classes": _count(known["num_classes"]),
            "resolutions": tuple(_count(resolution) for resolution in known["resolutions"]),
            "near_duplicates": NearDuplicates(
                **{str(key): _count(num) for key, num in known["near_duplicates"].items()}
            ),
            "attributes": None if attributes is None else tuple(str(name) for name in attributes),
        }
    )


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**40:
        raise ValueError(f"{str(value)[:40]!a} is no count")
    return value


def _read_records(file: Path) -> list[CaptionRecord]:
    records: list[CaptionRecord] = []
    decode = json.JSONDecoder().raw_decode  # a sixth less time than json.loads for a whole dataset
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                row, end = decode(line)
                if line[end:] not in ("", "\n"):
                    raise ValueError("more than one object")
                records.append(_parse_record(row))
    except FileNotFoundError:
        raise _damaged(file, "the file is missing") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(file, f"line {len(records) + 1}: {error}") from None
    return records


def _parse_record(row: Any) -> CaptionRecord:
    captions = [row[kind] for kind in CAPTION_KINDS]
    label, attributes, credit = row["label"], row["attributes"], row["credit"]
    if not any(captions) or not all(
        type(several) is list and all(type(caption) is str for caption in several) for several in captions
    ):
        raise ValueError("captions")
    if row["split"] not in SPLITS or type(row["file_name"]) is not str:
        raise ValueError("split or file_name")
    if not (label is None or type(label) is str) or not (credit is None or type(credit) is str):
        raise ValueError("label or credit")
    if attributes is not None and type(attributes) is not dict:
        raise ValueError("attributes")
    written, short, names = map(tuple, captions)
    return CaptionRecord(row["file_name"], written, row["split"], label, attributes, short, names, credit)


def _open_array(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        with file.open("rb") as start:
            if start.read(6) != b"\x93NUMPY":  # np.load takes zip files and pickles too
                raise ValueError("not an array")
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise _damaged(file, "the file is missing") from None
    except Exception as error:  # NumPy parses the header as Python: damage makes errors of any kind
        raise _damaged(file, str(error)[:200]) from None
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != np.uint8:
        raise _damaged(file, f"not a uint8 array of shape {shape}")
    return array


def _damaged(file: Path, reason: str) -> DataError:
    reason = " ".join(reason.split())
    return DataError(f"{file} is damaged ({reason}): delete the folder and prepare the dataset again")
