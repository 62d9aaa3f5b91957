"""Logging in to the page."""

from __future__ import annotations

from pydantic import Field

from service.models.asked import Asked, LoginForm
from service.models.given import Headers


class LoginQuery(Asked):
    """A login link."""

    token: str = Field(default="", repr=False, description="The one-time token of the link.")


class TokenForm(LoginForm):
    """A login link that is used up."""

    token: str = Field(default="", repr=False, description="The one-time token of the link.")


class LoggedIn(Headers):
    """Where what was asked for before the login is; the page, where nothing was."""

    location: str = Field(serialization_alias="Location")
