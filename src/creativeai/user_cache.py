"""Where a user's programs keep what can be had again."""

import os
from pathlib import Path

__all__ = ["user_cache"]


def user_cache() -> Path | None:
    """The project's folder there, which need not exist yet; None for a user without a home.

    It is in what the environment variable XDG_CACHE_HOME or LOCALAPPDATA names, else in the home's `.cache`.
    """
    if folder := os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA"):
        return Path(folder) / "creativeai"
    try:
        return Path.home() / ".cache" / "creativeai"
    except RuntimeError:
        return None
