"""Which identity provider (OpenID Connect) may say who asks, as the settings name it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hmar.errors import ConfigError, shown

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures (RFC 7518) by a key that the provider alone has: neither none, nor a shared one (HS256)."""
MOST_LEEWAY_S = 300.0


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """What is known of the provider, and what is asked of its tokens.

    Parameters
    ----------
    issuer : str
        Its URL, exactly as its tokens have it in ``iss``.
    audience : str
        What its tokens for this server have in ``aud``.
    roles_file : Path
        TOML file of what each role may do.
    algorithms : sequence of str
        Some of ``ALGORITHMS``.
    clients : sequence of str
        Programs that may ask for tokens (``azp`` or ``client_id``); none for all.
    name_claim, roles_claim : str
        Claims that hold who asks, and the roles. A dot leads into a claim.
    leeway_s : float
        How far the two clocks may be apart, in seconds.

    Raises
    ------
    ConfigError
        For what cannot be used; it names the setting.
    """

    issuer: str
    audience: str
    roles_file: Path
    algorithms: Sequence[str] = ("RS256", "ES256")
    clients: Sequence[str] = ()
    name_claim: str = "preferred_username"
    roles_claim: str = "roles"
    leeway_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what no token could fulfil, or anybody's."""
        if not is_safe_url(self.issuer) or urlsplit(self.issuer).query:
            raise ConfigError(
                f"HMAR_OIDC_ISSUER is {shown(self.issuer)}.",
                "Give its URL with https, without a query; http is for 127.0.0.1 and localhost alone.",
            )
        unknown = [name for name in self.algorithms if name not in ALGORITHMS]
        if unknown or not self.algorithms:
            raise ConfigError(
                f"HMAR_OIDC_ALGORITHMS has {shown(unknown[0])}."
                if unknown
                else "HMAR_OIDC_ALGORITHMS is empty.",
                f"Give some of {', '.join(ALGORITHMS)}, with commas.",
            )
        if not 0 <= self.leeway_s <= MOST_LEEWAY_S or math.isnan(self.leeway_s):
            raise ConfigError(
                f"HMAR_OIDC_LEEWAY_SECONDS is {self.leeway_s}.", f"Give 0 to {MOST_LEEWAY_S:.0f} seconds."
            )


def is_safe_url(url: str) -> bool:
    """Return whether a URL is one of https, or of http on this machine, without a password or fragment."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    bare = not (parts.username or parts.password or parts.fragment)
    printable = url.isascii() and url.isprintable() and " " not in url
    return (parts.scheme == "https" or plain) and bool(parts.hostname) and bare and printable


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or address."""
    return host in ("localhost", "127.0.0.1", "::1")
