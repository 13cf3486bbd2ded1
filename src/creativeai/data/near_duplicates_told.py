"""What people are told of a dataset's near-duplicates: lines for the terminal, and a file that lists all."""

import json
from collections.abc import Sequence
from pathlib import Path

from creativeai.data.captioned_images import DatasetInfo
from creativeai.whole_files import write_synced

__all__ = ["GROUPS_NAME", "near_duplicate_notes", "read_groups", "write_groups"]

GROUPS_NAME = "near_duplicates.jsonl"
"""In a prepared dataset that has near-duplicates: each line lists pictures that are alike, by split."""


def write_groups(
    file: Path, groups: Sequence[Sequence[int]], file_names: Sequence[str], splits: Sequence[str]
) -> None:
    """Write each group of positions as a line of file names with their splits; no file if there is none."""
    lines = [
        json.dumps({file_names[i]: splits[i] for i in group}, ensure_ascii=False) + "\n" for group in groups
    ]
    if lines:
        write_synced(file, "".join(lines).encode(errors="backslashreplace"))


def read_groups(folder: Path, most: int) -> list[list[str]]:
    """File names of up to `most` groups, or what can be read of them: they are only shown."""
    groups: list[list[str]] = []
    try:
        with (folder / GROUPS_NAME).open(encoding="utf-8") as lines:
            for line in lines:
                if len(groups) == most:
                    break
                groups.append([str(name) for name in json.loads(line)])
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    return groups


def near_duplicate_notes(info: DatasetInfo, groups: Sequence[Sequence[str]]) -> list[str]:
    """How many near-duplicates there are, where, and what was done about those in different splits."""
    found = info.near_duplicates
    if not found.num_groups:
        return ["near-duplicates: none"]
    examples = "; ".join(" and ".join(group[:3]) for group in groups)
    line = f"near-duplicates: {found.num_pictures:,} pictures in {found.num_groups:,} groups"
    line += f", such as {examples}" if examples else ""
    notes = [f"{line} (all in {GROUPS_NAME})"]
    if found.num_moved:
        notes.append(f"moved: {found.num_moved:,} of them into the split of what they are like")
    if found.num_apart:
        notes.append(
            f"apart: {found.num_apart:,} of them are in another split than what they are like: "
            "the source publishes the split so"
        )
    return notes
