"""A run: one training on disk. `run.json` says what is trained on what, beside checkpoints and logs."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from creativeai.errors import TrainingError
from creativeai.recipes.registry import find_entry
from creativeai.training.budget import Budget
from creativeai.training.settings import config_from_dict, config_to_dict
from creativeai.whole_files import replace_file

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "Run",
    "create_run",
    "default_folder",
    "open_run",
    "refuse_existing",
    "run_as_of",
    "run_as_text",
    "run_from_text",
    "sole_trainer",
    "write_run",
]

_SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Run:
    """What a training's folder says about it."""

    folder: Path
    recipe: str
    preset: str
    config: Any
    dataset: Path
    dataset_digest: str
    text_encoder: str
    seed: int
    budget: Budget
    """What was asked for in all."""
    created: str
    start_from: Path | None = None
    """A run whose best weights are this one's start, as far as names and shapes agree."""
    text_source: Path | None = None
    """Folder of the user's own text encoder, of which the run keeps a copy; None for a shipped one."""
    first_stage_source: Path | None = None
    """Run of the generator that this one builds upon; the run keeps a copy of what it needs of it."""

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def text_folder(self) -> Path | None:
        """Files of the user's own text encoder: the copy, or the original before there is one."""
        copy = self.folder / "text"
        return self.text_source and (copy if copy.is_dir() else self.text_source)

    @property
    def first_stage_folder(self) -> Path | None:
        """Run of the first stage: the copy, or the original before there is one."""
        copy = self.folder / "first_stage"
        return self.first_stage_source and (copy if copy.is_dir() else self.first_stage_source)


def refuse_existing(folder: Path) -> None:
    """Make sure that a new run can have this folder.

    Raises:
        TrainingError: It exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(
            f"{folder} exists already: go on with creativeai train --resume {folder}, or name another"
        )


def create_run(run: Run) -> None:
    """Make the run's folder.

    Raises:
        TrainingError: The folder exists and is not empty, or can't be made.
    """
    refuse_existing(run.folder)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"can't make the run's folder {run.folder}: {error.strerror}") from error
    write_run(run)


def write_run(run: Run) -> None:
    """Write `run.json`, replacing an older one whole.

    Raises:
        TrainingError: It can't be written.
    """
    try:
        replace_file(run.folder / "run.json", lambda file: file.write(run_as_text(run).encode()))
    except OSError as error:
        raise TrainingError(f"can't write {run.folder / 'run.json'}: {error.strerror}") from error


def run_as_text(run: Run) -> str:
    """What `run.json` says."""
    content = {"schema_version": _SCHEMA_VERSION, **asdict(run), "config": config_to_dict(run.config)}
    del content["folder"]
    return json.dumps(content, indent=2, default=str) + "\n"


@contextmanager
def sole_trainer(run: Run) -> Iterator[None]:
    """Keep other processes from training the same run: their checkpoints would replace each other.

    Raises:
        TrainingError: Another process is training it.
    """
    with open(run.folder / ".lock", "w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise TrainingError(f"another process is training {run.folder}: stop it first") from None
        yield


def default_folder(recipe: str, dataset_name: str) -> Path:
    """`runs/RECIPE-DATASET-TIME`."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{recipe}-{dataset_name}")
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def open_run(folder: Path) -> Run:
    """The run in that folder.

    Raises:
        TrainingError: There is none, or its `run.json` is broken.
    """
    file = folder / "run.json"
    if not file.is_file():
        raise TrainingError(f"{folder} is no training run: it has no run.json")
    try:
        return run_from_text(file.read_text(), folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{file} is broken: {error!r}") from error


def run_as_of(run: Run, checkpoint: dict[str, Any]) -> Run:
    """The run with the configuration that it had when the checkpoint was written.

    Raises:
        TrainingError: It was written by another version.
    """
    return replace(run, config=config_from_dict(type(run.config), checkpoint["config"]))


def run_from_text(text: str, folder: Path) -> Run:
    """The run of that folder, of what `run_as_text` gave.

    Raises:
        TrainingError: It was made by another version, or has an invalid constant.
        ValueError, KeyError, TypeError, AttributeError: It is broken.
    """
    content = json.loads(text)
    if content["schema_version"] < _SCHEMA_VERSION:
        raise TrainingError(
            f"{folder} was made by an older version of CreativeAI: go on with it or export it with that one"
        )
    if content["schema_version"] > _SCHEMA_VERSION:
        raise TrainingError(f"{folder} was made by a newer version of CreativeAI: upgrade to go on with it")
    del content["schema_version"]
    kind = type(next(iter(find_entry(content["recipe"]).presets.values())))
    content["config"] = config_from_dict(kind, content["config"])
    content["budget"] = Budget(**content["budget"])
    content["dataset"] = Path(content["dataset"])
    for name in ("start_from", "text_source", "first_stage_source"):
        if content.get(name) is not None:
            content[name] = Path(content[name])
    return Run(folder=folder, **content)
