"""Where in a store each thing is. Names were checked before, so none leads out of the store."""

import re

__all__ = ["MODELS", "alias_path", "claim_path", "upload_path", "version_number", "version_path"]

MODELS = "models"


def version_path(name: str, number: int | None = None) -> str:
    """The record of a version, or the folder of all."""
    folder = f"{MODELS}/{name}/versions"
    return folder if number is None else f"{folder}/{number:06d}.json"


def version_number(file_name: str) -> int | None:
    """The number of the version whose record has this name."""
    match = re.fullmatch(r"([0-9]{6,9})\.json", file_name)
    number = int(match[1]) if match else 0
    return number if number and file_name == f"{number:06d}.json" else None


def alias_path(name: str, alias: str | None = None) -> str:
    """The file of an alias, or the folder of all."""
    folder = f"{MODELS}/{name}/aliases"
    return folder if alias is None else f"{folder}/{alias}.json"


def upload_path(name: str, upload: str) -> str:
    """The folder of a version's files."""
    return f"{MODELS}/{name}/uploads/{upload}"


def claim_path(name: str, number: int) -> str:
    """The folder of those who want a number, in storage that can't create a file only once."""
    return f"{MODELS}/{name}/claims/{number:06d}"
