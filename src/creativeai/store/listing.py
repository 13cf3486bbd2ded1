"""What `creativeai store list` and `show` print."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from creativeai.bundles.listing import comparable_metric, megabytes, metric_text
from creativeai.bundles.manifest import BundleManifest
from creativeai.errors import BundleError
from creativeai.store.reading import aliased_number, all_versions, open_store, read_aliases
from creativeai.store.records import LATEST, Version
from creativeai.store.storage import Storage

__all__ = ["Filters", "Listed", "listed_versions", "version_table", "versions_table"]

_SHOWN_METRICS = ("kid", "text_match", "precision")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which versions to list; None is any."""

    name: str | None = None
    recipe: str | None = None
    dataset: str | None = None
    """A dataset's name, or the beginning of its digest with at least 8 digits."""
    preset: str | None = None

    def fit(self, version: Version) -> bool:
        """Whether a version is to be listed."""
        manifest = version.manifest
        digest = manifest.dataset.digest or ""
        is_digest = self.dataset is not None and len(self.dataset) >= 8 and digest.startswith(self.dataset)
        return (
            self.name in (None, version.name)
            and self.recipe in (None, manifest.recipe)
            and self.preset in (None, manifest.preset)
            and (self.dataset in (None, manifest.dataset.name) or is_digest)
        )


@dataclass(frozen=True)
class Listed:
    """Versions, and what stands for them."""

    versions: list[Version]
    aliases: dict[str, dict[str, int]]
    """By model and alias, `latest` too."""
    problems: list[str]
    """What is wrong with records that can't be read, a line each."""


def listed_versions(
    url: str, filters: Filters, sort: str | None = None, *, descending: bool = False
) -> Listed:
    """The versions that a store has.

    Args:
        url: The store.
        filters: Which versions.
        sort: A metric to order them by, smallest first; those without it come last.
        descending: Largest first.

    Raises:
        StoreError: There is no store, or it can't be reached.
    """
    storage = open_store(url)
    versions: list[Version] = []
    problems: list[str] = []
    aliases: dict[str, dict[str, int]] = {}
    for found in all_versions(storage):
        if isinstance(found, BundleError):
            problems.append(str(found))
            continue
        if found.name not in aliases:
            aliases[found.name] = {LATEST: found.number}
            try:
                aliases[found.name] |= read_aliases(storage, found.name)
            except BundleError as error:
                problems.append(str(error))
        if filters.fit(found):
            versions.append(found)
    if sort is not None:
        versions.sort(key=lambda version: _order(version.manifest.metrics.get(sort), descending))
    return Listed(versions, aliases, problems)


def versions_table(listed: Listed, sort: str | None = None) -> Table:
    """One row for each version."""
    metrics = [sort, *(name for name in _SHOWN_METRICS if name != sort)] if sort else list(_SHOWN_METRICS)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("version", "aliases", "recipe", "trained on", "pixels", "MB", *metrics, "published"):
        is_number = heading in ("pixels", "MB", *metrics)
        is_whole = is_number or heading in ("version", "published")
        justify: Literal["right", "left"] = "right" if is_number else "left"
        table.add_column(heading, overflow="fold", justify=justify, no_wrap=is_whole)
    for version in listed.versions:
        manifest = version.manifest
        table.add_row(
            Text(version.reference),
            Text(", ".join(_aliases_of(version, listed.aliases.get(version.name, {})))),
            Text(f"{manifest.recipe} ({manifest.preset})"),
            Text(manifest.dataset.name),
            str(manifest.resolution),
            megabytes(manifest),
            *(Text(metric_text(_metric(manifest, name, sort))) for name in metrics),
            _date(version.published),
        )
    if not listed.versions:
        table.caption = "no versions"
    return table


def version_table(storage: Storage, version: Version) -> Table:
    """All that is on record of one version, a row each."""
    manifest = version.manifest
    numbers = {LATEST: aliased_number(storage, version.name, LATEST) or 0}
    aliases = _aliases_of(version, numbers | read_aliases(storage, version.name))
    table = Table("", "", show_header=False, title=Text(version.reference))
    rows: dict[str, Any] = {
        "title": manifest.title,
        "aliases": ", ".join(aliases) or "none",
        "published": _date(version.published),
        "digest": version.digest,
        "code_version": manifest.code_version,
        "recipe": manifest.recipe,
        "preset": manifest.preset,
        "stages": ", ".join(str(stage.resolution) for stage in manifest.stages),
        "text_encoder": f"{manifest.text_encoder.name} {manifest.text_encoder.digest}",
        "dataset": vars(manifest.dataset),
        "training": vars(manifest.training),
        "metrics": manifest.metrics,
        "training_end": manifest.training_end and vars(manifest.training_end),
        "files": {name: f"{entry.size} bytes, {entry.sha256}" for name, entry in manifest.files.items()},
    }
    for name, value in _flat(rows):
        table.add_row(Text(name), Text("unknown" if value is None else str(value)))
    return table


def _metric(manifest: BundleManifest, name: str, sort: str | None) -> Any:
    """A figure for the table: whatever is sorted by, else only what compares."""
    return manifest.metrics.get(name) if name == sort else comparable_metric(manifest, name)


def _aliases_of(version: Version, aliases: Mapping[str, int]) -> list[str]:
    return sorted(alias for alias, number in aliases.items() if number == version.number)


def _order(value: Any, descending: bool) -> tuple[bool, float]:
    """Sorting key of a metric: what is no number comes last either way."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True, math.inf
    return False, -value if descending else value


def _date(unix_time: int) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.localtime(unix_time))
    except (OverflowError, ValueError, OSError):  # a clock that was far off
        return str(unix_time)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by name, those of a group as `group.name`, those of a list as `group[0].name`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            yield from _flat({f"{name}[{index}]": item for index, item in enumerate(value)}, prefix)
        else:
            yield prefix + name, value
