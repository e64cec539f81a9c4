"""The hash under which the org stores a token or a code, so that its files hold none that would be accepted."""

import hashlib


def secret_hash(secret: str) -> bytes:
    """Return the hash of a secret that callers hand in; any text has one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
