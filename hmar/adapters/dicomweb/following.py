"""How a PACS is followed, as its table in the file of PACS says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hmar.adapters.dicomweb.given import check_known, number, url
from hmar.errors import ConfigError, ParameterError, shown
from hmar.values.follows import FOLLOW_KINDS, Follow
from hmar.values.names import checked_name
from hmar.values.pulls import Pull, day_of

_NUMBERS = {"every_s": False, "sweep_s": False, "days": True}
"""Each with whether it is a whole number."""
_MOST_DAYS = 36_500
_WANTED = ("modality", "since")


def follow_of(name: str, table: object, plain_http: bool = False) -> Follow:
    """Return how a PACS is followed; by http where ``plain_http`` says so.

    Raises
    ------
    ConfigError
        If something in it cannot be used; the error names the PACS and the key.
    """
    section = f"{name}.follow"
    if not isinstance(table, dict):
        raise ConfigError(f"{section} is no table.", f"Begin it with [{section}].")
    kind = table.get("kind")
    if kind not in FOLLOW_KINDS:
        raise ConfigError(f"{section} has {shown(kind)} as kind.", f"Give one of {', '.join(FOLLOW_KINDS)}.")
    own = "root" if kind == "orthanc" else "days"
    known = {"kind", "collection", "most_deleted", *_WANTED, *_NUMBERS} - {"days"} | {own}
    check_known(section, table, known)
    values: dict[str, Any] = {
        key: number(section, key, table[key], whole) for key, whole in _NUMBERS.items() if key in table
    }
    if values.get("days", 0) > _MOST_DAYS:
        raise ConfigError(f"{section} has {values['days']} as days.", f"Give {_MOST_DAYS} at most.")
    if "most_deleted" in table:
        values["most_deleted"] = _share(section, "most_deleted", table["most_deleted"])
    if kind == "orthanc":
        values["root"] = url(section, "orthanc", table.get("root"), plain_http)
    try:
        if "collection" in table:
            values["collection"] = checked_name("collection", table["collection"])
        return Follow(kind, _wanted(name, table), **values)
    except ParameterError as error:
        raise ConfigError(f"{section}: {error.detail}", error.remedy) from error


def _share(section: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{section} has {shown(value)} as {key}.", "Give a share from 0 to 1.")
    return float(value)


def _wanted(name: str, table: Mapping[str, object]) -> Pull:
    since, modality = table.get("since"), table.get("modality")
    if modality is not None and not isinstance(modality, str):
        raise ParameterError(f"The modality is {shown(modality)}.", "Give one such as CT, in capitals.")
    # TOML has dates of its own.
    first = since if since is None or type(since) is date else day_of(since)
    return Pull(name, modality=modality, since=first)
