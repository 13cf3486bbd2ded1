"""Where in a store each thing is. Names were checked before, so none leads out of the store."""

import re

__all__ = [
    "MODELS",
    "alias_path",
    "claim_path",
    "cleaning_path",
    "upload_path",
    "version_number",
    "version_path",
]

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


def upload_path(name: str, upload: str | None = None) -> str:
    """The folder of a version's files, or the folder of all these."""
    folder = f"{MODELS}/{name}/uploads"
    return folder if upload is None else f"{folder}/{upload}"


def claim_path(name: str, number: int | None = None) -> str:
    """The folder of those who want a number, where a file can't be created only once; or that of all."""
    folder = f"{MODELS}/{name}/claims"
    return folder if number is None else f"{folder}/{number:06d}"


def cleaning_path(name: str, upload: str | None = None) -> str:
    """The file that says an upload is being removed since no version has it, or the folder of all."""
    folder = f"{MODELS}/{name}/cleaning"
    return folder if upload is None else f"{folder}/{upload}"
