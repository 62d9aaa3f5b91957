"""``hmar keys``."""

from __future__ import annotations

import click

from hmar.cli.settings import settings_from_environment
from hmar.errors import NotFoundError
from hmar.product.greeting import login_link, service_url
from hmar.wiring import Engine, build_engine


@click.group()
@click.pass_context
def keys(ctx: click.Context) -> None:
    """Make, list and revoke API keys; make a login link.

    A key is shown once, when it is made: the database keeps a digest of it only.

    \b
    Examples:
      hmar keys new pacs
      hmar keys list
      hmar keys revoke pacs
      hmar keys login
    """
    ctx.obj = build_engine(settings_from_environment())


@keys.command()
@click.argument("name")
@click.pass_obj
def new(engine: Engine, name: str) -> None:
    """Make an API key called NAME and print it.

    It cannot be shown again: only a digest of it is kept.

    \b
    Example:
      hmar keys new pacs
    """
    click.echo(engine.keys.create(name))


@keys.command("list")
@click.pass_obj
def list_keys(engine: Engine) -> None:
    """List the names of the keys that are valid.

    \b
    Example:
      hmar keys list
    """
    for name in engine.keys.names():
        click.echo(name)


@keys.command()
@click.argument("name")
@click.pass_obj
def revoke(engine: Engine, name: str) -> None:
    """Revoke the key called NAME; it stops working at once.

    \b
    Example:
      hmar keys revoke pacs
    """
    if not engine.keys.revoke(name):
        raise NotFoundError(f"There is no key named {name!r}.", "See 'hmar keys list'.")
    click.echo(f"The key {name!r} was revoked.")


@keys.command()
@click.pass_obj
def login(engine: Engine) -> None:
    """Make a link that logs one browser in to the page, once, within 15 minutes.

    \b
    Example:
      hmar keys login
    """
    running = engine.settings.home / "run" / "service.url"
    url = running.read_text().strip() if running.exists() else service_url(engine.settings)
    click.echo(login_link(engine, url))
