"""The figures that evaluations measure: their names for people, and how they read."""

from dataclasses import dataclass

__all__ = ["FIGURE_KINDS", "FigureKind", "figure_text"]


@dataclass(frozen=True)
class FigureKind:
    """One figure, whatever model it is of."""

    title: str
    """Its name in tables."""
    form: str
    """How a value is written."""
    meaning: str
    """What it says, in one sentence without an end."""
    lower_is_better: bool = False
    is_distance: bool = False
    """Whether photos have a floor that the model's value stands above, rather than a ceiling."""


FIGURE_KINDS = {
    "fd_lite2": FigureKind(
        "fd_lite2",
        "{:.1f}",
        "Frechet distance of the pictures to the test photos on EfficientNet-Lite2; it is not the FID",
        lower_is_better=True,
        is_distance=True,
    ),
    "kid": FigureKind(
        "KID x 1000",
        "{:.1f}",
        "kernel distance on EfficientNet-Lite2, without the bias of small numbers",
        lower_is_better=True,
        is_distance=True,
    ),
    "precision": FigureKind("precision", "{:.2f}", "share of the pictures that lie among the photos"),
    "recall": FigureKind("recall", "{:.2f}", "share of the photos that lie among the pictures"),
    "text_match": FigureKind(
        "text match", "{:.1%}", "how often a picture's own caption is found among 100 captions"
    ),
    "swap_preference": FigureKind(
        "caption over swapped",
        "{:.1%}",
        "how often a picture fits its caption better than the same with its colours swapped",
    ),
    "part_colours": FigureKind(
        "colours of parts", "{:.1%}", "how often a part has the colour that the test caption gives it"
    ),
    "asked_colours": FigureKind(
        "asked for a colour",
        "{:.1%}",
        "how often a part has its colour where a sentence asks for that alone",
    ),
    "names": FigureKind(
        "asked by name", "{:.1%}", "how often the named kind is among the five that the picture looks like"
    ),
    "r_precision": FigureKind(
        "R-precision (DAMSM)", "{:.1%}", "the right one of 100 captions found by the given DAMSM"
    ),
    "fid": FigureKind(
        "FID",
        "{:.1f}",
        "Frechet distance on the TensorFlow Inception network of 2015",
        lower_is_better=True,
        is_distance=True,
    ),
    "inception_score": FigureKind(
        "Inception Score", "{:.2f}", "by the same network: pictures clear each, and different together"
    ),
    "diversity": FigureKind(
        "diversity", "{:.2f}", "how different pictures of different sentences are; test photos are at 1"
    ),
    "seed_diversity": FigureKind(
        "diversity of a sentence", "{:.2f}", "how different the pictures of one sentence are"
    ),
    "memorisation": FigureKind(
        "memorisation",
        "{:.1%}",
        "share of the pictures that are nearer to a training photo than all but 1% of the test photos are",
        lower_is_better=True,
    ),
    "milliseconds": FigureKind(
        "ms a picture", "{:.1f}", "median time of one core for sentence and picture", lower_is_better=True
    ),
    "megabytes": FigureKind(
        "memory, MB", "{:.0f}", "most memory of the process that draws", lower_is_better=True
    ),
}
"""By the key that a card and a manifest's `metrics` have."""


def figure_text(name: str, value: float | None) -> str:
    """A value as its figure is written; `none` where there is none."""
    return "none" if value is None else FIGURE_KINDS[name].form.format(value)
