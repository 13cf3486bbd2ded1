"""What a bundle says of itself: `bundle.json`."""

import json
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from creativeai.errors import BundleError

SCHEMA_VERSION = 1
MANIFEST_NAME = "bundle.json"
GENERATOR_NAME = "generator.onnx"

Count = Annotated[int, Field(ge=0)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Stage(_Part):
    """One output of the generator."""

    output: Line
    """Its name in the graph, such as `image_128`."""
    resolution: Annotated[int, Field(ge=1, le=4096)]
    """Height and width of its pictures."""


class TextEncoderInfo(_Part):
    """The text encoder the model was trained with."""

    name: Slug
    digest: Sha256
    """The encoder's `digest`; another encoder would hand the model vectors it never saw."""
    folder: Literal["text"] | None = None
    """Where in the bundle its files are; None for those shipped with CreativeAI."""


class DatasetSummary(_Part):
    """The pictures the model was trained on."""

    name: Line
    title: Line
    digest: str
    licence: Line
    num_train: Count
    num_val: Count
    description: str


class TrainingSummary(_Part):
    """How long and with which settings the model was trained."""

    steps: Count
    images_seen: Count
    seconds: Annotated[float, Field(ge=0)]
    hyperparameters: dict[str, JsonValue]


class FileEntry(_Part):
    """One file of the bundle."""

    sha256: Sha256
    size: Count


class BundleManifest(_Part):
    """Everything a bundle says of itself."""

    schema_version: Literal[1]
    name: Slug
    title: Line
    description: str
    recipe: Slug
    preset: Slug
    created: Count
    """Unix time."""
    code_version: Line
    """Version of CreativeAI that wrote it."""
    noise_dim: Annotated[int, Field(ge=1, le=65536)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """Coarse to fine."""
    text_encoder: TextEncoderInfo
    dataset: DatasetSummary
    training: TrainingSummary
    metrics: dict[str, JsonValue]
    default_truncation: Annotated[float, Field(ge=0, le=1)] = 1.0
    examples: tuple[Line, ...] = ()
    files: dict[str, FileEntry]
    """Every file but `bundle.json`, by its path in the bundle with forward slashes."""

    @field_validator("stages")
    @classmethod
    def _coarse_to_fine(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        resolutions = [stage.resolution for stage in stages]
        if resolutions != sorted(set(resolutions)):
            raise ValueError(f"resolutions must grow from stage to stage, but are {resolutions}")
        return stages

    @field_validator("files")
    @classmethod
    def _inside_the_folder(cls, files: dict[str, FileEntry]) -> dict[str, FileEntry]:
        for name in files:
            check_inside(name)
        return files

    @model_validator(mode="after")
    def _has_needed_files(self) -> "BundleManifest":
        needed = [GENERATOR_NAME]
        if self.text_encoder.folder:
            needed.append(f"{self.text_encoder.folder}/encoder.json")
        for name in needed:
            if name not in self.files:
                raise ValueError(f"{name} is not among the files")
        return self

    @property
    def resolution(self) -> int:
        """Height and width of the finished pictures."""
        return self.stages[-1].resolution


def check_inside(name: str) -> None:
    """Refuse a file name that could lead out of the bundle on any system.

    Raises:
        ValueError: The name is absolute, goes up, is not in its plain form or belongs to the manifest.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise ValueError(f"the file {name!r} leads out of the bundle's folder")
    if name in ("", ".", MANIFEST_NAME) or str(path) != name:
        raise ValueError(f"{name!r} can't be the name of a file in a bundle")


def parse_manifest(data: bytes, origin: str) -> BundleManifest:
    """Read `bundle.json`.

    Args:
        data: Its bytes.
        origin: Where they come from, for error messages.

    Raises:
        BundleError: It is no JSON, is made by a newer CreativeAI, or has a wrong or missing value.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{origin} is damaged: it is not JSON ({_one_line(str(error))})") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BundleError(
            f"{origin} was made by a newer CreativeAI (schema version {version}, this one reads up to "
            f"{SCHEMA_VERSION}): upgrade with `pip install -U creativeai`"
        )
    try:
        return BundleManifest.model_validate_json(data)
    except ValidationError as error:
        raise BundleError(f"{origin} is not right: {describe_first(error)}") from None


def describe_first(error: ValidationError) -> str:
    """The first of a manifest's mistakes, in one line."""
    details: dict[str, Any] = dict(error.errors(include_url=False, include_context=False)[0])
    place = ".".join(str(part) for part in details["loc"])
    message = _one_line(details["msg"].removeprefix("Value error, "))
    return f"{place}: {message}" if place else message


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
