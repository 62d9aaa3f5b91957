"""Which server is asked, and with which key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from hmar.errors import ConfigError, shown

SERVER, KEY, KEY_FILE = "HMAR_SERVER", "HMAR_API_KEY", "HMAR_API_KEY_FILE"
DEFAULT_SERVER = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Server:
    """A server's address and the key for it, which no text of this value shows.

    Parameters
    ----------
    url : str
        Scheme, host, port and path, without a slash at the end.
    key : str
    """

    url: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, url: str | None, key: str | None, environment: Mapping[str, str]) -> Server:
        """Return the server that was named, or that the environment names.

        Parameters
        ----------
        url, key : str, optional
            Without them, HMAR_SERVER (else ``DEFAULT_SERVER``) and HMAR_API_KEY count, or else the file that
            HMAR_API_KEY_FILE names.
        environment : mapping of str to str

        Raises
        ------
        ConfigError
            If the address or the key cannot be used, there is no key, or others may read its file. The key is
            not repeated.
        """
        return cls(
            _checked_url(url or environment.get(SERVER) or DEFAULT_SERVER),
            _checked_key(key or environment.get(KEY) or _key_of_file(environment.get(KEY_FILE) or "")),
        )


def _checked_url(url: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "The server's address is no address.", f"Give one such as {DEFAULT_SERVER}, or set {SERVER}."
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(
            "The server's address holds more than scheme, host, port and path.",
            f"Leave names, passwords and queries out; the key is an argument of its own, or {KEY}.",
        )
    return url.rstrip("/")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _key_of_file(name: str) -> str:
    """Return what a file holds that only its owner may read; nothing where no file is named."""
    if not name:
        return ""
    try:
        with Path(name).open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(
                    f"Others may read {shown(name)}, which {KEY_FILE} names.", "Run 'chmod 600' on it."
                )
            return file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The key cannot be read from {shown(name)}, which {KEY_FILE} names.",
            "Give a file whose first line is a key, readable by its owner alone.",
        ) from error


def _checked_key(key: str) -> str:
    """Return a key that a header can hold: an HTTP library would quote another in its error."""
    key = key.strip()
    if not key:
        raise ConfigError(
            "There is no key.",
            f"Set {KEY} or {KEY_FILE}, or give one in Python; 'hmar keys new NAME' makes it.",
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigError(
            "The key holds a space or a character that is not ASCII.",
            "Give one line as 'hmar keys new NAME' printed it.",
        )
    return key
