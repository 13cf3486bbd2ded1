"""Write the figures of an evaluation into the shipped models that it measured.

    python tools/ship_figures.py REPORT [--note TEXT]

Each model with a card in the report gets it as `evaluation.json`, with its grid of pictures, and manifest and
model card tell the same figures. Time and memory are measured anew: run it with nothing beside.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from creativeai.bundles import read_bundle
from creativeai.bundles.model_card import model_card
from creativeai.bundles.writer import write_bundle
from creativeai.evaluation.card import (
    CARD_NAME,
    GRID_NAME,
    EvaluationCard,
    Figure,
    card_bytes,
    card_metrics,
    read_card,
)
from creativeai.evaluation.picture_cost import measure_cost

ZOO = Path(__file__).parent.parent / "src" / "creativeai" / "zoo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--note", action="append", default=[], help="what to keep in mind, for every card")
    arguments = parser.parse_args()
    for file in sorted(arguments.report.glob("*.card.json")):
        card = read_card(file)
        ship(ZOO / card.model.name, card, file.parent, arguments.note)
        print(card.model.name)


def ship(folder: Path, card: EvaluationCard, report: Path, notes: Sequence[str]) -> None:
    """Write the bundle anew with the card in it."""
    assert card.grid is not None
    cost = measure_cost(folder)
    figures = card.figures | {
        "milliseconds": Figure(value=cost.milliseconds, num=cost.num_pictures),
        "megabytes": Figure(value=cost.megabytes, num=cost.num_pictures),
    }
    grid = (report / card.grid.file).read_bytes()
    card = replace(
        card, figures=figures, notes=(*card.notes, *notes), grid=replace(card.grid, file=GRID_NAME)
    )
    bundle = read_bundle(folder)
    fields: dict[str, Any] = asdict(bundle.manifest)
    own = {name: folder / name for name in fields.pop("files")}
    fields["metrics"] = {**card_metrics(card), "collapsed": False}
    files: dict[str, bytes | Path] = {**own, CARD_NAME: card_bytes(card), GRID_NAME: grid}
    files["MODEL_CARD.md"] = model_card(fields).encode()
    new = folder.with_name(f"{folder.name}.new")
    write_bundle(new, fields, files)
    shutil.rmtree(folder)
    new.rename(folder)


if __name__ == "__main__":
    main()
