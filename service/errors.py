"""Errors that the web server adds to those of the library."""

from __future__ import annotations

from hmar.errors import AuthError, InputError


class MalformedRequestError(InputError):
    """A request that cannot be parsed: broken JSON, a missing part."""


class MediaTypeError(InputError):
    """A body of a content type that the route does not read."""


class CursorError(InputError):
    """A cursor that was altered, or belongs to another search or another state of the archive."""


class RangeError(InputError):
    """A range of bytes that begins behind the end of what is asked for.

    Parameters
    ----------
    detail, remedy : str
    size : int
        Bytes of what is asked for.
    """

    def __init__(self, detail: str, remedy: str, size: int) -> None:
        super().__init__(detail, remedy)
        self.size = size


class CrossSiteError(AuthError):
    """A change asked for with the page's cookie, but not from the page."""


class NotAcceptableError(InputError):
    """An answer that is asked for in forms of which it has none."""
