"""What a known proxy says of a request: its client's address, scheme and host, and where the product is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.edge.clients import Network, address_of, is_known
from service.edge.messages import Environ
from service.edge.refusals import malformed

_SCHEME = re.compile(r"https?")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX = re.compile(r"/?|(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")


def believe(environ: Environ, proxies: Sequence[Network]) -> None:
    """Write into an environment what X-Forwarded-For, -Proto, -Host and -Prefix of a known proxy say.

    Of several values the last is taken, which the proxy nearest to the server has added. From anybody else
    the headers change nothing.

    Raises
    ------
    Refusal
        For a value that is no scheme, host or path (400).
    """
    if is_known(environ["REMOTE_ADDR"], proxies):
        environ["wsgi.url_scheme"] = _last(environ, "PROTO", _SCHEME) or environ["wsgi.url_scheme"]
        if host := _last(environ, "HOST", _HOST):
            environ["HTTP_HOST"] = host
        environ["SCRIPT_NAME"] = _last(environ, "PREFIX", _PREFIX).rstrip("/")
    environ["REMOTE_ADDR"] = address_of(environ, proxies)


def _last(environ: Environ, name: str, allowed: re.Pattern[str]) -> str:
    """Return the last value of a header, empty where there is none."""
    value: str = environ.get(f"HTTP_X_FORWARDED_{name}", "").rpartition(",")[2].strip()
    if value and not allowed.fullmatch(value):
        raise malformed(f"The proxy's header X-Forwarded-{name.title()} cannot be used.")
    return value
