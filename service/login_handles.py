"""How the page tells logins apart: what one reader left in a browser is not for the next."""

from __future__ import annotations

import hashlib
import hmac

from hmar.values.identity import Identity

_LENGTH = 16


def handle_of(identity: Identity, secret: bytes) -> str:
    """Return one text for all logins of a name with the same rights; it tells neither."""
    collections = "*" if identity.collections is None else ",".join(sorted(identity.collections))
    said = "\n".join(("page", identity.name, ",".join(sorted(identity.scopes)), collections))
    return hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()[:_LENGTH]
