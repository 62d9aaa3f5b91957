"""Pages of other origins, which may ask with an API key where the operator has named them (Fetch standard).

They read nothing by the page's cookie: it is SameSite=Strict, and no answer allows credentials, which holds
for other hosts and ports of the same site too. A change by cookie needs a header that is not allowed here.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, request

ALLOWED_METHODS = "GET, POST, PATCH"
ALLOWED_HEADERS = (
    "Authorization, X-API-Key, Content-Type, If-None-Match, If-Range, Idempotency-Key, Range, X-Request-ID"
)
EXPOSED_HEADERS = (
    "Accept-Ranges, Content-Range, ETag, Location, Retry-After, WWW-Authenticate, X-HMAR-Columns, "
    "X-HMAR-Count, X-HMAR-Directions, X-HMAR-Frames, X-HMAR-Intercept, X-HMAR-Inverted, X-HMAR-Orientation, "
    "X-HMAR-Padding, X-HMAR-Position, X-HMAR-Rows, X-HMAR-Slope, X-HMAR-Spacing, X-HMAR-Type, X-HMAR-Units, "
    "X-HMAR-Units-Note, X-HMAR-Window, X-HMAR-Window-Function, X-HMAR-Windows, X-Request-ID"
)
KEPT_S = 600
"""How long a browser may keep the answer to a preflight."""


def install(app: Flask, origins: Collection[str]) -> None:
    """Let pages of some origins read answers.

    Parameters
    ----------
    app : Flask
    origins : collection of str
        Exactly as browsers send them. None at all where it is empty.
    """
    if not origins:
        return

    def preflight() -> Response | None:
        """Answer what a browser asks before it sends a key; the request itself needs one."""
        asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asked or request.origin not in origins:
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(KEPT_S)
        return response

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        if request.origin in origins:
            response.headers["Access-Control-Allow-Origin"] = request.origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        return response

    app.before_request(preflight)
    app.after_request(allow)
