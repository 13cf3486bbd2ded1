import logging
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.errors import UserError
from creativeai.server.keys import KeyFile, parse_keys

ALICE, BOB = "a" * 16, "b" * 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.write_text(f"# who may ask\n\nalice:{ALICE}\n  {BOB}  \n")
    return file


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)
    later = time.time_ns() + 10**9  # a clock as coarse as it may be
    os.utime(path, ns=(later, later))


def test_keys_are_found_with_their_names(path: Path) -> None:
    keys = KeyFile(path)
    alice, bob = keys.find(ALICE), keys.find(BOB)
    assert alice is not None and alice.name == "alice" and keys.named("alice") == alice
    assert bob is not None and bob.name.startswith("key-")
    assert keys.find(ALICE + "a") is keys.find("") is keys.find("alice") is keys.find("\ud800é") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key"),
        ("# none\n\n", "no key"),
        ("short", "line 1: a key has 16"),
        ("alice: two words are no key", "line 1: a key has"),
        (f"al ice:{ALICE}", "line 1: a name has"),
        (f":{ALICE}", "line 1: a name has"),
        (f"{ALICE}\nbob:{ALICE}", "line 2: this name or key"),
        (f"bob:{ALICE}\nbob:{BOB}", "line 2: this name or key"),
        ("\n".join(f"{i:0>20}" for i in range(1001)), "line 1001: there are more than 1000"),
        ("x" * 300_000, "bytes: is it a file of keys"),
    ],
)
def test_file_that_is_wrong_is_one_line_without_any_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        KeyFile(file)
    message = str(caught.value)
    assert message.startswith("--api-keys: ")
    assert said in message and str(file) in message
    assert ALICE not in message and "\n" not in message


def test_file_that_cant_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read: No such file"):
        KeyFile(tmp_path / "none")
    with pytest.raises(UserError, match="can't be read: Is a directory"):
        KeyFile(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no text"):
        KeyFile(tmp_path / "binary")


def test_a_change_counts_at_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = KeyFile(path)
    with caplog.at_level(logging.INFO):
        rewrite(path, f"carol:{'c' * 16}\n")
    assert keys.find(ALICE) is None
    assert keys.find("c" * 16) is not None
    rewrite(path, "")
    assert keys.find("c" * 16) is None, "an empty file withdraws all"


def test_wrong_lines_let_nobody_in_and_the_others_count(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = KeyFile(path)
    rewrite(path, f"alice:{ALICE}\nshort\n")
    assert keys.find(ALICE) is not None
    assert keys.find("short") is keys.find(BOB) is None
    assert "line 2" in caplog.text


def test_file_that_is_gone_leaves_the_keys_good_until_it_is_back(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeyFile(path)
    path.unlink()
    assert keys.find(ALICE) is not None and keys.find(BOB) is not None
    assert caplog.text.count("can't be read again") == 1
    rewrite(path, f"alice:{ALICE}")
    assert keys.find(ALICE) is not None and keys.find(BOB) is None


@given(st.text())
def test_any_text_is_parsed(text: str) -> None:
    parsed = parse_keys(text)
    assert len({key.name for key in parsed.keys}) == len(parsed.keys)


KEYS = st.text("abcXYZ019._~+/=-", min_size=16, max_size=40)


@given(st.dictionaries(st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z"), KEYS, max_size=8))
def test_what_is_written_is_read(keys: dict[str, str]) -> None:
    distinct = {key: name for name, key in keys.items()}
    parsed = parse_keys("\n".join(f"{name}:{key}" for key, name in distinct.items()))
    assert not parsed.problems
    assert [key.name for key in parsed.keys] == list(distinct.values())
