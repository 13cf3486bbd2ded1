import sys
from pathlib import Path

import pytest

from creativeai.cli import main
from creativeai.errors import UserError
from creativeai.web import run
from creativeai.web.api_key import check_api_key, read_api_key

KEY = "the-pages-own-key"


@pytest.mark.parametrize("text", [KEY, f"# the page\n\n  page:{KEY}  \nother:key\n", f"\ufeff{KEY}\r\n"])
def test_first_key_of_a_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    assert read_api_key(tmp_path / "key") == KEY


@pytest.mark.parametrize("content", [b"", b"# none\n", b"two words", b"page:", b"\xff\xfe"])
def test_file_without_a_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(UserError, match=r"^--api-key-file .*key"):
        read_api_key(tmp_path / "key")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read: No such file"):
        read_api_key(tmp_path / "none")


def test_message_does_not_show_the_key() -> None:
    with pytest.raises(UserError) as caught:
        check_api_key("secret\nHeader: x", "CREATIVEAI_API_KEY")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("way", ["file", "variable", "variable of a file", "none"])
def test_ways_to_say_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    (tmp_path / "key").write_text(KEY)
    arguments = ["creativeai", "web"]
    if way == "file":
        arguments += ["--api-key-file", str(tmp_path / "key")]
        monkeypatch.setenv("CREATIVEAI_API_KEY", "another-key")
    elif way == "variable":
        monkeypatch.setenv("CREATIVEAI_API_KEY", KEY)
    elif way == "variable of a file":
        monkeypatch.setenv("CREATIVEAI_API_KEY_FILE", str(tmp_path / "key"))
    given: list[str | None] = []
    monkeypatch.setattr(run, "serve_page", lambda api, *, api_key, **others: given.append(api_key))
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code
    assert given == [None if way == "none" else KEY]
