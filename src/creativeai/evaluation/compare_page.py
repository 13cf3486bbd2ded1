"""The page of a comparison: one HTML file with everything in it."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from creativeai.bundles.figure_kinds import FIGURE_KINDS, FigureKind, figure_text
from creativeai.errors import EvaluationError
from creativeai.evaluation.card import EvaluationCard, Figure
from creativeai.evaluation.compare import Compared, labels_of
from creativeai.evaluation.compare_curves import curve_chart, curve_names
from creativeai.evaluation.compare_style import COLOURS, STYLE
from creativeai.evaluation.compare_table import interval_text
from creativeai.evaluation.protocol import EvaluationProtocol
from creativeai.whole_files import replace_file

__all__ = ["compare_page", "write_page"]


def write_page(compared: Sequence[Compared], out: Path) -> None:
    """Write the page, whole or not at all; one that is there is replaced.

    Raises:
        EvaluationError: It can't be written.
    """
    page = compare_page(compared).encode()
    if out.is_dir() or not out.parent.is_dir():
        raise EvaluationError(f"can't write the page {out}: give a file in a folder that exists")
    try:
        replace_file(out, lambda file: file.write(page))
    except OSError as error:
        raise EvaluationError(f"can't write the page {out}: {error.strerror or error}") from None


def compare_page(compared: Sequence[Compared]) -> str:
    """HTML of cards of one protocol: figures with intervals, pictures side by side, curves of the trainings.

    Args:
        compared: Cards that `refuse_unlike` has nothing against.
    """
    cards, labels = [one.card for one in compared], labels_of(compared)
    protocol = cards[0].protocol
    title = f"{' and '.join(labels) if len(labels) < 3 else f'{len(labels)} models'} on {protocol.dataset}"
    sections = [
        _head(title, protocol, labels),
        _figures(cards, labels),
        _pictures(compared, labels),
        _curves(cards, labels),
        _numbers(cards, labels),
        _small_print(cards, labels),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_sprites(compared)}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _head(title: str, protocol: EvaluationProtocol, labels: Sequence[str]) -> str:
    keys = [
        f'<li class="{_class(i)}"><span class="key"></span>{escape(name)}</li>'
        for i, name in enumerate(labels)
    ]
    keys.append('<li><span class="key photo"></span>real photos</li>')
    return (
        f"<header><h1>{escape(title)}</h1>"
        f'<p class="soft">{protocol.num_pictures:,} pictures against {protocol.num_photos:,} '
        f"{escape(protocol.split)} photos kept from its training, all seen at "
        f"{protocol.constants.reference_side} pixels. Bands are 95% intervals over the captions.</p>"
        f'<ul class="legend">{"".join(keys)}</ul></header>'
    )


def _figures(cards: Sequence[EvaluationCard], labels: Sequence[str]) -> str:
    panels = []
    for name, kind in FIGURE_KINDS.items():
        figures = [card.figures.get(name) for card in cards]
        if any(figure is not None and figure.value is not None for figure in figures):
            panels.append(_panel(name, kind, figures, labels))
    return f'<section><h2>Figures</h2><div class="panels">{"".join(panels)}</div></section>'


def _panel(name: str, kind: FigureKind, figures: Sequence[Figure | None], labels: Sequence[str]) -> str:
    given = [figure for figure in figures if figure is not None and figure.value is not None]
    ends = [end for f in given for end in (f.value, f.low, f.high, f.photos) if end is not None]
    # From zero, unless that would squeeze what there is to see into a tenth of the width.
    low, high = min(0.0, *ends), max(ends)
    if min(ends) > 0.9 * high:
        low = min(ends) - 0.2 * (high - min(ends))
    width = (high - low) or 1.0

    def across(value: float) -> str:
        return f"{100 * (value - low) / width:.2f}%"

    rows = []
    for index, (figure, label) in enumerate(zip(figures, labels, strict=True)):
        who = f'<span class="name">{escape(label)}</span>'
        if figure is None or figure.value is None:
            reason = "" if figure is None else escape(figure.reason)
            rows.append(
                f'<div class="row">{who}<span class="value">–</span><span class="none">{reason}</span></div>'
            )
            continue
        interval = interval_text(name, figure)
        value = f"{figure_text(name, figure.value)} <small>{interval}</small>"
        marks = ""
        if figure.photos is not None:
            told = f"real photos: {figure_text(name, figure.photos)}"
            marks += f'<span class="mark" style="left:{across(figure.photos)}" title="{told}"></span>'
        if figure.low is not None and figure.high is not None:
            size = f"{100 * (figure.high - figure.low) / width:.2f}%"
            marks += f'<span class="range" style="left:{across(figure.low)};width:{size}"></span>'
        marks += f'<span class="dot" style="left:{across(figure.value)}"></span>'
        rows.append(
            f'<div class="row {_class(index)}">{who}<span class="value">{value}</span>'
            f'<div class="track">{marks}</div></div>'
        )
    better = "lower is better" if kind.lower_is_better else "higher is better"
    photos = [figure.photos for figure in given if figure.photos is not None]
    beside = f"; real photos {figure_text(name, photos[0])}" if photos else ""
    return (
        f'<div class="panel"><h3>{escape(kind.title)}</h3>'
        f'<p class="meaning">{escape(kind.meaning[0].upper() + kind.meaning[1:])}; {better}{beside}.</p>'
        f"{''.join(rows)}</div>"
    )


def _sprites(compared: Sequence[Compared]) -> str:
    """Each model's grid once, as the background that its strips show a row of."""
    rules = []
    for index, one in enumerate(compared):
        if one.grid is not None and one.card.grid is not None:
            rows, columns = len(one.card.grid.sentences), len(one.card.grid.seeds)
            data = base64.b64encode(one.grid).decode()
            rules.append(
                f".g{index}{{background-image:url(data:image/webp;base64,{data});"
                f"background-size:100% {100 * rows}%;aspect-ratio:{columns}/1}}"
            )
    return "\n".join(rules)


def _pictures(compared: Sequence[Compared], labels: Sequence[str]) -> str:
    shown = [(i, one.card.grid) for i, one in enumerate(compared) if one.grid is not None and one.card.grid]
    if not shown:
        return ""
    first = shown[0][1]
    sentences = []
    for row, sentence in enumerate(first.sentences):
        strips = []
        for index, grid in shown:
            if (grid.sentences, grid.seeds) != (first.sentences, first.seeds):
                continue
            down = 100 * row / max(1, len(grid.sentences) - 1)
            alt = escape(f"{len(grid.seeds)} pictures by {labels[index]}: {sentence}", quote=True)
            strips.append(
                f'<figure><div class="strip g{index}" style="background-position:0 {down:.4f}%" role="img" '
                f'aria-label="{alt}"></div><figcaption class="{_class(index)}"><span class="key"></span>'
                f"{escape(labels[index])}</figcaption></figure>"
            )
        sentences.append(
            f'<div class="sentence"><p>{escape(sentence)}</p>'
            f'<div class="strips">{"".join(strips)}</div></div>'
        )
    return (
        "<section><h2>The same sentences and seeds</h2>"
        '<p class="soft">Captions of test photos in the order in which they were drawn; none was picked.</p>'
        f"{''.join(sentences)}</section>"
    )


def _curves(cards: Sequence[EvaluationCard], labels: Sequence[str]) -> str:
    curves = [card.model.curve for card in cards]
    panels = [
        f'<div class="panel"><h3>{escape(FIGURE_KINDS[name].title)}</h3>'
        f"{curve_chart(name, curves, labels)}</div>"
        for name in curve_names(curves)
    ]
    if not panels:
        return ""
    return (
        "<section><h2>While they were trained</h2>"
        '<p class="soft">Measured on validation photos, which the figures above are not of.</p>'
        f'<div class="panels">{"".join(panels)}</div></section>'
    )


def _numbers(cards: Sequence[EvaluationCard], labels: Sequence[str]) -> str:
    rows = []
    for name, kind in FIGURE_KINDS.items():
        figures = [card.figures.get(name) for card in cards]
        given = [figure for figure in figures if figure is not None and figure.value is not None]
        if not given:
            continue
        cells = [
            "<td>–</td>"
            if figure is None or figure.value is None
            else f"<td>{figure_text(name, figure.value)} <small>{interval_text(name, figure)}</small></td>"
            for figure in figures
        ]
        photos = [figure.photos for figure in given if figure.photos is not None]
        of_photos = figure_text(name, photos[0]) if photos else ""
        rows.append(f"<tr><td>{escape(kind.title)}</td>{''.join(cells)}<td>{of_photos}</td></tr>")
    head = "".join(f"<th>{escape(label)}</th>" for label in labels)
    return (
        '<section><h2>All numbers</h2><div class="scroll"><table><thead><tr><th>figure</th>'
        f"{head}<th>photos</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _small_print(cards: Sequence[EvaluationCard], labels: Sequence[str]) -> str:
    models = []
    for card, label in zip(cards, labels, strict=True):
        model = card.model
        trained = (
            []
            if model.steps is None
            else [f"{model.steps:,} steps", f"{model.images_seen or 0:,} pictures seen"]
        )
        if model.cpu_seconds is not None:
            trained.append(f"{model.cpu_seconds / 3600:.1f} hours of processor time")
        facts = [f"{model.recipe} ({model.preset})", f"{model.resolution} pixels", *trained]
        told = "; ".join(
            [*facts, f"trained on {model.trained_on}", f"graph {model.digest[:12]}", *card.notes]
        )
        models.append(f"<dt>{escape(label)}</dt><dd>{escape(told)}</dd>")
    terms = [f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _terms(cards[0].protocol)]
    return (
        f"<section><h2>What was compared</h2><dl>{''.join(models)}</dl>"
        "<details><summary>All that the figures depend on</summary>"
        f"<dl>{''.join(terms)}</dl></details></section>"
    )


def _terms(protocol: EvaluationProtocol) -> list[tuple[str, str]]:
    terms = []
    for name, value in asdict(protocol).items():
        parts = value if isinstance(value, dict) else {"": value}
        terms += [
            (" ".join(filter(None, (name, key))).replace("_", " "), str(part)) for key, part in parts.items()
        ]
    return terms


def _class(index: int) -> str:
    return f"c{index % COLOURS}"
