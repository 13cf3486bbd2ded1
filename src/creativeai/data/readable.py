"""Captions in which a text encoder finds no word, such as those in another script: no use for training."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from creativeai.data.captioned_images import CaptionRecord

__all__ = ["Unreadable", "unreadable_captions"]

_NUM_NAMED = 3


@dataclass(frozen=True, slots=True)
class Unreadable:
    """How many captions have no word that an encoder knows."""

    num_captions: int
    num_all: int
    """Number of captions in all."""
    num_pictures: int
    """Pictures with such a caption."""
    num_wholly: int
    """Pictures that have no other captions."""
    file_names: tuple[str, ...]
    """Of some of those pictures, first those that have no other."""

    def line(self, encoder: str) -> str:
        """What to tell the user.

        Args:
            encoder: What the encoder is called.
        """
        if not self.num_captions:
            return f"read by {encoder}: all {self.num_all:,} captions"
        pictures = "picture" if self.num_pictures == 1 else "pictures"
        more = ", ..." if self.num_pictures > len(self.file_names) else ""
        return (
            f"not read by {encoder}: {self.num_captions:,} of {self.num_all:,} captions have no word that it "
            f"knows, of {self.num_pictures:,} {pictures} ({', '.join(self.file_names)}{more}), "
            f"{self.num_wholly:,} of which have no other caption"
        )


def unreadable_captions(
    records: Iterable[CaptionRecord], num_known_words: Callable[[str], int]
) -> Unreadable:
    """Look for captions without a known word.

    Args:
        records: The dataset's records.
        num_known_words: Of a text encoder: the number of words of a text that it knows.
    """
    num_all = num_captions = 0
    partly: list[str] = []
    wholly: list[str] = []
    for record in records:
        captions = record.all_captions
        num = sum(not num_known_words(caption) for caption in captions)
        num_all += len(captions)
        num_captions += num
        if num:
            (wholly if num == len(captions) else partly).append(record.file_name)
    named = tuple((wholly + partly)[:_NUM_NAMED])
    return Unreadable(num_captions, num_all, len(wholly) + len(partly), len(wholly), named)
