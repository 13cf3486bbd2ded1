"""A TrueType font of a few letters, each a block: what FreeType needs and no more."""

import struct
from pathlib import Path

_EM = 1000


def write_font(path: Path, letters: str) -> Path:
    """A font with just these letters, all of one shape; anything else is a thin bar."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = sorted(map(ord, letters))
    glyphs = [_block(100, 200), *(_block(100, 900) for _ in codes)]
    offsets = [sum(map(len, glyphs[:n])) for n in range(len(glyphs) + 1)]
    groups = b"".join(struct.pack(">III", code, code, index) for index, code in enumerate(codes, 1))
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12)
    cmap += struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(codes)) + groups
    tables = {
        b"cmap": cmap,
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 3, _EM, 0, 0, 0, 0, _EM, _EM, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH", 0x10000, 900, -100, 0, _EM, 0, 0, 900, *[0] * 8, len(glyphs)
        ),
        b"hmtx": struct.pack(">Hh", _EM, 100) * len(glyphs),
        b"loca": struct.pack(f">{len(offsets)}I", *offsets),
        b"maxp": struct.pack(">IH13H", 0x10000, len(glyphs), 4, 1, 0, 0, 1, *[0] * 8),
    }
    start = 12 + 16 * len(tables)
    directory, content = b"", b""
    for tag, table in sorted(tables.items()):
        directory += tag + struct.pack(">III", 0, start + len(content), len(table))
        content += table + bytes(-len(table) % 4)
    path.write_bytes(struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, 48) + directory + content)
    return path


def _block(left: int, right: int) -> bytes:
    """A glyph of four points, from the baseline up to 800."""
    head = struct.pack(">hhhhhHH", 1, left, 0, right, 800, 3, 0)
    across = (left, 0, right - left, 0)
    up = (0, 800, 0, -800)
    return head + b"\x01" * 4 + struct.pack(">8h", *across, *up) + bytes(2)
