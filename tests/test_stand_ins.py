import pytest

from creativeai.stand_ins import is_web_page


@pytest.mark.parametrize(
    "start",
    [
        b"<!DOCTYPE html>",
        b"\n <html>",
        b"\xef\xbb\xbf<HEAD>",
        b"<?xml version='1.0'?>",
        b"<!-- x -->",
    ],
)
def test_web_page(start: bytes) -> None:
    assert is_web_page(start)


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"\x89PNG", b"a <html>", b"<svg>", b"<!doc"])
def test_no_web_page(start: bytes) -> None:
    assert not is_web_page(start)
