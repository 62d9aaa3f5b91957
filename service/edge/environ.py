"""The environment of a request (PEP 3333), from the scope that uvicorn gives (ASGI)."""

from __future__ import annotations

import sys
from io import BytesIO
from urllib.parse import unquote_to_bytes, urlsplit

from hmar import request_ids
from service.edge.messages import Environ, Message
from service.edge.refusals import malformed, refusal
from service.problems import METHODS

REQUEST_ID = "hmar.request_id"
"""Key of the request's id in its environment."""
_OWN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: Message) -> Environ:
    """Return the environment of a request, without its body.

    Headers with an underscore in their name are left out: it could not tell them from those with a hyphen.

    Raises
    ------
    Refusal
        For what uvicorn lets through and HTTP does not.
    """
    if scope["method"] not in METHODS:
        remedy = "Use a method of HTTP (RFC 9110)."
        raise refusal(501, "The request's method is not one of HTTP.", remedy, closes=True)
    if scope["http_version"] not in ("1.0", "1.1"):
        raise refusal(505, "This version of HTTP is not spoken here.", "Send HTTP/1.1.", closes=True)
    host, path = _target(scope["raw_path"])
    server, client = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        REQUEST_ID: request_ids.current(),
    }
    for name, value in ((pair[0].decode("ascii"), pair[1].decode("latin-1")) for pair in scope["headers"]):
        if "_" not in name:
            key = _OWN.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
    if host:
        environ["HTTP_HOST"] = host
    if chunked(environ) and "CONTENT_LENGTH" in environ:
        raise malformed("The request has both a Content-Length and a Transfer-Encoding.")
    return environ


def request_id_of(scope: Message) -> str:
    """Return the id of a request: the one that it gives, or a new one if it gives none that can be used."""
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return request_ids.chosen(given[0].decode("latin-1") if len(given) == 1 else "")


def chunked(environ: Environ) -> bool:
    """Return whether the body comes in chunks, and does not say its size."""
    return "HTTP_TRANSFER_ENCODING" in environ


def body_bytes(environ: Environ) -> int:
    """Return the size of the body that the head announces; 0 where it announces none."""
    return int(environ.get("CONTENT_LENGTH", 0))


def _target(target: bytes) -> tuple[str, bytes]:
    """Return host and path of a target; its host, if it has one, overrides the header's."""
    if target.startswith(b"/"):
        return "", target
    try:
        # The absolute form, which a server must take (RFC 9112, 3.2.2).
        absolute = urlsplit(target)
    except ValueError:
        absolute = urlsplit(b"")
    if absolute.scheme not in (b"http", b"https") or not absolute.netloc:
        raise malformed("The target of the request is no address on this server.")
    return absolute.netloc.decode("latin-1"), absolute.path or b"/"
