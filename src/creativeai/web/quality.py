"""How good a model is, in words for people: how real its pictures are, how well they follow the sentence."""

from dataclasses import dataclass
from typing import Any

from dash import html

__all__ = ["METRICS", "quality_in_words", "shown_metrics"]


@dataclass(frozen=True)
class _Told:
    """A share of pictures as a sentence."""

    heading: str
    key: str
    """Of the model's metrics; `KEY_of_photos` beside it is what real photos have."""
    sentence: str
    """With a place for how many of 100."""


_TOLD = (
    _Told("How real", "precision", "{} of 100 pictures could stand among the photos"),
    _Told(
        "How well it follows the sentence",
        "text_match",
        "Given 100 sentences, the right one is found for {} of 100 pictures",
    ),
    _Told("How well it keeps to colours", "asked_colours", "{} of 100 parts get the colour asked for"),
    _Told("How well it knows names", "names", "{} of 100 pictures show a kind like the one named"),
)

# What people call the numbers our evaluation writes, and how they read.
METRICS = {
    "kid": (
        "KID × 1000",
        "{:.1f}",
        "Distance between drawn and real pictures; lower is better, 0 is as good as real",
    ),
    "fd_lite2": (
        "Fréchet distance (Lite2)",
        "{:.1f}",
        "Between drawn and real pictures; lower is better. Not the FID",
    ),
    "fd_lite0": (
        "Fréchet distance (Lite0)",
        "{:.1f}",
        "Between drawn and real pictures; lower is better. Not the FID",
    ),
    "fd_lite0_split_half": (
        "– of real pictures",
        "{:.1f}",
        "One half of the real pictures against the other",
    ),
    "fid": ("FID", "{:.1f}", "Between drawn and real pictures; lower is better"),
    "inception_score": ("Inception Score", "{:.2f}", "Clear and varied pictures; higher is better"),
    "precision": ("Precision", "{:.2f}", "Share of drawn pictures that lie among the real ones"),
    "recall": ("Recall", "{:.2f}", "Share of real pictures that lie among the drawn ones"),
    "text_match": (
        "Text match",
        "{:.1%}",
        "How often a picture's caption is picked out of 100; chance is 1%",
    ),
    "swap_preference": (
        "Caption over swapped",
        "{:.1%}",
        "How often a picture fits its caption better than one with colours swapped; chance is 50%",
    ),
    "part_colours": ("Colours of parts", "{:.1%}", "How often a part has the colour of its caption"),
    "asked_colours": ("Asked for a colour", "{:.1%}", "The same where a sentence asks for nothing else"),
    "names": ("Asked by name", "{:.1%}", "How often the named kind is among the five likeliest"),
    "r_precision": ("R-precision (DAMSM)", "{:.1%}", "Text match by another judge"),
    "diversity": ("Diversity", "{:.2f}", "How different pictures are; real ones are at 1"),
    "seed_diversity": ("Diversity of one sentence", "{:.2f}", "How different its seeds are"),
    "memorisation": ("Copies", "{:.1%}", "Pictures suspiciously near to one it was trained on; 1% is chance"),
    "milliseconds": ("Time a picture", "{:.0f} ms", "On one core"),
    "megabytes": ("Memory", "{:.0f} MB", "Of a process that draws"),
    "num_generated": ("Measured on", "{:,} pictures", ""),
    "num_real": ("– against", "{:,} real pictures", ""),
}
_OF_PHOTOS = "_of_photos"
_NOT_SHOWN = ("_low", "_high", "_error", _OF_PHOTOS)
"""Endings of what stands beside a figure, not for itself."""


def quality_in_words(metrics: dict[str, Any]) -> list[html.Div]:
    """Return a sentence and a bar for each thing people ask of a model, real photos beside it."""
    shown: list[html.Div] = []
    if "fd_lite0" in metrics:  # measured before photos stood beside by the same protocol
        return shown
    for told in _TOLD:
        share = _number(metrics.get(told.key))
        if share is None:
            continue
        photos = _number(metrics.get(told.key + _OF_PHOTOS))
        sentence = told.sentence.format(f"{100 * share:.0f}")
        bars = [html.Span(className="quality-share", style={"width": _percent(share)})]
        if photos is not None:
            sentence += f"; of real photos, {100 * photos:.0f}"
            bars.append(html.Span(className="quality-photos", style={"left": _percent(photos)}))
        shown.append(
            html.Div(
                [
                    html.H4(told.heading),
                    html.Div(bars, className="quality-bar", **{"aria-hidden": "true"}),
                    html.P(f"{sentence}."),
                ],
                className="quality",
            )
        )
    return shown


def shown_metrics(metrics: dict[str, Any]) -> list[html.Div]:
    """Return the numbers among a model's metrics, the known ones by their names and with what they mean."""
    shown = []
    # Known ones first, in the order above.
    for key in [*METRICS, *sorted(metrics.keys() - METRICS.keys())]:
        value = _number(metrics.get(key))
        if value is None or (key not in METRICS and key.endswith(_NOT_SHOWN)):
            continue
        name, form, meaning = METRICS.get(key, (key.replace("_", " "), "{:.4g}", ""))
        text = form.format(value)
        photos = _number(metrics.get(key + _OF_PHOTOS))
        if photos is not None:
            text += f" (real pictures {form.format(photos)})"
        shown.append(html.Div([html.Dt(name), html.Dd(text)], title=meaning))
    return shown


def _number(value: Any) -> int | float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"
