"""Addresses of pictures that work without a key for an hour: an <img> can't send one.

They are signed with the digest of the key that asked for them, so that no other secret is needed, several
servers with the same keys know each other's addresses, and they end with their key.
"""

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlencode

from creativeai.server.keys import ApiKey, KeyFile

SIGNED_SECONDS = 60 * 60
"""How long an address is good, as OpenAI's are."""


def sign(key: ApiKey, fields: Iterable[tuple[str, str]], expires: int) -> str:
    """The `token` that lets whoever has it see this one picture.

    Args:
        key: Whose address it is.
        fields: All other fields of the address.
        expires: Unix time at which it ends.
    """
    return f"{key.name}.{expires}.{_signature(key, fields, expires)}"


def signer(keys: KeyFile, fields: Iterable[tuple[str, str]], token: str, now: float) -> ApiKey | None:
    """Whose key signed this address; None if nobody's, or it has ended, or the key has."""
    name, _, rest = token.rpartition(".")[0].rpartition(".")
    if not rest.isascii() or not rest.isdigit() or len(rest) > 12 or int(rest) < now:
        return None
    key = keys.named(name)
    if key is None:
        return None
    expected = sign(key, fields, int(rest))
    return key if hmac.compare_digest(expected.encode(), token.encode("utf-8", "surrogatepass")) else None


def _signature(key: ApiKey, fields: Iterable[tuple[str, str]], expires: int) -> str:
    message = urlencode([*sorted(fields), ("expires", str(expires))], errors="surrogatepass")
    return hmac.new(key.digest, message.encode("ascii"), hashlib.sha256).hexdigest()
