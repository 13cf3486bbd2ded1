"""Write the captions that ship with CreativeAI from the folders of photos they were written for.

    python tools/ship_captions.py /work/shared/data

Reads `birds525`, `birds150` and `flowers`, each with a `metadata.jsonl`, and writes a file of JSON lines of
each into `src/creativeai/data/sources`, compressed by bz2: a seventh smaller than by xz. Photos are named as
their publishers name them, whatever our own copies are called, so that everybody's splits agree.
"""

import bz2
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent.parent / "src" / "creativeai" / "data" / "sources"
FLOWER_FOLDERS = {
    "daisy": "daisy",
    "dandelion": "dandelion",
    "rose": "roses",
    "sunflower": "sunflowers",
    "tulip": "tulips",
}
"""What TensorFlow's flower_photos calls our folders."""
MENDED = {
    "african oyster catcher": "african oystercatcher",
    "asian dollard bird": "asian dollarbird",
    "banded pita": "banded pitta",
    "black cockato": "black cockatoo",
    "blue coau": "blue coua",
    "brandt cormarant": "brandt's cormorant",
    "brown crepper": "brown creeper",
    "brown noody": "brown noddy",
    "chestnet bellied euphonia": "chestnut bellied euphonia",
    "curl crested aracuri": "curl-crested aracari",
    "double brested cormarant": "double crested cormorant",
    "eared pita": "eared pitta",
    "eastern towee": "eastern towhee",
    "eastern wip poor will": "eastern whip poor will",
    "fire tailled myzornis": "fire tailed myzornis",
    "frigate": "frigatebird",
    "gold wing warbler": "golden-winged warbler",
    "golden bower bird": "golden bowerbird",
    "greator sage grouse": "greater sage grouse",
    "groved billed ani": "groove billed ani",
    "hoopoes": "hoopoe",
    "imperial shaq": "imperial shag",
    "auckland shaq": "auckland shag",
    "killdear": "killdeer",
    "mandrin duck": "mandarin duck",
    "orange brested bunting": "orange breasted bunting",
    "oyster catcher": "oystercatcher",
    "parakett auklet": "parakeet auklet",
    "red wiskered bulbul": "red-whiskered bulbul",
    "rough leg buzzard": "rough-legged buzzard",
    "rudy kingfisher": "ruddy kingfisher",
    "rufous trepe": "rufous treepie",
    "rufuos motmot": "rufous motmot",
    "samatran thrush": "sumatran thrush",
    "spoon biled sandpiper": "spoon billed sandpiper",
    "stripped manakin": "striped manakin",
    "stripped swallow": "striped swallow",
    "touchan": "toucan",
    "trumpter swan": "trumpeter swan",
    "venezuelian troupial": "venezuelan troupial",
    "vermilion flycather": "vermilion flycatcher",
    "wall creaper": "wallcreeper",
    "white tailed tropic": "white tailed tropicbird",
    "blackburniam warbler": "blackburnian warbler",
}
"""Species that BIRDS 525 misspells, where its folder is not one of BIRDS-150's, whose spelling is mended."""


def main() -> None:
    """Write the three files and say how large they are."""
    shared = Path(sys.argv[1])
    total = 0
    for name, rows in {
        "birds525": _birds525(shared),
        "birds150": _birds150(shared),
        "flowers": _flowers(shared),
    }.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in sorted(rows, key=_file_name)]
        content = bz2.compress("".join(lines).encode(), 9)
        (SOURCES / f"{name}_captions.jsonl.bz2").write_bytes(content)
        total += len(content)
        print(f"{name}: {len(lines):,} photos, {len(content):,} bytes")
    print(f"in all {total:,} bytes")


def _file_name(row: dict[str, Any]) -> str:
    return row["file_name"]


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, (folder / "metadata.jsonl").open(encoding="utf-8"))


def _birds525(shared: Path) -> Iterator[dict[str, Any]]:
    mended = {row["file_name"].split("/")[1]: row["label"] for row in _rows(shared / "birds150")}
    for row in _rows(shared / "birds525"):
        _, species, file = row["file_name"].split("/")
        label = mended.get(species, MENDED.get(row["label"], row["label"]))
        yield {
            "file_name": f"birds525/valid/{species}/{file}",
            "captions": row["captions"],
            "label": label,
        }


def _birds150(shared: Path) -> Iterator[dict[str, Any]]:
    for row in _rows(shared / "birds150"):
        _, species, file = row["file_name"].split("/")
        part, number = file.removesuffix(".avif").split("_")
        yield {
            "file_name": f"birds150/{part}/{species}/{number}.jpg",
            "captions": row["captions"],
            "label": row["label"],
        }


def _flowers(shared: Path) -> Iterator[dict[str, Any]]:
    for row in _rows(shared / "flowers"):
        _, part, folder, file = row["file_name"].split("/")
        stem = file.removesuffix(".avif")
        written, short = row["captions"]
        name = (
            f"oxford102/jpg/{stem}.jpg"
            if part == "oxford102"
            else f"flower_photos/{FLOWER_FOLDERS[folder]}/{stem}.jpg"
        )
        photo = {"file_name": name, "captions": [written], "short_captions": [short], "label": row["label"]}
        if "author" in row:
            photo["credit"] = f"{row['author']}, {row['licence']}"
        yield photo


if __name__ == "__main__":
    main()
