"""Figures of one or several models as a table in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from creativeai.bundles.figure_kinds import FIGURE_KINDS, figure_text
from creativeai.evaluation.card import EvaluationCard, Figure

__all__ = ["figures_table", "print_whole"]


def figures_table(cards: Sequence[EvaluationCard], labels: Sequence[str]) -> Table:
    """A row for each figure, a column for each model, and what real photos have."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    table.add_column("figure", no_wrap=True)
    for label in labels:
        table.add_column(label, justify="right", no_wrap=True)
    table.add_column("photos", justify="right", no_wrap=True)
    for name, kind in FIGURE_KINDS.items():
        figures = [card.figures.get(name) for card in cards]
        if all(figure is None or figure.value is None for figure in figures):
            continue
        arrow = "↓" if kind.lower_is_better else "↑"
        table.add_row(
            Text(f"{kind.title} {arrow}"),
            *(_cell(name, figure) for figure in figures),
            _photos(name, figures),
        )
    protocol = cards[0].protocol
    table.caption = (
        f"{protocol.num_pictures:,} pictures against {protocol.num_photos:,} {protocol.split} photos of "
        f"{protocol.dataset}, truncation {protocol.truncation:g}; 95% intervals over the captions"
    )
    return table


def print_whole(console: Console, table: Table) -> None:
    """Print a table without cutting its cells, also into a pipe or file, whose width is nobody's."""
    if not console.is_terminal:
        console = Console(file=console.file, width=max(console.width, 400), no_color=True)
    console.print(table)


def interval_text(name: str, figure: Figure) -> str:
    """The interval, or the standard error, as it stands behind a value."""
    if figure.low is not None and figure.high is not None:
        return f"{figure_text(name, figure.low)} to {figure_text(name, figure.high)}"
    return "" if figure.error is None else f"± {figure_text(name, figure.error)}"


def _cell(name: str, figure: Figure | None) -> Text:
    if figure is None or figure.value is None:
        return Text("–", style="dim")
    text = Text(figure_text(name, figure.value), style="bold")
    if interval := interval_text(name, figure):
        text.append(f"  {interval}", style="dim")
    return text


def _photos(name: str, figures: Sequence[Figure | None]) -> Text:
    """What photos have; equal for all, since they were measured alike."""
    values = [figure.photos for figure in figures if figure is not None and figure.photos is not None]
    return Text(figure_text(name, values[0]) if values else "")
