"""Values of the file of PACS, each checked, with errors that name the PACS and the key."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from hmar.errors import ConfigError, shown

_URL = re.compile(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?")
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?(?:/.*)?")


def check_known(name: str, table: Mapping[str, object], known: Collection[str]) -> None:
    """Raise ConfigError for a key that is not known."""
    if unknown := sorted(table.keys() - known):
        raise ConfigError(f"{name} has {shown(unknown[0])}.", f"Known are {', '.join(sorted(known))}.")


def url(name: str, service: str, value: object, plain_http: bool = False) -> str:
    """Return the root of a service, without a slash at the end or two in a row."""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        raise ConfigError(
            f"{name} has {shown(value)} as root of {service.upper()}.",
            "Give a URL such as https://pacs.example/dicom-web, without user, password or question mark.",
        )
    if value.startswith("http://") and not plain_http and not _LOOPBACK.fullmatch(value):
        raise ConfigError(
            f"{name} is asked by http at {shown(value)}: patients' data would be sent unencrypted.",
            "Give an https address; http only on this machine, or between its containers with plain_http.",
        )
    scheme, _, rest = value.partition("://")
    return f"{scheme}://{re.sub('/+', '/', rest).rstrip('/')}"


def file(name: str, key: str, value: object, folder: Path) -> Path:
    """Return a file's path; a relative one is beside the file of PACS."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name} has {shown(value)} as {key}.", "Give the path of a file.")
    return folder / value


def number(name: str, key: str, value: object, whole: bool = False) -> float | int:
    """Return a number above 0."""
    kind = int if whole else float
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise ConfigError(f"{name} has {shown(value)} as {key}.", "Give a number above 0.")
    if kind(value) != value:
        raise ConfigError(f"{name} has {shown(value)} as {key}.", "Give a whole number.")
    return kind(value)
