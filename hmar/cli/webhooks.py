"""``hmar webhooks``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from hmar.cli.places import client
from hmar.cli.settings import settings_from_environment
from hmar.cli.tables import print_table
from hmar.values.webhooks import WebhookInfo
from hmar.webhooks.subscribing import Subscriptions
from hmar.wiring import build_engine

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON, as the API does.")


@click.group()
def webhooks() -> None:
    """Send what is indexed and deleted to receivers, signed.

    The running product sends. Each change comes at least once and in order; docs/integration.md has the code
    with which a receiver verifies a signature.

    \b
    Examples:
      hmar webhooks add ris https://ris.example/hmar --collection default
      hmar webhooks list
      hmar webhooks enable ris
      hmar webhooks remove ris
    """


def _subscriptions() -> Subscriptions:
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    return engine.subscriptions


@webhooks.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME",
    help="Send changes of this collection alone; may come several times. Those of all by default.",
)
@click.option(
    "--after",
    type=click.IntRange(0),
    help="Number of the last change that the receiver knows, 0 for none. What is to come by default.",
)
@_JSON
def add(name: str, url: str, collections: Sequence[str], after: int | None, as_json: bool) -> None:
    """Send changes to URL from now on, and print the secret that signs them.

    The secret is not shown again. URL is https; addresses of this machine and of a cloud's metadata are
    refused unless HMAR_WEBHOOK_NETWORKS names them.

    \b
    Examples:
      hmar webhooks add ris https://ris.example/hmar
      hmar webhooks add study https://10.0.0.7/changes --collection lung --after 0
    """
    asked = client()
    if asked is None:
        chosen = frozenset(collections) or None
        info, secret = _subscriptions().add(name, url, chosen, after)
    else:
        info, secret = asked.add_webhook(name, url, collections=list(collections) or None, after=after)
    click.echo(json.dumps({**info.to_dict(), "secret": secret}) if as_json else secret)


@webhooks.command("list")
@_JSON
def list_webhooks(as_json: bool) -> None:
    """List the webhooks, how far each is, and what is wrong.

    \b
    Example:
      hmar webhooks list
    """
    asked = client()
    found = _subscriptions().listed() if asked is None else asked.webhooks()
    if as_json:
        click.echo(json.dumps({"webhooks": [one.to_dict() for one in found]}))
        return
    columns = ("name", "state", "after", "lag", "deliveries", "collections", "url", "reason")
    print_table(columns, map(_row, found))


@webhooks.command()
@click.argument("name")
def remove(name: str) -> None:
    """Send nothing more to the webhook NAME.

    \b
    Example:
      hmar webhooks remove ris
    """
    asked = client()
    if asked is None:
        _subscriptions().remove(name)
    else:
        asked.remove_webhook(name)
    click.echo(f"The webhook {name!r} was removed.")


@webhooks.command()
@click.argument("name")
def enable(name: str) -> None:
    """Go on with the webhook NAME where it stopped, at once.

    \b
    Example:
      hmar webhooks enable ris
    """
    asked = client()
    if asked is None:
        _subscriptions().enable(name)
    else:
        asked.enable_webhook(name)
    click.echo(f"The webhook {name!r} goes on.")


def _row(one: WebhookInfo) -> tuple[object, ...]:
    state = "disabled" if one.disabled else "failing" if one.failures else "well"
    among = "all" if one.collections is None else ",".join(one.collections)
    return (one.name, state, one.after, one.lag, one.deliveries, among, one.url, one.reason)
