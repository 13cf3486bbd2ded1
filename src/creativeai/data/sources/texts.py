"""A folder of text files with the captions of one picture each."""

from dataclasses import dataclass

from creativeai.data.sources.captions import MAX_TEXT_BYTES, parse_caption_file
from creativeai.data.sources.places import Spot


@dataclass(frozen=True, slots=True)
class Texts:
    """Text files by the name of their picture."""

    spot: Spot
    by_stem: dict[str, str]
    """Path of each file by its name without folders and `.txt`, for lists with other folders."""

    @classmethod
    def of(cls, spot: Spot) -> "Texts":
        """All the text files below `spot`; of several with one name the first counts."""
        by_stem: dict[str, str] = {}
        for name in spot.archive.sizes:
            if name.startswith(spot.prefix) and name.lower().endswith(".txt"):
                path = name.removeprefix(spot.prefix)
                by_stem.setdefault(path.rpartition("/")[2][: -len(".txt")], path)
        return cls(spot, by_stem)

    def read(self, key: str) -> tuple[str, ...]:
        """The captions of a picture called `key`, a path without suffix.

        Raises:
            DataError: no file, or no caption in it.
        """
        exact = f"{key}.txt"
        path = exact if self.spot.has(exact) else self.by_stem.get(key.rpartition("/")[2], exact)
        return parse_caption_file(self.spot.archive.read(self.spot.prefix + path, MAX_TEXT_BYTES))
