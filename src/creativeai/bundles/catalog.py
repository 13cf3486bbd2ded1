"""Finds bundles by their names."""

import os
from collections.abc import Sequence
from pathlib import Path

from creativeai.bundles.manifest import MANIFEST_NAME
from creativeai.errors import BundleError, UnknownModelError

ZOO_FOLDER = Path(__file__).parent.parent / "zoo"
MODELS_VARIABLE = "CREATIVEAI_MODELS"
DEFAULT_NAME = "birds"


def find_bundles(folders: Sequence[Path | str] = ()) -> dict[str, Path]:
    """Bundles by name, which is that of their folder; the first one is the default model.

    Looks into `folders`, then into those in the environment variable CREATIVEAI_MODELS (separated as in
    PATH), then into the zoo shipped with CreativeAI; the first bundle of a name wins. A folder that is a
    bundle itself counts too.

    Raises:
        BundleError: A folder does not exist.
    """
    configured = [Path(folder) for folder in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if folder]
    bundles: dict[str, Path] = {}
    for folder in [*map(Path, folders), *configured, ZOO_FOLDER]:
        # Who names a folder wants its models; within one, `birds` is what most people would try first.
        for bundle in sorted(_bundles_in(folder), key=lambda path: (path.name != DEFAULT_NAME, path.name)):
            bundles.setdefault(bundle.name, bundle)
    return bundles


def find_bundle(name: str | None = None, folders: Sequence[Path | str] = ()) -> Path:
    """Folder of one bundle.

    Args:
        name: A name `find_bundles` knows, or the path of a bundle; None for the default model.
        folders: Where to look first.

    Raises:
        UnknownModelError: There is no such bundle.
        BundleError: One of the folders does not exist.
    """
    bundles = find_bundles(folders)
    if name is None:
        if not bundles:
            raise UnknownModelError(
                f"there is no model here yet: export one, and name its folder in {MODELS_VARIABLE}"
            )
        return next(iter(bundles.values()))
    if name in bundles:
        return bundles[name]
    try:
        if name and (Path(name) / MANIFEST_NAME).is_file():
            return Path(os.path.abspath(name))
    except (OSError, ValueError):
        pass  # too long or otherwise unfit to be a path
    known = ", ".join(bundles) or "none"
    raise UnknownModelError(
        f"there is no model {name[:100]!r} (known here: {known}): give one of these or the folder of a bundle"
    )


def _bundles_in(folder: Path) -> list[Path]:
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir():
        raise BundleError(f"there is no folder {folder} to look for models in")
    if (folder / MANIFEST_NAME).is_file():
        return [folder]
    # What a writer that was killed left behind has a hidden name.
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(path for path in visible if (path / MANIFEST_NAME).is_file())
