"""Webhooks of a server."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from hmar.client.api import Api, read
from hmar.client.queries import given
from hmar.values.webhooks import WebhookInfo

WEBHOOKS = "/api/v1/webhooks"


class ClientWebhooks:
    """Subscriptions to changes, for a key with the scope admin. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def webhooks(self) -> list[WebhookInfo]:
        """List the webhooks in order of name."""
        answer = self._api.get(WEBHOOKS)
        return read(answer, lambda told: [WebhookInfo.from_dict(one) for one in told["webhooks"]])

    def add_webhook(
        self, name: str, url: str, *, collections: Sequence[str] | None = None, after: int | None = None
    ) -> tuple[WebhookInfo, str]:
        """Have changes sent to a receiver; return the webhook with its secret, which is not shown again.

        It is asked for once: if the answer does not come, list the webhooks.

        Parameters
        ----------
        name, url : str
        collections : sequence of str, optional
            Whose changes are sent; None for all.
        after : int, optional
            The last ``seq`` that the receiver knows, 0 for none. Without it, what is to come is sent.

        Raises
        ------
        ParameterError
            If the name is taken, or nothing can be sent to the URL.
        """
        chosen = None if collections is None else list(collections)
        fields = {"name": name, "url": url, **given(collections=chosen, after=after)}
        answer = self._api.post(WEBHOOKS, fields, repeatable=False)
        return read(answer, lambda told: (WebhookInfo.from_dict(told), str(told["secret"])))

    def remove_webhook(self, name: str) -> None:
        """Send nothing more to a receiver; raises NotFoundError if there is no such webhook."""
        self._api.delete(_path(name))

    def enable_webhook(self, name: str) -> WebhookInfo:
        """Go on with a webhook that was given up, where it stopped; raises NotFoundError."""
        return read(self._api.post(f"{_path(name)}/enable"), WebhookInfo.from_dict)


def _path(name: str) -> str:
    return f"{WEBHOOKS}/{quote(name, safe='')}"
