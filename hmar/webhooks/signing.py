"""Signatures of deliveries, and the secrets that they are made with.

A secret is kept nowhere: HKDF-SHA256 (RFC 5869) derives it from the archive's key and the subscription's id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "hmarwh_"
VERSION = "v1"
_SIZE = hashlib.sha256().digest_size


def secret_of(key: bytes, webhook_id: str) -> str:
    """Return the secret of a subscription, in printable characters.

    Parameters
    ----------
    key : bytes
        Of the archive; :attr:`hmar.secrets.Secrets.webhooks`.
    webhook_id : str
    """
    derived = hkdf(key, b"", f"hmar webhook {webhook_id}".encode(), _SIZE)
    return PREFIX + base64.urlsafe_b64encode(derived).decode().rstrip("=")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a delivery: HMAC-SHA256 in hex over the timestamp, a dot, and the body.

    Parameters
    ----------
    secret : str
        Its characters are the key.
    timestamp : int
        Seconds since the epoch, as the delivery tells them.
    body : bytes
    """
    signed = hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"{VERSION}={signed.hex()}"


def hkdf(key: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """Derive key material: HKDF with SHA-256 (RFC 5869, sections 2.2 and 2.3).

    Parameters
    ----------
    key, salt, info : bytes
    size : int
        Bytes to derive, up to 8160.
    """
    extracted = hmac.digest(salt or bytes(_SIZE), key, hashlib.sha256)
    block, derived = b"", b""
    for number in range(1, -(-size // _SIZE) + 1):
        block = hmac.digest(extracted, block + info + bytes([number]), hashlib.sha256)
        derived += block
    return derived[:size]
