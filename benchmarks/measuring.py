"""What the benchmarks share: options, texts that differ, centiles, and the two lines that each prints."""

import argparse
import json
import random
import statistics
from collections.abc import Sequence
from typing import Any

_SIZES = ("small", "large", "tiny", "plump", "slender")
_COLOURS = ("red", "yellow", "blue", "green", "orange", "black", "white", "brown", "scarlet", "teal")
_PLACES = ("on a branch", "over the sea", "in tall grass", "on a mossy rock", "against the sky")


def option_parser(description: str | None) -> argparse.ArgumentParser:
    """Options of a benchmark of one model, to which it adds its own; the description is printed as it is."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="name or folder of a bundle; the default model when left out")
    return parser


def different_texts(num_texts: int) -> list[str]:
    """Captions of ordinary length, none twice, so that no cache of encoded text helps."""
    rng = random.Random(0)
    texts: dict[str, None] = {}
    while len(texts) < num_texts:
        size, place = rng.choice(_SIZES), rng.choice(_PLACES)
        body, wings, head = (rng.choice(_COLOURS) for _ in range(3))
        texts[f"a {size} {body} bird with {wings} wings and a {head} head {place}"] = None
    return list(texts)


def centile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of the values don't exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def report(figure: str, sentence: str, **numbers: Any) -> None:
    """Print a figure once for programs (a line of JSON) and once for people."""
    print(json.dumps({"figure": figure, **numbers}))
    print(sentence)
