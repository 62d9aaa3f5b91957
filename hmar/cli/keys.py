"""``hmar keys``."""

from __future__ import annotations

import click

from hmar.cli.settings import read_if_there, settings_from_environment
from hmar.errors import NotFoundError
from hmar.product.greeting import login_link, service_url
from hmar.wiring import Engine, build_engine


@click.group()
def keys() -> None:
    """Make, list and revoke API keys; make a login link.

    A key is shown once, when it is made: the database keeps a digest of it only.

    \b
    Examples:
      hmar keys new pacs
      hmar keys list
      hmar keys revoke pacs
      hmar keys login
    """


def _engine() -> Engine:
    """Open the archive, which makes its folder where there is none: only once a command runs."""
    return build_engine(settings_from_environment())


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make an API key called NAME and print it.

    It cannot be shown again: only a digest of it is kept.

    \b
    Example:
      hmar keys new pacs
    """
    click.echo(_engine().keys.create(name))


@keys.command("list")
def list_keys() -> None:
    """List the names of the keys that are valid, one a line; where there is none, say so on stderr.

    \b
    Example:
      hmar keys list
    """
    names = _engine().keys.names()
    for name in names:
        click.echo(name)
    if not names:
        click.echo("There are no keys. Make one with 'hmar keys new NAME'.", err=True)


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the key called NAME; it stops working at once.

    \b
    Example:
      hmar keys revoke pacs
    """
    if not _engine().keys.revoke(name):
        raise NotFoundError(f"There is no key named {name!r}.", "See 'hmar keys list'.")
    click.echo(f"The key {name!r} was revoked.")


@keys.command()
def login() -> None:
    """Make a link that logs one browser in to the page, once, within 15 minutes.

    \b
    Example:
      hmar keys login
    """
    engine = _engine()
    url = read_if_there(engine.settings.home / "run" / "service.url") or service_url(engine.settings)
    click.echo(login_link(engine, url))
