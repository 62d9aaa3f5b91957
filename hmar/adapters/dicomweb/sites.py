"""The PACS that a site names in a file, and how each is asked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hmar.adapters.dicomweb.following import follow_of
from hmar.adapters.dicomweb.given import check_known, file, number, url
from hmar.errors import ConfigError, shown
from hmar.values.follows import Follow
from hmar.values.links import Template
from hmar.values.pulls import SITE

AuthKind = Literal["none", "basic", "bearer", "oauth2"]
_NEEDS: dict[AuthKind, frozenset[str]] = {
    "none": frozenset(),
    "basic": frozenset({"user", "password_file"}),
    "bearer": frozenset({"token_file"}),
    "oauth2": frozenset({"token_url", "client_id", "client_secret_file"}),
}
_MAY = {"oauth2": frozenset({"scope"})}
_SECONDS = {"connect_s": 5.0, "read_s": 60.0, "total_s": 600.0}
_COUNTS = {"page": 200, "tries": 4}
_FILES = ("ca_file", "client_cert", "client_key")


@dataclass(frozen=True, slots=True)
class Auth:
    """Who asks.

    Parameters
    ----------
    kind : str
        ``bearer`` reads its token from a file at each request, so that whoever writes the file renews it.
    values : mapping of str to str
        What the kind needs: names of files for all that is secret.
    """

    kind: AuthKind = "none"
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """One PACS.

    Parameters
    ----------
    name : str
    qido, wado : str
        Roots of the two services, without a slash at the end.
    stow : str or None
        Root of what is stored to; None where nothing is.
    viewer : Template or None
        Address of a frame in a viewer of the site.
    auth : Auth
    ca_file, client_cert, client_key : Path or None
        PEM files: certificates to trust in place of the system's, and our own.
    connect_s, read_s, total_s : float
        Longest time to connect, longest silence, and longest time of one request in all, in seconds.
    page : int
        Rows that a query asks for at a time.
    tries : int
        Of one request that fails for want of room or of a connection, the first included.
    follow : Follow or None
        How it is followed, None where it is not.
    """

    name: str
    qido: str
    wado: str
    stow: str | None = None
    viewer: Template | None = None
    auth: Auth = Auth()
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    connect_s: float = _SECONDS["connect_s"]
    read_s: float = _SECONDS["read_s"]
    total_s: float = _SECONDS["total_s"]
    page: int = _COUNTS["page"]
    tries: int = _COUNTS["tries"]
    follow: Follow | None = None


def read_sites(path: Path) -> dict[str, Site]:
    """Read the file of PACS; there are none where there is no file.

    Raises
    ------
    ConfigError
        If it cannot be read, or something in it cannot be used; the error names the PACS and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file of PACS, {path.name}, cannot be read.", "Check its rights.") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's own text quotes a line and a column, and none of the file.
        raise ConfigError(f"{path.name} is no TOML: {error}.", "See docs/pacs.md for an example.") from error
    return {name: _site(name, table, path.parent) for name, table in tables.items()}


def _site(name: str, table: object, folder: Path) -> Site:
    if not re.fullmatch(SITE, name):
        raise ConfigError(f"A PACS is called {shown(name)}.", "Use a-z, 0-9 and hyphens, 32 at most.")
    if not isinstance(table, dict):
        raise ConfigError(f"{name} is no table.", f"Begin it with [{name}].")
    known = {
        "root",
        "qido",
        "wado",
        "stow",
        "viewer",
        "plain_http",
        "auth",
        "follow",
        *_FILES,
        *_SECONDS,
        *_COUNTS,
    }
    check_known(name, table, known)
    plain = table.get("plain_http", False)
    if not isinstance(plain, bool):
        raise ConfigError(f"{name} has {shown(plain)} as plain_http.", "Give true, or leave it out.")
    roots = {
        service: url(name, service, table.get(service, table.get("root")), plain)
        for service in ("qido", "wado")
    }
    stow, viewer = table.get("stow", table.get("root")), table.get("viewer")
    files = {key: file(name, key, table[key], folder) for key in _FILES if key in table}
    if ("client_cert" in files) != ("client_key" in files):
        raise ConfigError(f"{name} has one of client_cert and client_key.", "Give both, or none.")
    numbers = {
        key: number(name, key, table.get(key, default), whole=key in _COUNTS)
        for key, default in (_SECONDS | _COUNTS).items()
    }
    values: dict[str, Any] = roots | files | numbers
    return Site(
        name,
        stow=None if stow is None else url(name, "stow", stow, plain),
        viewer=None if viewer is None else Template.parse(name, viewer),
        auth=_auth(name, table.get("auth", {}), folder),
        follow=follow_of(name, table["follow"], plain) if "follow" in table else None,
        **values,
    )


def _auth(name: str, table: object, folder: Path) -> Auth:
    if not isinstance(table, dict):
        raise ConfigError(f"{name} has an auth that is no table.", f"Begin it with [{name}.auth].")
    kind = table.get("kind", "none")
    if kind not in _NEEDS:
        raise ConfigError(f"{name} has {shown(kind)} as auth.", f"Give one of {', '.join(_NEEDS)}.")
    needed, may = _NEEDS[kind], _MAY.get(kind, frozenset())
    check_known(f"{name}.auth", table, needed | may | {"kind"})
    if missing := sorted(needed - table.keys()):
        raise ConfigError(
            f"{name}.auth is {kind} and has no {missing[0]}.", f"It needs {', '.join(sorted(needed))}."
        )
    values = {}
    for key in (needed | may) & table.keys():
        value = table[key]
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{name}.auth has {shown(value)} as {key}.", "Give a text.")
        values[key] = str(folder / value) if key.endswith("_file") else value
    if kind == "oauth2":
        values["token_url"] = url(name, "token_url", values["token_url"])
    return Auth(kind, values)
