"""What a user may say of an imported model."""

from dataclasses import dataclass

__all__ = ["BundleOptions"]


@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """What a bundle says that the files don't know."""

    name: str
    """The model's name: lower-case letters, digits, `-`, `_` and `.`."""
    title: str | None = None
    """One line for people; by default that of the published model."""
    description: str | None = None
    """What it draws and what it can't."""
    licence: str | None = None
    """Of weights and pictures; by default what is known of the published model's."""
    examples: tuple[str, ...] = ()
    """Sentences that the page offers; by default those that come with the files."""
    default_truncation: float = 1.0
    """Variety that pictures are made with unless something else is asked for."""
