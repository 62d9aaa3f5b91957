"""Webhooks: subscriptions to what is indexed and deleted, for who administers the archive."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import ForbiddenError, NotFoundError
from hmar.values.webhooks import WebhookInfo
from hmar.wiring import Engine
from service.models.webhooks import NewWebhook, SubscribedWebhook, Webhook, WebhookList, WebhookPath
from service.operations.operation import operation
from service.operations.whole_archive import check_sees_all

_TAG = "webhooks"
_RAISES = (ForbiddenError,)


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of webhooks; ``engine`` is the whole one, for no key with collections may ask."""
    routes = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")

    @routes.get("")
    @operation(
        "listWebhooks",
        "The webhooks, and how their deliveries go",
        tag=_TAG,
        gives="Webhooks in order of name.",
        scope="admin",
        raises=_RAISES,
    )
    def listed() -> WebhookList:
        check_sees_all("webhooks")
        return _listed(engine)

    @routes.post("")
    @operation(
        "addWebhook",
        "Send changes to a receiver",
        tag=_TAG,
        gives="The webhook, with the secret that signs. It is not shown again.",
        scope="admin",
        description=(
            "Each change is sent at least once and in order, as GET /api/v1/changes tells it, up to 500 at a "
            "time. The URL is https; loopback, link-local and metadata addresses are refused unless "
            "HMAR_WEBHOOK_NETWORKS allows them. A key that is limited to collections is refused."
        ),
        status=201,
        raises=_RAISES,
        examples={
            NewWebhook.media_type: {
                "name": "ris",
                "url": "https://ris.example/hmar",
                "collections": ["default"],
            }
        },
    )
    def add(body: NewWebhook) -> SubscribedWebhook:
        check_sees_all("webhooks")
        collections = None if body.collections is None else frozenset(body.collections)
        info, secret = engine.subscriptions.add(body.name, body.url, collections, body.after)
        return SubscribedWebhook.of({**info.to_dict(), "secret": secret})

    @routes.delete("/<name>")
    @operation(
        "removeWebhook",
        "Send nothing more to a receiver",
        tag=_TAG,
        gives="The webhooks that are left.",
        scope="admin",
        raises=(*_RAISES, NotFoundError),
    )
    def remove(path: WebhookPath) -> WebhookList:
        check_sees_all("webhooks")
        engine.subscriptions.remove(path.name)
        return _listed(engine)

    @routes.post("/<name>/enable")
    @operation(
        "enableWebhook",
        "Go on with a webhook that was given up, or that waits to try again",
        tag=_TAG,
        gives="The webhook.",
        scope="admin",
        description="It goes on where it stopped: nothing is left out.",
        raises=(*_RAISES, NotFoundError),
    )
    def enable(path: WebhookPath) -> Webhook:
        check_sees_all("webhooks")
        return _told(engine.subscriptions.enable(path.name))

    return routes


def _listed(engine: Engine) -> WebhookList:
    return WebhookList(webhooks=[_told(info) for info in engine.subscriptions.listed()])


def _told(info: WebhookInfo) -> Webhook:
    return Webhook.of(info.to_dict())
