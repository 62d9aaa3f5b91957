"""Who may ask, and for what.

Programs send an API key, or a token of the identity provider. A browser has a session, whose secret is in a
signed cookie.
"""

from __future__ import annotations

import time
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface

from hmar.errors import AuthError
from hmar.ports import KeyStore, SessionStore
from hmar.values.access import Access
from hmar.values.identity import Identity
from service.edge.clients import SESSION_COOKIE
from service.edge.wsgi import AUTHORISED
from service.errors import CrossSiteError
from service.last_uses import LastUses
from service.operations.operation import Needs, operation_of
from service.readers.credentials import presented_key, presented_token

if TYPE_CHECKING:
    from hmar.oidc.tokens import Tokens

SESSION_HOURS = 12
PAGE_HEADER = "X-HMAR-Page"
"""A header that a foreign site cannot send without a CORS preflight, which never allows it."""

_MOST_WANTED_BYTES = 2700
"""Of a place, as small as the session has it. Browsers drop a cookie of more than 4 KB; it is in base64."""

OPEN_ENDPOINTS = frozenset(
    {"health.healthz", "health.readyz", "login.form", "login.redeem", "launch.invoke", "static"}
)
"""Everything else needs a key or a login, and declares the scope that it needs."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing, so that a cookie is enough."""


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        """Keep the cookie to the product, where a proxy has it below a path of its own."""
        return request.script_root or "/"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        """Mark the cookie Secure where the browser came by https, to a proxy in front of this plain server.

        Browsers send fetch metadata to https and to loopback alone (W3C Secure Contexts), so that no header
        of a proxy needs to be trusted.
        """
        host = urlsplit(f"//{request.host}").hostname or ""
        loopback = host in ("localhost", "::1") or host.startswith("127.")
        return request.is_secure or ("Sec-Fetch-Site" in request.headers and not loopback)


def install(
    app: Flask,
    secret: bytes,
    keys: KeyStore,
    sessions: SessionStore,
    last_uses: LastUses,
    tokens: Tokens | None = None,
) -> None:
    """Guard every endpoint of ``app`` but the open ones.

    A request that is let in has its :class:`Access` in ``flask.g.access``.

    Parameters
    ----------
    app : Flask
        The application.
    secret : bytes
        Signs the session cookie.
    keys : KeyStore
        Verifies keys; it looks up a hash, so the time taken says nothing of the key.
    sessions : SessionStore
        Knows the logins that have not ended.
    last_uses : LastUses
        Told of each key that is used.
    tokens : Tokens or None
        Reads tokens of the identity provider. None: there is none.
    """
    app.secret_key = secret
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME=SESSION_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
    )

    def guard() -> None:
        if request.endpoint in OPEN_ENDPOINTS or _names_no_file(app):
            return
        key = presented_key(request)
        token = None if tokens is None else presented_token(request)
        if tokens is not None and token is not None:
            g.access = Access(_of_token(tokens, token))
        elif key is not None:
            g.access = Access(_of_key(keys, key))
            request.environ[AUTHORISED] = g.access.identity.name
            last_uses.note(g.access.identity.name)
        else:
            g.access = Access(_of_session(sessions))
            if request.method not in SAFE_METHODS:
                _check_same_site()
        scope = _declared(app, request.endpoint)
        if scope != "any":
            g.access.require(scope)

    app.before_request(guard)


def check_declared(app: Flask) -> None:
    """Raise RuntimeError unless every endpoint declares the scope that it needs, and the open ones none."""
    for endpoint in app.view_functions:
        scope = operation_of(app.view_functions[endpoint]).scope
        if (scope is None) != (endpoint in OPEN_ENDPOINTS):
            raise RuntimeError(f"{endpoint} declares the scope {scope!r}: see service.auth.OPEN_ENDPOINTS")


def _names_no_file(app: Flask) -> bool:
    """Whether a path lies below the page's files, which need no key, although no route takes it."""
    return request.endpoint is None and request.path.startswith(f"{app.static_url_path}/")


def _declared(app: Flask, endpoint: str | None) -> Needs:
    """Return the scope of an endpoint; of an address without one nothing is told but that it has none."""
    if endpoint is None:
        return "any"
    scope = operation_of(app.view_functions[endpoint]).scope
    if scope is None:
        raise RuntimeError(f"{endpoint} was added without a scope")
    return scope


def _of_key(keys: KeyStore, key: str) -> Identity:
    identity = keys.verify(key)
    if identity is None:
        raise AuthError(
            "The API key is not known, was revoked, or has expired.", "Make one with 'hmar keys new NAME'."
        )
    return identity


def _of_token(tokens: Tokens, token: str) -> Identity:
    """Return who sent a token; somebody who may do nothing is known by name, too, to the audit log."""
    holder = tokens.holder(token)
    g.holder = request.environ[AUTHORISED] = holder.name
    return tokens.identity(holder)


def _of_session(sessions: SessionStore) -> Identity:
    identity = sessions.whose(_session_secret())
    if identity is None:
        raise AuthError(
            "The request carries no API key.",
            "Send 'Authorization: Bearer hmar_...', or log in to the page with a login link.",
        )
    return identity


def wanted_after_login() -> str:
    """Return the place that this browser asked for before it logged in, empty for none."""
    return str(session.get("place", ""))


def want_after_login(place: str) -> None:
    """Note the place that this browser is to open after its login, if a cookie can hold it."""
    if len(zlib.compress(place.encode())) <= _MOST_WANTED_BYTES:
        session["place"] = place
    else:
        session.pop("place", None)


def log_in(sessions: SessionStore, identity: Identity) -> None:
    """Give this browser a session, in place of the one that it may have; the audit log tells whose."""
    g.access = Access(identity)
    log_out(sessions)
    session["secret"] = sessions.begin(identity, SESSION_HOURS * 3600)
    session["ends_at"] = time.time() + SESSION_HOURS * 3600
    session.permanent = True


def login_ends_at() -> float | None:
    """Return when the login of this browser ends, in seconds since the epoch; None without a login."""
    ends_at = session.get("ends_at")
    return None if ends_at is None else float(ends_at)


def log_out(sessions: SessionStore) -> None:
    """End this browser's session: a copy of its cookie is worth nothing from now on."""
    sessions.end(_session_secret())
    session.clear()


def _session_secret() -> str:
    return str(session.get("secret", ""))


def _check_same_site() -> None:
    """Refuse a change by cookie that the page did not send (OWASP CSRF: fetch metadata, then Origin)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin", "").partition("://")[2]
        same = origin != "" and origin == request.host
    if not same or request.headers.get(PAGE_HEADER) != "1":
        raise CrossSiteError(
            "A login cookie came with a request that the page did not send.",
            "Use the page itself, or an API key in the Authorization header.",
        )
