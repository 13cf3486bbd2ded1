"""What people see of a dataset: progress while it is made, a table of its figures, a contact sheet."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from creativeai.data.captioned_images import SPLITS, CaptionedImages
from creativeai.data.fonts import LINE_HEIGHT, caption_lines
from creativeai.errors import DataError
from creativeai.whole_files import replace_file

SHEET_FORMATS = {".png": "PNG", ".webp": "WEBP"}
_MARGIN = 8


def progress_columns() -> tuple[ProgressColumn, ...]:
    """Columns of a progress bar that say how fast it goes and how long it will take."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} pictures/s" if task.speed else "")


def dataset_table(dataset: CaptionedImages) -> Table:
    """A table of what the dataset is, for the terminal."""
    meta = dataset.meta
    captions = [caption for record in dataset.records for caption in record.captions]
    per_picture = [len(record.captions) for record in dataset.records]
    rows = {
        "title": meta.title,
        "description": meta.description,
        "source": meta.source,
        "licence": meta.licence,
        "pictures": f"{meta.num_pictures:,}",
        "splits": ", ".join(f"{split} {meta.splits.get(split, 0):,}" for split in SPLITS),
        "resolutions": ", ".join(f"{resolution} x {resolution}" for resolution in meta.resolutions),
        "captions per picture": _range(per_picture),
        "words per caption": _range([len(caption.split()) for caption in captions]),
        "different captions": f"{len(set(captions)):,} of {len(captions):,}",
        "labels": f"{len({record.label for record in dataset.records} - {None}):,}",
        "attributes": ", ".join(meta.attributes or ()) or "none",
        "digest": meta.digest,
        "made with": f"CreativeAI {meta.created_with}",
    }
    table = Table(title=meta.name, show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def write_contact_sheet(dataset: CaptionedImages, file: Path, num_pictures: int = 24) -> None:
    """Write pictures spread evenly over the dataset, each with all its captions, as PNG or WebP.

    Raises:
        DataError: no such format, or the file can't be written.
    """
    if file.suffix.lower() not in SHEET_FORMATS:
        raise DataError(f"{file}: a contact sheet is written as {' or '.join(SHEET_FORMATS)}")
    if num_pictures < 1:
        raise DataError(f"the number of pictures on the sheet must be at least 1, not {num_pictures}")
    sheet = contact_sheet(dataset, num_pictures)
    try:
        replace_file(file, lambda opened: sheet.save(opened, SHEET_FORMATS[file.suffix.lower()]))
    except (OSError, ValueError) as error:  # ValueError: WebP can't be larger than 16,383 pixels
        raise DataError(f"{file} can't be written: {error}") from None


def contact_sheet(dataset: CaptionedImages, num_pictures: int = 24) -> Image.Image:
    """Draw the sheet at the resolution nearest to 128."""
    resolution = min(dataset.meta.resolutions, key=lambda resolution: abs(resolution - 128))
    images = dataset.images(resolution)
    chosen = np.linspace(0, len(dataset) - 1, min(num_pictures, len(dataset))).astype(int)
    num_columns = min(len(chosen), 6)
    width = max(resolution, 160)
    texts = [caption_lines(dataset.records[index].captions, width) for index in chosen]
    rows = [texts[start : start + num_columns] for start in range(0, len(texts), num_columns)]
    heights = [resolution + LINE_HEIGHT * max(len(text) for text in row) + 3 * _MARGIN for row in rows]
    sheet = Image.new("RGB", (num_columns * (width + _MARGIN) + _MARGIN, sum(heights) + _MARGIN), "white")
    pen = ImageDraw.Draw(sheet)
    for position, (index, text) in enumerate(zip(chosen, texts, strict=True)):
        row, column = divmod(position, num_columns)
        left, top = _MARGIN + column * (width + _MARGIN), _MARGIN + sum(heights[:row])
        sheet.paste(Image.fromarray(np.ascontiguousarray(images[index])), (left, top))
        for number, line in enumerate(text, start=1):
            baseline = top + resolution + _MARGIN // 4 + number * LINE_HEIGHT
            pen.text((left, baseline), line.text, fill="black", font=line.font, anchor="ls")
    return sheet


def _range(counts: list[int]) -> str:
    low, middle, high = min(counts), sum(counts) / len(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}, {middle:.1f} on average"
