"""The use case of subscribing to changes."""

from __future__ import annotations

from collections.abc import Callable

from hmar.errors import NotFoundError, ParameterError, shown
from hmar.ports import Catalogue, Receivers, WebhookStore
from hmar.values.names import checked_name
from hmar.values.webhooks import Webhook, WebhookInfo


class Subscriptions:
    """Who is told of changes.

    Parameters
    ----------
    store : WebhookStore
    catalogue : Catalogue
    receivers : Receivers
        Judges addresses.
    secret_of : callable
        Returns the secret of a subscription by its id.
    """

    def __init__(
        self,
        store: WebhookStore,
        catalogue: Catalogue,
        receivers: Receivers,
        secret_of: Callable[[str], str],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._receivers = receivers
        self._secret_of = secret_of

    def add(
        self, name: str, url: str, collections: frozenset[str] | None = None, after: int | None = None
    ) -> tuple[WebhookInfo, str]:
        """Subscribe, and return the subscription with its secret, the only time that it is shown.

        Parameters
        ----------
        name : str
        url : str
            By https; resolved and judged now, and again before each delivery.
        collections : frozenset of str or None
            Whose changes are sent; None for all.
        after : int, optional
            The last row of the log that the receiver knows, 0 for none. Without it, only what is to come is
            sent.

        Raises
        ------
        ParameterError
            If the name is taken or cannot be used, or nothing can be sent to the URL, or ``after`` lies
            beyond the log.
        """
        checked_name("webhook", name)
        for collection in collections or ():
            checked_name("collection", collection)
        if collections is not None and not collections:
            raise ParameterError("No collection was given.", "Name one, or leave collections out for all.")
        end = self._catalogue.last_seq()
        if after is not None and not 0 <= after <= end:
            raise ParameterError(f"after is {after}.", f"Give a row of the log, from 0 to {end}.")
        self._receivers.check(url)
        webhook = self._store.add(name, url, collections, end if after is None else after)
        return self._info(webhook), self._secret_of(webhook.webhook_id)

    def listed(self) -> list[WebhookInfo]:
        """Return the subscriptions in order of their names."""
        return [self._info(webhook) for webhook in self._store.listed()]

    def remove(self, name: str) -> None:
        """End a subscription; raises NotFoundError if there is none."""
        if not self._store.remove(name):
            raise _unknown(name)

    def enable(self, name: str) -> WebhookInfo:
        """Let a subscription go on at once where it stopped; raises NotFoundError if there is none."""
        webhook = self._store.enable(name)
        if webhook is None:
            raise _unknown(name)
        return self._info(webhook)

    def _info(self, webhook: Webhook) -> WebhookInfo:
        return WebhookInfo.of(webhook, self._catalogue.last_seq())


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"There is no webhook named {shown(name)}.", "List those that there are.")
