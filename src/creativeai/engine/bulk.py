"""Pictures of many captions by any number of processes: each does its share, and a killed one goes on."""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from creativeai.engine.captions_file import Caption, read_captions
from creativeai.engine.model import Model, load
from creativeai.engine.pictures import PictureRequest, seed_of
from creativeai.engine.saving import png_bytes
from creativeai.engine.validation import validate_request
from creativeai.errors import RequestError
from creativeai.whole_files import replace_file

__all__ = ["BulkCommand", "Share", "draw_all", "draw_share", "parse_share"]

PICTURES_PER_TAR = 1000
_AT_ONCE = 64
"""Pictures handed to the engine at once: enough to keep its threads busy."""

_OnProgress = Callable[[int, int], None]
"""Called with the pictures of this share that are there, and their number."""


@dataclass(frozen=True, slots=True)
class Share:
    """Part `number` of `count`, counted from 1."""

    number: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class BulkCommand:
    """What `creativeai generate --captions` is told."""

    captions: Path
    out: str
    num_each: int
    seed: int
    truncation: float | None
    shard: str


@dataclass(frozen=True, slots=True)
class _Task:
    """A picture to make."""

    index: int
    request: PictureRequest

    @property
    def name(self) -> str:
        return f"{self.index:08}"


def parse_share(text: str) -> Share:
    """A share such as `2/8`.

    Raises:
        RequestError: It isn't one.
    """
    match = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,8})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise RequestError(f"--shard {text!r} is not i/n with i from 1 to n, such as 2/8", param="shard")
    return Share(int(match[1]), int(match[2]))


def draw_share(command: BulkCommand, model: str | None) -> None:
    """Do what `creativeai generate --captions` is told, showing how far it is; Ctrl-C leaves whole pictures.

    Raises:
        UserError: A file, value or model can't be used.
    """
    share = parse_share(command.shard)
    captions = read_captions(command.captions)
    loaded = load(model, num_threads=os.cpu_count() or 1)
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"drawing {command.out}", total=None)
        num = draw_all(
            loaded,
            captions,
            command.out,
            num_each=command.num_each,
            seed=command.seed,
            truncation=command.truncation,
            share=share,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print(f"{command.out}: {num:,} pictures of {len(captions):,} captions, share {command.shard}")


def draw_all(
    model: Model,
    captions: Sequence[Caption],
    out: str,
    *,
    num_each: int,
    seed: int,
    truncation: float | None,
    share: Share,
    progress: _OnProgress,
) -> int:
    """Draw this process's share of `num_each` pictures of every caption; what is there already is kept.

    Picture j of caption i has the seed `seed + i * num_each + j`, or counts from the caption's own seed.

    Args:
        model: The model.
        captions: All captions, whatever the share.
        out: A folder, which gets `00000000.png` with its caption in `00000000.txt` and so on; or a name
            ending in `.tar`, for tar files of a thousand pictures each (WebDataset): `NAME-00000.tar`.
        num_each: Pictures of each caption.
        seed: Seed of the first picture.
        truncation: None for the model's own.
        share: Pictures (or tars) number, number + count, ... are drawn.
        progress: Told how far it is.

    Returns:
        The number of pictures of this share.

    Raises:
        RequestError: A caption or value can't be used, `out` holds pictures that were made otherwise, or it
            can't be written.
    """
    if truncation is None:
        truncation = model.manifest.default_truncation
    tasks = list(_tasks(model, captions, num_each, seed, truncation))
    is_tar = out.endswith(".tar")
    parts = list(_slices(tasks, PICTURES_PER_TAR if is_tar else 1))[share.number - 1 :: share.count]
    path = Path(out)
    try:
        (path.parent if is_tar else path).mkdir(parents=True, exist_ok=True)
        _note_settings(path.with_suffix(".json") if is_tar else path / "generation.json", model, tasks)
        return (
            _draw_tars(model, path, parts, share, progress)
            if is_tar
            else _draw_files(model, path, [task for (task,) in parts], progress)
        )
    except OSError as error:
        raise RequestError(f"can't write to {out}: {error.strerror or error}", param="output") from None


def _tasks(
    model: Model, captions: Sequence[Caption], num_each: int, seed: int, truncation: float
) -> Iterator[_Task]:
    for number, caption in enumerate(captions):
        first = seed_of(seed, number * num_each) if caption.seed is None else caption.seed
        try:
            request = validate_request(caption.text, num_each, first, truncation)
            model.engine.check_text(request.text)
        except RequestError as error:
            raise RequestError(f"{caption.where}: {error}", param="captions") from None
        for index, picture in enumerate(request.pictures(), start=number * num_each):
            yield _Task(index, picture)


def _slices(tasks: Sequence[_Task], size: int) -> Iterator[Sequence[_Task]]:
    return (tasks[start : start + size] for start in range(0, len(tasks), size))


def _note_settings(file: Path, model: Model, tasks: Sequence[_Task]) -> None:
    """Write beside the pictures what they are made of, or refuse to mix them with others.

    Raises:
        RequestError: Those that are there were made otherwise.
    """
    everything = json.dumps([asdict(task.request) for task in tasks]).encode()
    settings = {
        "model": model.name,
        "generator_sha256": model.manifest.files["generator.onnx"].sha256,
        "num_pictures": len(tasks),
        "requests_sha256": hashlib.sha256(everything).hexdigest(),
    }
    data = json.dumps(settings, indent=2).encode() + b"\n"
    if not file.exists():
        _put(file, data)
    elif file.read_bytes() != data:
        raise RequestError(
            f"{file.parent} holds pictures of another model, other captions or seeds ({file.name}): "
            "choose another place",
            param="output",
        )


def _draw_files(model: Model, folder: Path, tasks: Sequence[_Task], progress: _OnProgress) -> int:
    """A file a picture; its caption is written first, so a picture that is there is complete."""
    missing = [task for task in tasks if not (folder / f"{task.name}.png").exists()]
    done = len(tasks) - len(missing)
    progress(done, len(tasks))
    for some in _slices(missing, _AT_ONCE):
        for task, picture in _drawn(model, some):
            _put(folder / f"{task.name}.txt", f"{task.request.text}\n".encode())
            _put(folder / f"{task.name}.png", picture)
        done += len(some)
        progress(done, len(tasks))
    return len(tasks)


def _draw_tars(
    model: Model, path: Path, parts: Sequence[Sequence[_Task]], share: Share, progress: _OnProgress
) -> int:
    total = sum(map(len, parts))
    done = 0

    def advance(num_drawn: int) -> None:
        progress(done + num_drawn, total)

    for number, tasks in enumerate(parts):
        shard = path.with_name(f"{path.stem}-{number * share.count + share.number - 1:05}.tar")
        if not shard.exists():
            replace_file(shard, partial(_write_tar, model, tasks, advance))
        advance(len(tasks))
        done += len(tasks)
    return total


def _write_tar(model: Model, tasks: Sequence[_Task], advance: Callable[[int], None], file: BinaryIO) -> None:
    with tarfile.open(fileobj=file, mode="w|") as tar:
        done = 0
        for some in _slices(tasks, _AT_ONCE):
            for task, picture in _drawn(model, some):
                for ending, content in (("png", picture), ("txt", task.request.text.encode())):
                    info = tarfile.TarInfo(f"{task.name}.{ending}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
            done += len(some)
            advance(done)


def _put(path: Path, data: bytes) -> None:
    replace_file(path, lambda file: file.write(data))


def _drawn(model: Model, tasks: Sequence[_Task]) -> Iterator[tuple[_Task, bytes]]:
    pictures = model.engine.generate([task.request for task in tasks])
    for task, picture in zip(tasks, pictures, strict=True):
        yield task, png_bytes(model.to_image(picture))
