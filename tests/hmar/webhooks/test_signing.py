"""Signatures and secrets, by the vectors of RFC 5869 and by another way to compute them."""

from __future__ import annotations

import hashlib
import hmac

from hmar.webhooks.signing import PREFIX, hkdf, secret_of, signature


def test_key_material_is_that_of_rfc_5869() -> None:
    """Appendices A.1, A.2 and A.3."""
    short = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert short.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    long = hkdf(bytes(range(0x50)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100)), 82)
    assert long.hex() == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da"
        "3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )
    bare = hkdf(b"\x0b" * 22, b"", b"", 42)
    assert bare.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_each_webhook_has_a_secret_of_its_own_which_is_always_the_same() -> None:
    key = bytes(32)
    assert secret_of(key, "a") == secret_of(key, "a")
    assert len({secret_of(key, "a"), secret_of(key, "b"), secret_of(b"\x01" * 32, "a")}) == 3
    assert secret_of(key, "a").startswith(PREFIX)
    assert len(secret_of(key, "a")) == len(PREFIX) + 43


def test_a_signature_covers_the_timestamp_and_every_byte_of_the_body() -> None:
    expected = hmac.new(b"hmarwh_x", b"1700000000.{}", hashlib.sha256).hexdigest()
    assert signature("hmarwh_x", 1_700_000_000, b"{}") == f"v1={expected}"
    told = {
        signature(secret, at, body)
        for secret in ("hmarwh_x", "hmarwh_y")
        for at in (1, 2)
        for body in (b"", b"a")
    }
    assert len(told) == 8
