"""What a bundle says of itself: `bundle.json`."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from creativeai.bundles.decoding import from_json
from creativeai.errors import BundleError
from creativeai.strict_json import parse_json

SCHEMA_VERSION = 4  # 1 had no attention, 2 nothing that could be unknown, 3 no end of the training
MANIFEST_NAME = "bundle.json"
GENERATOR_NAME = "generator.onnx"
TEXT_FOLDER = "text"
MAX_COUNT = 2**53
MAX_MEASUREMENTS = 20
"""Most that a manifest keeps of the end of a training."""
_MAY_BE_NULL = {
    "dataset": ("digest", "num_train", "num_val"),
    "training": ("steps", "images_seen", "seconds"),
}
"""Fields that an older CreativeAI wants to be there."""


@dataclass(frozen=True)
class Stage:
    """One output of the generator."""

    output: str
    """Its name in the graph, such as `image_128`."""
    resolution: int
    """Height and width of its pictures."""

    def __post_init__(self) -> None:
        _check_line("output", self.output)
        _check_range("resolution", self.resolution, 1, 4096)


@dataclass(frozen=True)
class AttentionMap:
    """One output of the generator that tells where it looked for each word: float [B, T, R, R]."""

    output: str
    """Its name in the graph, such as `attention_64`."""
    resolution: int
    """R, height and width of its maps."""

    def __post_init__(self) -> None:
        _check_line("output", self.output)
        _check_range("resolution", self.resolution, 1, 4096)


@dataclass(frozen=True)
class TextEncoderInfo:
    """The text encoder the model was trained with."""

    name: str
    digest: str
    """The encoder's `digest`; another encoder would hand the model vectors it never saw."""
    folder: str | None = None
    """`text` if its files are in the bundle; None for those shipped with CreativeAI."""

    def __post_init__(self) -> None:
        _check_slug("name", self.name)
        _check_sha256("digest", self.digest)
        if self.folder not in (None, TEXT_FOLDER):
            raise ValueError(f"folder must be {TEXT_FOLDER!r} or null")


@dataclass(frozen=True)
class DatasetSummary:
    """The pictures the model was trained on."""

    name: str
    title: str
    digest: str | None
    """None for an imported model, as are the counts: what it saw isn't known here."""
    licence: str
    num_train: int | None
    num_val: int | None
    description: str

    def __post_init__(self) -> None:
        for field in ("name", "title", "licence"):
            _check_line(field, getattr(self, field))
        if self.digest is not None:
            _check_sha256("digest", self.digest)
        _check_count("num_train", self.num_train)
        _check_count("num_val", self.num_val)


@dataclass(frozen=True)
class TrainingSummary:
    """How long and with which settings the model was trained."""

    steps: int | None
    """None for an imported model, as are pictures and time: nobody here counted."""
    images_seen: int | None
    seconds: float | None
    """By the clock."""
    hyperparameters: dict[str, Any]
    cpu_seconds: float | None = None
    """Of processor time, all cores together; None where nobody counted."""
    earlier_steps: int = 0
    """How many of the steps were in other runs, from which the last one was started."""

    def __post_init__(self) -> None:
        for field in ("steps", "images_seen", "seconds", "earlier_steps", "cpu_seconds"):
            _check_count(field, getattr(self, field))


@dataclass(frozen=True)
class TrainingEnd:
    """The last part of the training's curves, to see whether it was still getting better."""

    measurements: tuple[dict[str, Any], ...]
    """Of the last ones while it trained, in turn: `step`, `num_seen` and the figures."""
    losses: dict[str, float]
    """Each loss's mean over the last steps."""

    def __post_init__(self) -> None:
        _check_range("number of measurements", len(self.measurements), 0, MAX_MEASUREMENTS)


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle."""

    sha256: str
    size: int

    def __post_init__(self) -> None:
        _check_sha256("sha256", self.sha256)
        _check_range("size", self.size, 0, MAX_COUNT)


@dataclass(frozen=True)
class BundleManifest:
    """Everything a bundle says of itself. A ValueError refuses values out of range."""

    schema_version: int
    name: str
    """Lower-case letters, digits, `-`, `_` and `.`, as are those of recipe and preset."""
    title: str
    description: str
    recipe: str
    preset: str
    created: int
    """Unix time."""
    code_version: str
    """Version of CreativeAI that wrote it."""
    noise_dim: int
    stages: tuple[Stage, ...]
    """Coarse to fine."""
    text_encoder: TextEncoderInfo
    dataset: DatasetSummary
    training: TrainingSummary
    metrics: dict[str, Any]
    files: dict[str, FileEntry]
    """Every file but `bundle.json`, by its path in the bundle with forward slashes."""
    default_truncation: float = 1.0
    examples: tuple[str, ...] = ()
    attention: tuple[AttentionMap, ...] = ()
    """Coarse to fine; empty for a model that looks at no words."""
    training_end: TrainingEnd | None = None
    """None where nobody kept it."""

    def __post_init__(self) -> None:
        for field in ("name", "recipe", "preset"):
            _check_slug(field, getattr(self, field))
        for field in ("title", "code_version"):
            _check_line(field, getattr(self, field))
        for index, example in enumerate(self.examples):
            _check_line(f"examples[{index}]", example)
        _check_range("created", self.created, 0, MAX_COUNT)
        _check_range("noise_dim", self.noise_dim, 1, 65536)
        _check_range("default_truncation", self.default_truncation, 0, 1)
        resolutions = [stage.resolution for stage in self.stages]
        if not resolutions or resolutions != sorted(set(resolutions)):
            raise ValueError(f"stages must grow in resolution, but theirs are {resolutions}")
        sides = [map.resolution for map in self.attention]
        if sides != sorted(set(sides)):
            raise ValueError(f"attention must grow in resolution, but its maps have {sides}")
        if self.attention and self.schema_version < 2:
            raise ValueError("attention needs schema_version 2")
        if self.schema_version < 3 and _has_nulls(vars(self)):
            raise ValueError("a count or digest that is null needs schema_version 3")
        if self.training_end is not None and self.schema_version < 4:
            raise ValueError("training_end needs schema_version 4")
        for name in self.files:
            check_file_name(name)
        encoder_file = f"{TEXT_FOLDER}/encoder.json" if self.text_encoder.folder else GENERATOR_NAME
        for name in (GENERATOR_NAME, encoder_file):
            if name not in self.files:
                raise ValueError(f"files has no {name}")

    @property
    def resolution(self) -> int:
        """Height and width of the finished pictures."""
        return self.stages[-1].resolution


def lowest_schema_version(fields: Mapping[str, Any]) -> int:
    """The first schema version that has all of these fields of a manifest.

    A bundle is written with it, so that an older CreativeAI reads what it can and says of the rest that it is
    too new.
    """
    if fields.get("training_end"):
        return 4
    if _has_nulls(fields):
        return 3
    return 2 if fields.get("attention") else 1


def _has_nulls(fields: Mapping[str, Any]) -> bool:
    """Whether a manifest, its parts as dataclasses or in JSON's types, has null where older ones can't."""
    for part, names in _MAY_BE_NULL.items():
        given = fields.get(part)
        values = given if isinstance(given, Mapping) else getattr(given, "__dict__", {})
        if any(name in values and values[name] is None for name in names):
            return True
    return False


def manifest_content(manifest: BundleManifest) -> dict[str, Any]:
    """What `bundle.json` holds: no field that the manifest's schema version doesn't know."""
    content = asdict(manifest)
    if manifest.schema_version < 2:
        del content["attention"]
    if manifest.schema_version < 4:
        del content["training_end"]
    return content


def check_file_name(name: str) -> None:
    """Refuse a file name that could lead out of the bundle on any system.

    Raises:
        ValueError: The name is absolute, goes up, is not in its plain form or belongs to the manifest.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(character in name for character in "\\:\0"):
        raise ValueError(f"the file {name!r} leads out of the bundle's folder")
    if name in ("", ".", MANIFEST_NAME) or str(path) != name:
        raise ValueError(f"{name!r} can't be the name of a file in a bundle")


def parse_manifest(data: bytes, origin: str) -> BundleManifest:
    """Read `bundle.json`.

    Args:
        data: Its bytes.
        origin: What they are, for error messages.

    Raises:
        BundleError: It is no JSON, is made by a newer CreativeAI, or has a wrong or missing value.
    """
    try:
        content = parse_json(data)
    except ValueError as error:
        raise BundleError(f"{origin} is damaged: it is not JSON ({_one_line(str(error))})") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BundleError(
            f"{origin} was made by a newer CreativeAI (schema version {version}, this one reads "
            f"{SCHEMA_VERSION}): upgrade with `pip install -U creativeai`"
        )
    try:
        manifest: BundleManifest = from_json(BundleManifest, content)
        _check_range("schema_version", manifest.schema_version, 1, SCHEMA_VERSION)
    except (ValueError, OverflowError) as error:
        raise BundleError(f"{origin} is not right: {_one_line(str(error))}") from None
    return manifest


def _check_line(field: str, value: str) -> None:
    if not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError(f"{field} must be one line of 1 to 200 characters")


def _check_slug(field: str, value: str) -> None:
    if not re.fullmatch("[a-z0-9][a-z0-9_.-]{0,63}", value):
        raise ValueError(
            f"{field} is {value[:80]!r}: it must be lower-case letters, digits, '-', '_' and '.'"
        )


def _check_sha256(field: str, value: str) -> None:
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError(f"{field} must be a SHA-256 in 64 hexadecimal digits")


def _check_range(field: str, value: float, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise ValueError(f"{field} must be {minimum} to {maximum}")


def _check_count(field: str, value: float | None) -> None:
    if value is not None:
        _check_range(field, value, 0, MAX_COUNT)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
