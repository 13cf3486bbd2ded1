"""The file of API keys: who may ask.

A line is `KEY`, or `NAME:KEY` so that the log can say whose it was; lines that begin with # are comments.
Only digests of the keys are kept.
"""

import hashlib
import hmac
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from creativeai.errors import UserError

logger = logging.getLogger(__name__)

_MAX_BYTES = 256 * 1024
_MAX_KEYS = 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What fits behind `Authorization: Bearer` (RFC 6750), and nobody guesses.
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key."""

    name: str
    digest: bytes


@dataclass(frozen=True)
class ParsedKeys:
    """What a file of keys says."""

    keys: tuple[ApiKey, ...]
    problems: tuple[str, ...]
    """What is wrong with its other lines; no problem shows any part of a key."""


def parse_keys(text: str) -> ParsedKeys:
    """Read the lines of a file of keys; those that are wrong become problems."""
    keys: dict[str, ApiKey] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        name, separator, key = (part.strip() for part in words.rpartition(":"))
        digest = digest_of(key)
        name = name if separator else f"key-{digest.hex()[:8]}"
        if not _NAME.fullmatch(name):
            problems.append(f"line {number}: a name has 1 to 64 letters, digits and . _ -")
        elif not _KEY.fullmatch(key):
            problems.append(f"line {number}: a key has 16 to 256 letters, digits and . _ ~ + / = -")
        elif name in keys or any(digest == other.digest for other in keys.values()):
            problems.append(f"line {number}: this name or key was there before")
        elif len(keys) == _MAX_KEYS:
            problems.append(f"line {number}: there are more than {_MAX_KEYS} keys")
            break
        else:
            keys[name] = ApiKey(name, digest)
    return ParsedKeys(tuple(keys.values()), tuple(problems))


def digest_of(key: str) -> bytes:
    """What is kept of a key: SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


class KeyFile:
    """The keys of a file, which is read again when it changes.

    While it can't be read the keys before are good; a line that is wrong lets nobody in, and the log says so.

    Args:
        path: The file.

    Raises:
        UserError: It can't be read, has no key, or a line that is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stamp = self._look()
            parsed = parse_keys(_read(path))
        except OSError as error:
            raise UserError(f"--api-keys: {path} can't be read: {error.strerror}") from None
        except ValueError as error:
            raise UserError(f"--api-keys: {path} {error}") from None
        if parsed.problems:
            raise UserError(f"--api-keys: {path} {parsed.problems[0]}")
        if not parsed.keys:
            raise UserError(f"--api-keys: {path} has no key: write one a line, such as name:key")
        self._keys = parsed.keys

    def find(self, key: str) -> ApiKey | None:
        """The key, if it is one of these. It takes the same time whichever it is."""
        digest = digest_of(key)
        found = None
        for known in self._current():
            if hmac.compare_digest(known.digest, digest):
                found = known
        return found

    def named(self, name: str) -> ApiKey | None:
        """The key of that name."""
        return next((key for key in self._current() if key.name == name), None)

    def _current(self) -> tuple[ApiKey, ...]:
        try:
            stamp = self._look()
        except OSError as error:
            stamp = (error.errno or 0, 0, 0)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read_again()
        return self._keys

    def _look(self) -> tuple[int, int, int]:
        status = self.path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read_again(self) -> None:
        try:
            parsed = parse_keys(_read(self.path))
        except (OSError, ValueError) as error:
            logger.error("the API keys can't be read again, those before stay good: %s", error)
            return
        self._keys = parsed.keys
        logger.info("the API keys were read again: there are %d", len(parsed.keys))
        for problem in parsed.problems:
            logger.error("a line of the API keys is wrong and lets nobody in: %s", problem)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"has more than {_MAX_BYTES} bytes: is it a file of keys?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is no text in UTF-8: is it a file of keys?") from None
