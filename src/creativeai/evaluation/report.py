"""The folder that `creativeai evaluate` writes: a card and a grid for each model, and the page of all."""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from creativeai.errors import EvaluationError
from creativeai.evaluation.card import EvaluationCard, card_bytes
from creativeai.evaluation.compare import CARD_ENDING, Compared, labels_of
from creativeai.evaluation.compare_page import compare_page
from creativeai.evaluation.evaluate import Evaluated
from creativeai.whole_files import whole_folder, write_synced

__all__ = ["PAGE_NAME", "refuse_report", "write_report"]

PAGE_NAME = "report.html"


def refuse_report(out: Path, *, force: bool) -> None:
    """Refuse to write over something, before minutes are spent.

    Raises:
        EvaluationError: There is something of that name, and not a report that may be replaced.
    """
    if not os.path.lexists(out):
        return
    if not force:
        raise EvaluationError(f"{out} exists already: remove it, choose another folder, or give --force")
    if out.is_symlink() or not out.is_dir() or not (out / PAGE_NAME).is_file():
        raise EvaluationError(f"{out} is no report of creativeai evaluate: remove it yourself")


def write_report(out: Path, evaluated: Sequence[Evaluated], *, force: bool = False) -> list[str]:
    """Write the folder whole or not at all; an older report stays until the new one is complete.

    Returns:
        The name of each model in tables, unlike for models that share one.

    Raises:
        EvaluationError: It exists, or can't be written.
    """
    refuse_report(out, force=force)
    compared = [Compared(one.card, out, one.grid) for one in evaluated]
    labels = labels_of(compared)
    files = _file_names([one.card for one in evaluated])
    try:
        if os.path.lexists(out):
            former = out.with_name(f".{out.name}.{os.urandom(4).hex()}.tmp")
            with whole_folder(former.with_name(f"{former.name}.new")) as folder:
                _write(folder, evaluated, files, compared)
            out.rename(former)
            former.with_name(f"{former.name}.new").rename(out)
            shutil.rmtree(former, ignore_errors=True)
        else:
            with whole_folder(out) as folder:
                _write(folder, evaluated, files, compared)
    except OSError as error:
        raise EvaluationError(f"can't write the report {out}: {error.strerror or error}") from None
    return labels


def _write(
    folder: Path, evaluated: Sequence[Evaluated], files: Sequence[str], compared: Sequence[Compared]
) -> None:
    for one, name in zip(evaluated, files, strict=True):
        card = one.card
        if card.grid is not None:
            card = replace(card, grid=replace(card.grid, file=f"{name}.grid.webp"))
            write_synced(folder / f"{name}.grid.webp", one.grid)
        write_synced(folder / f"{name}{CARD_ENDING}", card_bytes(card))
    write_synced(folder / PAGE_NAME, compare_page(compared).encode())


def _file_names(cards: Sequence[EvaluationCard]) -> list[str]:
    """Names of files without ending; models that share a name are numbered."""
    count = Counter(card.model.name for card in cards)
    seen: Counter[str] = Counter()
    names = []
    for card in cards:
        name = card.model.name
        seen[name] += 1
        names.append(name if count[name] == 1 else f"{name}.{seen[name]}")
    return names
