"""The table `creativeai models` prints."""

from rich.table import Table

from creativeai.bundles.catalog import find_bundles
from creativeai.bundles.manifest import DatasetSummary
from creativeai.bundles.reader import Bundle, read_bundle
from creativeai.errors import BundleError


def bundle_table() -> Table:
    """One row for each bundle known here; what is wrong with it, if it can't be read."""
    table = Table(title="Models")
    for heading in ("name", "title", "recipe", "trained on", "pixels", "MB", "metrics"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("pixels", "MB") else "left")
    for name, path in find_bundles().items():
        try:
            table.add_row(name, *_cells(read_bundle(path, verify=False)))
        except BundleError as error:
            table.add_row(name, f"[red]{error}")
    if not table.row_count:
        table.caption = "none yet: export one, and name its folder in CREATIVEAI_MODELS"
    return table


def _cells(bundle: Bundle) -> tuple[str, ...]:
    manifest = bundle.manifest
    megabytes = sum(entry.size for entry in manifest.files.values()) / 1e6
    numbers = {key: value for key, value in manifest.metrics.items() if isinstance(value, int | float)}
    metrics = "\n".join(f"{key} {value:.4g}" for key, value in numbers.items())
    return (
        manifest.title,
        f"{manifest.recipe} ({manifest.preset})",
        _trained_on(manifest.dataset),
        str(manifest.resolution),
        f"{megabytes:.1f}",
        metrics,
    )


def _trained_on(dataset: DatasetSummary) -> str:
    return dataset.title if dataset.num_train is None else f"{dataset.title} ({dataset.num_train:,} pictures)"
