"""What proves who asks a PACS, asked for with every request: it may be renewed at any time."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import Transport
from hmar.errors import PacsError

EARLY_S = 5.0
"""A token is renewed so long before its end, or after half its life if that is shorter."""
_LONGEST_TOKEN = 1 << 16
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class Credentials(Protocol):
    """Who asks."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that prove it now."""

    def renew(self) -> bool:
        """Renew what was refused; return whether another attempt can go better."""


def credentials_of(
    site: Site, transport: Transport, clock: Callable[[], float] = time.monotonic
) -> Credentials:
    """Return the credentials that a site's file names."""
    values = site.auth.values
    if site.auth.kind == "basic":
        return Basic(site.name, values["user"], Path(values["password_file"]))
    if site.auth.kind == "bearer":
        return TokenFile(site.name, Path(values["token_file"]))
    if site.auth.kind == "oauth2":
        return TokenService(site.name, values, transport, clock)
    return Nobody()


class Nobody:
    """No credentials."""

    def headers(self) -> Mapping[str, str]:
        """Return none."""
        return {}

    def renew(self) -> bool:
        """Return False: there is nothing to renew."""
        return False


class Basic:
    """User and password (RFC 7617); the password is in a file."""

    def __init__(self, site: str, user: str, password: Path) -> None:
        self._site, self._user, self._password = site, user, password

    def headers(self) -> Mapping[str, str]:
        """Return them, read anew."""
        pair = f"{self._user}:{_secret(self._site, self._password)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def renew(self) -> bool:
        """Return False: the password was read anew."""
        return False


class TokenFile:
    """A bearer token that somebody else renews in a file."""

    def __init__(self, site: str, token: Path) -> None:
        self._site, self._token = site, token

    def headers(self) -> Mapping[str, str]:
        """Return it, read anew."""
        return {"Authorization": f"Bearer {_secret(self._site, self._token)}"}

    def renew(self) -> bool:
        """Return True: the file may have been written while the request was under way."""
        return True


class TokenService:
    """Bearer tokens of an OAuth 2 server, by our own id and secret (RFC 6749 4.4). Thread-safe."""

    def __init__(
        self, site: str, values: Mapping[str, str], transport: Transport, clock: Callable[[], float]
    ) -> None:
        self._site, self._values, self._transport, self._clock = site, values, transport, clock
        self._lock = threading.Lock()
        self._token, self._end = "", float("-inf")

    def headers(self) -> Mapping[str, str]:
        """Return a token that is still valid."""
        with self._lock:
            if self._clock() >= self._end:
                self._ask()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Forget the token."""
        with self._lock:
            self._end = float("-inf")
        return True

    def _ask(self) -> None:
        fields = {
            "grant_type": "client_credentials",
            "client_id": self._values["client_id"],
            "client_secret": _secret(self._site, Path(self._values["client_secret_file"])),
        }
        if "scope" in self._values:
            fields["scope"] = self._values["scope"]
        begun = self._clock()
        answer = self._transport.send(
            "POST", self._values["token_url"], _FORM, _LONGEST_TOKEN, urlencode(fields).encode()
        )
        told = _table(answer.data[:])
        token, life = told.get("access_token"), told.get("expires_in", 60)
        if answer.status != 200 or not _is_token(token) or not isinstance(life, int | float):
            raise PacsError(
                f"The token server of the PACS {self._site} gave no token (status {answer.status}).",
                f"Check token_url, client_id, client_secret_file and scope in [{self._site}.auth].",
            )
        self._token, self._end = str(token), begun + max(life - EARLY_S, life / 2)


def _table(data: bytes) -> Mapping[str, object]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _is_token(value: object) -> bool:
    """Whether a value can stand in a header."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != ""


def _secret(site: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PacsError(
            f"The file {path.name} of the PACS {site} cannot be read.", f"Check it in [{site}.auth]."
        ) from error
    if not text or not text.isprintable():
        raise PacsError(
            f"The file {path.name} of the PACS {site} is empty, or not one line of text.",
            "Write the secret alone into it.",
        )
    return text
