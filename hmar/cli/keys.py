"""``hmar keys``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import click

from hmar.cli.settings import read_if_there, settings_from_environment
from hmar.errors import NotFoundError, ParameterError, shown
from hmar.product.greeting import login_link, service_url
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, SCOPES, Identity, KeyInfo, Scope, in_order
from hmar.values.names import checked_name
from hmar.wiring import Engine, build_engine

_UNITS_S = {"h": 3600, "d": 86_400, "w": 604_800}
_COLUMNS = ("name", "scopes", "collections", "expires", "last used")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys; make a login link.

    A key is shown once, when it is made: the database keeps a digest of it only.

    \b
    Examples:
      hmar keys new pacs
      hmar keys new lung-study --scope search --collection lung --expires 90d
      hmar keys list
      hmar keys revoke pacs
      hmar keys login
    """


def _engine() -> Engine:
    """Open the archive, which makes its folder where there is none: only once a command runs."""
    return build_engine(settings_from_environment())


def _rights(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a key or a login may do."""
    scope = click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice(SCOPES),
        help=f"What it may do; may come several times. Default: {' and '.join(in_order(EVERYDAY))}.",
    )
    collection = click.option(
        "--collection",
        "collections",
        multiple=True,
        metavar="NAME",
        help="Limit it to this collection; may come several times. All by default.",
    )
    return scope(collection(command))


def _identity(name: str, scopes: Sequence[str], collections: Sequence[str]) -> Identity:
    chosen = cast(frozenset[Scope], frozenset(scopes)) or EVERYDAY
    return Identity(name, chosen, frozenset(collections) or None)


@keys.command()
@click.argument("name")
@_rights
@click.option("--expires", metavar="TIME", help="When it stops working: in 12h, 90d or 8w. Never by default.")
def new(name: str, scopes: Sequence[str], collections: Sequence[str], expires: str | None) -> None:
    """Make an API key called NAME and print it.

    It cannot be shown again: only a digest of it is kept. The scopes: search finds, lists and shows; index
    adds images; label changes their labels; feedback keeps and reads judgements of hits; delete removes
    images; metrics reads figures at /metrics; admin is all of them. A key that is limited to collections sees
    nothing of others, and indexes only files that are sent with the request.

    \b
    Examples:
      hmar keys new pacs
      hmar keys new lung-study --scope search --collection lung --expires 90d
      hmar keys new archivist --scope admin
    """
    ttl_s = None if expires is None else _seconds(expires)
    click.echo(_engine().keys.create(_identity(name, scopes, collections), ttl_s))


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if found is None:
        raise ParameterError(
            f"--expires is {shown(text)}.", "Give a number of hours, days or weeks, such as 12h, 90d or 8w."
        )
    return float(int(found[1]) * _UNITS_S[found[2]])


@keys.command("list")
def list_keys() -> None:
    """List the keys: name, scopes, collections, when they expire, and when they were last used.

    Times are UTC. A use is written within a minute. Where there is no key, that is said on stderr.

    \b
    Example:
      hmar keys list
    """
    listed = _engine().keys.listed()
    if not listed:
        click.echo("There are no keys. Make one with 'hmar keys new NAME'.", err=True)
        return
    now = datetime.now(UTC).timestamp()
    rows = [_COLUMNS, *(_row(info, now) for info in listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(info: KeyInfo, now: float) -> tuple[str, ...]:
    identity, end = info.identity, info.expires_at
    return (
        identity.name,
        ",".join(in_order(identity.scopes)),
        "all" if identity.collections is None else ",".join(sorted(identity.collections)),
        f"{_time(end)} (expired)" if end is not None and end <= now else _time(end),
        _time(info.last_used_at),
    )


def _time(seconds: float | None) -> str:
    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the key called NAME; it stops working at once.

    \b
    Example:
      hmar keys revoke pacs
    """
    if not _engine().keys.revoke(name):
        raise NotFoundError(f"There is no key named {shown(name)}.", "See 'hmar keys list'.")
    click.echo(f"The key {name!r} was revoked.")


@keys.command()
@_rights
@click.option("--name", metavar="NAME", help="Who logs in, for the audit log.")
def login(scopes: Sequence[str], collections: Sequence[str], name: str | None) -> None:
    """Make a link that logs one browser in to the page, once, within 15 minutes.

    A login may search and index, unless scopes are given; see 'hmar keys new'.

    \b
    Examples:
      hmar keys login
      hmar keys login --name anna --scope search --collection teaching
    """
    who = PAGE_LOGIN if name is None else f"{PAGE_LOGIN} {checked_name('login', name)}"
    engine = _engine()
    url = read_if_there(engine.settings.home / "run" / "service.url") or service_url(engine.settings)
    click.echo(login_link(engine, url, _identity(who, scopes, collections)))
