"""Logging in with a one-time link: GET shows a button, so that a link preview does not use the link up."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template

from hmar.wiring import Engine
from service import auth
from service.models.login import LoggedIn, LoginQuery, TokenForm
from service.onwards import address_of
from service.operations.operation import Content, operation

_TAG = "page"


def blueprint(engine: Engine) -> Blueprint:
    """Return the login routes."""
    routes = Blueprint("login", __name__)

    @routes.get("/login")
    @operation(
        "showLogin",
        "A button that uses up the one-time link, so that a preview of the link does not",
        tag=_TAG,
        gives=Content("The button.", "text/html"),
    )
    def form(query: LoginQuery) -> str:
        return render_template("login.html", token=query.token)

    @routes.post("/login")
    @operation(
        "logIn",
        "Use up the link, and set the cookie",
        tag=_TAG,
        gives=Content("Logged in; next is what was asked for before.", "text/html", headers=LoggedIn),
        status=303,
        also={401: Content("The link is wrong, or used up.", "text/html")},
    )
    def redeem(body: TokenForm) -> Response:
        identity = engine.keys.redeem_login(body.token)
        if identity is None:
            return make_response(render_template("unauthorised.html", used_up=True), 401)
        wanted = auth.wanted_after_login()
        auth.log_in(engine.sessions, identity)
        return make_response(redirect(address_of(wanted), code=303))

    @routes.post("/logout")
    @operation("logOut", "End the session", tag=_TAG, gives=Content("It ended."), scope="any", status=204)
    def logout() -> Response:
        auth.log_out(engine.sessions)
        # The next user of this browser must not see cached images.
        return make_response("", 204, {"Clear-Site-Data": '"cache"'})

    return routes
