"""What downloads and clones leave in a file's place: a web page, or git-LFS's note of where the file is."""

import re

__all__ = ["LFS_POINTER", "is_web_page"]

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a git-LFS pointer begins."""
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)


def is_web_page(start: bytes) -> bool:
    """Whether a file that begins so is HTML or XML."""
    return _MARKUP.match(start) is not None
