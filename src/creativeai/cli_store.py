"""`creativeai store`: one command for each thing done with a model store, thin."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from creativeai.errors import BundleError, StoreError

if TYPE_CHECKING:
    from creativeai.server.following import FollowedStore

__all__ = ["followed_store", "store_app"]

STORE_VARIABLE = "CREATIVEAI_STORE"
store_app = typer.Typer(help="Publish models, compare and promote their versions.", no_args_is_help=True)

_Words = Annotated[
    Optional[list[str]],
    typer.Argument(
        metavar="[STORE] NAME[@VERSION|@ALIAS]",
        help=f"Folder or URL of the store, if {STORE_VARIABLE} doesn't say it; and which version.",
    ),
]


@store_app.command("publish")
def publish_bundle(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    to: Annotated[
        Optional[str], typer.Option(envvar=STORE_VARIABLE, help="Folder or URL of the store.")
    ] = None,
    name: Annotated[
        Optional[str], typer.Option(help="The model's name; by default the bundle's own.")
    ] = None,
) -> None:
    """Put a bundle into a store, as the next version of its model."""
    from creativeai.store import publish

    published = publish(_required(to, "--to"), bundle, name)
    print(published.version.reference)
    if not published.is_new:
        print("the store had this very bundle already: nothing was published", file=sys.stderr)


@store_app.command("list")
def list_store(
    store: Annotated[
        Optional[str], typer.Argument(envvar=STORE_VARIABLE, help="Folder or URL of the store.")
    ] = None,
    name: Annotated[Optional[str], typer.Option(help="Only this model's versions.")] = None,
    recipe: Annotated[Optional[str], typer.Option(help="Only those of this recipe.")] = None,
    dataset: Annotated[
        Optional[str], typer.Option(help="Only those trained on the dataset of this name or digest.")
    ] = None,
    preset: Annotated[Optional[str], typer.Option(help="Only those of this preset.")] = None,
    sort: Annotated[
        Optional[str], typer.Option(help="Order by this metric, the smallest first, e.g. kid.")
    ] = None,
    descending: Annotated[bool, typer.Option("--descending", help="The largest first.")] = False,
) -> None:
    """List a store's versions, the newest first."""
    from rich.console import Console

    from creativeai.store.listing import Filters, listed_versions, versions_table

    filters = Filters(name=name, recipe=recipe, dataset=dataset, preset=preset)
    listed = listed_versions(_required(store, "the store"), filters, sort, descending=descending)
    Console().print(versions_table(listed, sort))
    for problem in listed.problems:
        print(f"creativeai: {problem}", file=sys.stderr)


@store_app.command("show")
def show_version(words: _Words = None) -> None:
    """Show all that is on record of a version: settings, data, metrics, the end of its training."""
    from rich.console import Console

    from creativeai.store import find_version, open_store
    from creativeai.store.listing import version_table
    from creativeai.store.records import parse_reference

    url, text = _store_and(words, "show")
    reference = parse_reference(text)
    storage = open_store(url)
    Console().print(version_table(storage, find_version(storage, reference)))


@store_app.command("promote")
def promote_version(
    words: _Words = None,
    alias: Annotated[str, typer.Option(help="Made, or moved from another version.")] = "champion",
) -> None:
    """Give a version an alias: servers that follow the alias serve it within seconds."""
    from creativeai.store import open_store, promote
    from creativeai.store.records import parse_reference

    url, text = _store_and(words, "promote")
    reference = parse_reference(text)
    version = promote(open_store(url), reference, alias)
    print(f"{version.name}@{alias} is {version.reference}")


@store_app.command("pull")
def pull_version(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to make.")],
    words: _Words = None,
) -> None:
    """Copy a version's bundle out of a store, every digest checked."""
    from creativeai.store import find_version, open_store, pull
    from creativeai.store.records import parse_reference

    url, text = _store_and(words, "pull")
    reference = parse_reference(text)
    storage = open_store(url)
    version = find_version(storage, reference)
    pull(storage, version, out)
    print(f"{version.reference} is in {out}", file=sys.stderr)
    print(out)


@store_app.command("remove")
def remove_version(
    words: _Words = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if aliases are of it (they go too), or it is damaged.")
    ] = False,
) -> None:
    """Remove a version; its number is not given again."""
    from creativeai.store import open_store, remove
    from creativeai.store.records import parse_reference

    url, text = _store_and(words, "remove")
    reference = parse_reference(text)
    print(f"{remove(open_store(url), reference, force=force)} is removed")


@store_app.command("clean")
def clean_store(
    store: Annotated[
        Optional[str], typer.Argument(envvar=STORE_VARIABLE, help="Folder or URL of the store.")
    ] = None,
) -> None:
    """Remove what killed publishers left behind more than a day ago, and say what."""
    from creativeai.store import clean, open_store

    num_removed = 0
    problems = []
    for removed in clean(open_store(_required(store, "the store"))):
        if isinstance(removed, str):
            print(f"removed {removed}")
            num_removed += 1
        else:
            problems.append(removed)
    if not num_removed and not problems:
        print("nothing to remove", file=sys.stderr)
    if problems:
        raise BundleError("; ".join(map(str, problems)))


def followed_store(
    store: str | None, models: Sequence[Path] | None, alias: str, cache: Path | None, look_seconds: float
) -> "FollowedStore | None":
    """What `creativeai serve` is to follow; None for bundles in folders.

    Raises:
        StoreError: Both are given, the alias isn't right, the user has no folder for a cache, or the store's
            folder is mistyped.
    """
    if store is not None and models:
        raise StoreError("give either --store or --models: publish the bundles to serve them together")
    url = store if store is not None or models else os.environ.get(STORE_VARIABLE)
    if not url:
        return None
    from creativeai.server.following import FollowedStore, refuse_mistyped_store
    from creativeai.store.pulling import default_cache
    from creativeai.store.records import check_name

    check_name("alias", alias)
    followed = FollowedStore(url, alias, cache or default_cache(), look_seconds)
    refuse_mistyped_store(followed)
    return followed


def _required(store: str | None, option: str) -> str:
    if not store:
        raise StoreError(f"no store is named: give {option} as a folder or URL, or set {STORE_VARIABLE}")
    return store


def _store_and(words: list[str] | None, command: str) -> tuple[str, str]:
    """The store and the reference: a reference alone means the store of the environment."""
    match words or []:
        case [store, reference]:
            return store, reference
        case [reference]:
            return _required(os.environ.get(STORE_VARIABLE), "it first"), reference
    raise StoreError(
        f"creativeai store {command} takes STORE NAME[@VERSION|@ALIAS], or {STORE_VARIABLE} and the latter"
    )
