"""Who asks, and API keys: listed, made and revoked by who administers the archive."""

from __future__ import annotations

from flask import Blueprint, g

from hmar.errors import ForbiddenError, NotFoundError, shown
from hmar.values.identity import PAGE_LOGIN, Identity, KeyInfo
from hmar.wiring import Engine
from service.auth import login_ends_at
from service.models.keys import Identity as ToldIdentity
from service.models.keys import Key, KeyList, KeyPath, MadeKey, NewKey
from service.operations.operation import operation
from service.operations.whole_archive import check_sees_all

_TAG = "keys"
_DAY_S = 86_400.0
_RAISES = (ForbiddenError,)
_ALL = "A key that is limited to collections is refused."


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of keys; ``engine`` is the whole one, for no key with collections may ask."""
    routes = Blueprint("keys", __name__, url_prefix="/api/v1")

    @routes.get("/me")
    @operation(
        "readIdentity",
        "Who asks, and what it may do",
        tag=_TAG,
        gives="The key, login or token that the request came with.",
        scope="any",
    )
    def me() -> ToldIdentity:
        who: Identity = g.access.identity
        told = KeyInfo(who, _ends_at(engine, who)).to_dict()
        return ToldIdentity.of({name: told[name] for name in ToldIdentity.model_fields})

    @routes.get("/keys")
    @operation(
        "listKeys",
        "The API keys, and when each was last used",
        tag=_TAG,
        gives="Keys in order of name, without their secrets, which are kept nowhere.",
        scope="admin",
        description=_ALL,
        raises=_RAISES,
    )
    def listed() -> KeyList:
        check_sees_all("keys")
        return _listed(engine)

    @routes.post("/keys")
    @operation(
        "makeKey",
        "Make an API key",
        tag=_TAG,
        gives="The key with its secret, which is not shown again.",
        scope="admin",
        status=201,
        description=_ALL,
        raises=_RAISES,
        examples={NewKey.media_type: {"name": "pacs", "scopes": ["search"], "expires_in_days": 90}},
    )
    def make(body: NewKey) -> MadeKey:
        check_sees_all("keys")
        collections = None if body.collections is None else frozenset(body.collections)
        lasts_s = None if body.expires_in_days is None else body.expires_in_days * _DAY_S
        secret = engine.keys.create(Identity(body.name, frozenset(body.scopes), collections), lasts_s)
        made = next(info for info in engine.keys.listed() if info.identity.name == body.name)
        return MadeKey.of({**made.to_dict(), "key": secret})

    @routes.delete("/keys/<name>")
    @operation(
        "revokeKey",
        "Revoke an API key; it stops working at once",
        tag=_TAG,
        gives="The keys that are left.",
        scope="admin",
        description=_ALL,
        raises=(*_RAISES, NotFoundError),
    )
    def revoke(path: KeyPath) -> KeyList:
        check_sees_all("keys")
        if not engine.keys.revoke(path.name):
            raise NotFoundError(f"There is no key named {shown(path.name)}.", "See GET /api/v1/keys.")
        return _listed(engine)

    return routes


def _listed(engine: Engine) -> KeyList:
    return KeyList(keys=[Key.of(info.to_dict()) for info in engine.keys.listed()])


def _ends_at(engine: Engine, who: Identity) -> float | None:
    """Return when what was presented ends; the name of a login holds a space, as no key's does."""
    if who.name.startswith(PAGE_LOGIN):
        return login_ends_at()
    named = (info.expires_at for info in engine.keys.listed() if info.identity.name == who.name)
    return next(named, None)
