"""What people see of a dataset: progress while it is made, a table of its figures, a contact sheet."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from rich.table import Table
from rich.text import Text

from creativeai.data.captioned_images import CAPTION_KINDS, SPLITS, CaptionedImages, DatasetInfo
from creativeai.data.fonts import LINE_HEIGHT, caption_lines
from creativeai.data.near_duplicates_told import near_duplicate_notes, read_groups
from creativeai.errors import DataError
from creativeai.whole_files import replace_file

SHEET_FORMATS = {".png": "PNG", ".webp": "WEBP"}
_MARGIN = 8


def dataset_table(dataset: CaptionedImages) -> Table:
    """A table of what the dataset is, for the terminal."""
    meta = dataset.meta
    rows = {
        "title": meta.title,
        "description": meta.description,
        "source": meta.source,
        "licence": meta.licence,
        "pictures": f"{meta.num_pictures:,}",
        "splits": ", ".join(f"{split} {meta.splits.get(split, 0):,}" for split in SPLITS),
        "split by": meta.split_rule,
        "resolutions": ", ".join(f"{resolution} x {resolution}" for resolution in meta.resolutions),
        **_caption_rows(dataset),
        "classes": _classes(dataset),
        "near-duplicates": _near_duplicates(dataset),
        "left out": _left_out(meta),
        "enlarged": ", ".join(f"{num:,} to {side} px" for side, num in meta.enlarged.items()) or "none",
        "attributes": ", ".join(meta.attributes or ()) or "none",
        "digest": meta.digest,
        "made with": f"CreativeAI {meta.created_with}",
    }
    table = Table(title=Text(meta.name), show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))  # titles may hold what Rich takes for markup
    return table


def _caption_rows(dataset: CaptionedImages) -> dict[str, str]:
    """Captions a picture of each kind, and what all of them are made of."""
    records = dataset.records
    captions = [caption for record in records for caption in record.all_captions]
    different = set(captions)
    words = Counter(word for caption in different for word in re.findall(r"[^\W_]+", caption.lower()))
    once = sum(num == 1 for num in words.values())
    rows = {
        f"{name} a picture": _range([len(getattr(record, kind)) for record in records])
        for kind, name in zip(CAPTION_KINDS, ("written captions", "short captions", "names"), strict=True)
    }
    told = f"{len(different):,} of {len(captions):,}"
    if len(different) == 1 and len(records) > 1:
        told += ": all pictures have the same caption, so no model can learn from the text"
    return rows | {
        "words a caption": _range([len(caption.split()) for caption in captions]),
        "vocabulary": f"{len(words):,} words, {once:,} of them in one caption only",
        "different captions": told,
    }


def _classes(dataset: CaptionedImages) -> str:
    counts = Counter(record.label for record in dataset.records if record.label is not None)
    if not counts:
        return "none"
    lone = sorted(label for label, num in counts.items() if num == 1)
    text = f"{len(counts):,}, pictures in each: {_range(list(counts.values()))}"
    if lone:
        text += (
            f"; {len(lone):,} of one picture alone ({', '.join(lone[:3])}{', ...' if len(lone) > 3 else ''})"
        )
    without = len(dataset) - sum(counts.values())
    return text + (f"; {without:,} pictures have none" if without else "")


def _near_duplicates(dataset: CaptionedImages) -> str:
    notes = near_duplicate_notes(dataset.meta, read_groups(dataset.path, 1))
    return "\n".join(notes).removeprefix("near-duplicates: ")


def _left_out(meta: DatasetInfo) -> str:
    reasons = "\n".join(f"{num:,}: {reason}" for reason, num in meta.left_out.items())
    return reasons or "nothing"


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
    texts = [caption_lines(dataset.records[index].all_captions, width) for index in chosen]
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
