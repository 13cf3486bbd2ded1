"""What downloads and clones leave in a file's place: a web page, or git-LFS's note of where the file is."""

import re

__all__ = ["LFS_POINTER", "is_web_page"]

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a git-LFS pointer begins."""
_MARKUP = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--"
    rb"|(?:meta|title|link|script|style|iframe|div|table|center|h1)(?=[\s>]))",
    re.IGNORECASE,
)
_DRAWING = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)?<(!doctype\s+)?svg\b", re.IGNORECASE | re.DOTALL
)
_START = 2048


def is_web_page(start: bytes) -> bool:
    """Whether a file that begins so is HTML or XML, as a server's messages are; SVG is a drawing, though."""
    start = start[:_START]
    return _MARKUP.match(start) is not None and _DRAWING.match(start) is None
