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
        b"<!DOCTYPE HTML PUBLIC '-//IETF//DTD HTML 2.0//EN'>\n<title>404 Not Found</title>",
        b"<meta charset=utf-8><title>Google Drive - Virus scan warning</title>",
        b"<title>Sign in</title>",
        b"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>AccessDenied</Code></Error>",
    ],
)
def test_web_page(start: bytes) -> None:
    assert is_web_page(start)


@pytest.mark.parametrize(
    "start", [b"", b"PK\x03\x04", b"\x89PNG", b"a <html>", b"<svg>", b"<!doc", b"<tablet"]
)
def test_no_web_page(start: bytes) -> None:
    assert not is_web_page(start)


@pytest.mark.parametrize(
    "start",
    [
        b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?>\n<!-- Generator: Inkscape -->\n<svg>",
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'><svg>",
    ],
)
def test_drawing_is_no_web_page(start: bytes) -> None:
    assert not is_web_page(start)
