"""The key that the page's server sends to the API. It never reaches a browser."""

import re
from pathlib import Path

from creativeai.errors import UserError

_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_MAX_BYTES = 64 * 1024


def read_api_key(path: Path) -> str:
    """The key in a file: its first line that is no comment, as the API's own file of keys has it.

    Raises:
        UserError: The file can't be read or has no key.
    """
    option = f"--api-key-file {path}"
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{option} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{option} is no text: it should have the API's key in its first line") from None
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return check_api_key(first.rpartition(":")[2].strip(), option)


def check_api_key(key: str, source: str) -> str:
    """The key, if it can be one.

    Raises:
        UserError: It can't be sent in a header; the message does not show it.
    """
    if not _KEY.fullmatch(key):
        raise UserError(f"{source} has no key: it is made of letters, digits and . _ ~ + / = -")
    return key
