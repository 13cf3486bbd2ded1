"""The table `creativeai models` prints."""

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from creativeai.bundles.catalog import find_bundles
from creativeai.bundles.manifest import BundleManifest
from creativeai.bundles.reader import read_bundle
from creativeai.errors import BundleError

__all__ = ["bundle_table", "comparable_metric", "megabytes", "metric_text"]

_METRICS = ("kid", "text_match")
"""What 80 columns have room for; a model's card has them all, and its preset."""


def bundle_table() -> Table:
    """One row for each bundle known here; what is wrong with it, if it can't be read."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("name", "recipe", "data"):
        table.add_column(heading, overflow="fold")
    for heading in ("pixels", "MB", *_METRICS):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, path in find_bundles().items():
        try:
            table.add_row(Text(name), *_cells(read_bundle(path, verify=False).manifest))
        except BundleError as error:
            table.add_row(Text(name), Text(str(error), style="red"))
    if not table.row_count:
        table.caption = "none yet: export one, and name its folder in CREATIVEAI_MODELS"
    return table


def _cells(manifest: BundleManifest) -> tuple[Text, ...]:
    texts = (
        manifest.recipe,
        manifest.dataset.name,
        str(manifest.resolution),
        megabytes(manifest),
        *(metric_text(comparable_metric(manifest, name)) for name in _METRICS),
    )
    return tuple(map(Text, texts))


def megabytes(manifest: BundleManifest) -> str:
    """Size of the bundle's files."""
    return f"{sum(entry.size for entry in manifest.files.values()) / 1e6:.1f}"


def comparable_metric(manifest: BundleManifest, name: str) -> Any:
    """A figure of the manifest; None of what was measured before there were evaluation cards.

    Those have figures of the same names by another protocol, which would stand beside as if they compared.
    """
    return None if "fd_lite0" in manifest.metrics else manifest.metrics.get(name)


def metric_text(value: Any) -> str:
    """A figure, or what a card has in its place."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.4g}" if is_number else str(value or "")
