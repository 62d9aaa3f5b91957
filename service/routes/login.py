"""Logging in with a one-time link: GET shows a button, so that a link preview does not use the link up."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hmar.wiring import Engine
from service import auth
from service.readers.form import form_fields
from service.readers.query import check_no_body, takes_query


def blueprint(engine: Engine) -> Blueprint:
    """Return the login routes."""
    routes = Blueprint("login", __name__)

    @routes.get("/login")
    @takes_query("token")
    def form() -> ResponseReturnValue:
        return render_template("login.html", token=request.args.get("token", ""))

    @routes.post("/login")
    def redeem() -> ResponseReturnValue:
        if not engine.keys.redeem_login(form_fields(request, ("token",)).get("token", "")):
            return render_template("unauthorised.html", used_up=True), 401
        auth.log_in(engine.sessions)
        return redirect(url_for("browse.page"), code=303)

    @routes.post("/logout")
    def logout() -> ResponseReturnValue:
        check_no_body()
        auth.log_out(engine.sessions)
        # The next user of this browser must not see cached images.
        return "", 204, {"Clear-Site-Data": '"cache"'}

    return routes
