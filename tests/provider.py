"""A small identity provider on 127.0.0.1: it publishes keys by HTTP, and signs tokens with them."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "hmar"
ROLES = """
[hmar-reader]
scopes = ["search"]
collections = ["default"]

[hmar-trainee]
scopes = ["search"]
collections = ["teaching"]

[hmar-indexer]
scopes = ["index"]

["Domain Admins"]
scopes = ["admin"]
"""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: PrivateKey, name: str, **more: object) -> dict[str, Any]:
    """Return the public half of a key as a provider publishes it."""
    if isinstance(key, rsa.RSAPrivateKey):
        described = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        described = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    # PyJWT writes key_ops; Keycloak and others write use.
    return {"kty": described.pop("kty"), **described, "kid": name, "use": "sig", **more}


FIRST = rsa_key()
"""What every provider signs with at first; making one takes long."""


class Provider:
    """What the provider says; a test may change all of it while it is asked."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key: PrivateKey = FIRST
        self.key_id = "first"
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.status = 200
        self.trickles = threading.Event()
        """Set: it sends a byte now and then, for ever."""
        self.ended = threading.Event()
        self.describe()

    def describe(self, **more: Any) -> None:
        """Publish the description of the provider."""
        keys = f"{self.issuer}/keys"
        self.answers["/.well-known/openid-configuration"] = {"issuer": self.issuer, "jwks_uri": keys} | more
        self.publish(jwk(self.key, self.key_id))

    def publish(self, *keys: Any) -> None:
        self.answers["/keys"] = {"keys": list(keys)}

    def rotate(self, key: PrivateKey, name: str) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self.key, self.key_id = key, name
        self.publish(jwk(key, name))

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return claims that are right, with some changed; None leaves one out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300}
        claims |= {"preferred_username": "anna", "sub": "0-1", "roles": ["hmar-reader"]}
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def token(
        self, headers: dict[str, Any] | None = None, algorithm: str | None = None, **changed: Any
    ) -> str:
        """Return a signed token."""
        algorithm = algorithm or ("RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256")
        return jwt.encode(self.claims(**changed), self.key, algorithm, {"kid": self.key_id} | (headers or {}))


@contextmanager
def provided(context: ssl.SSLContext | None = None) -> Iterator[Provider]:
    """Run a provider on a free port, within TLS if there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            body = provider.answers.get(self.path)
            status = provider.status if body is not None else 404
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", f"{provider.issuer}/keys")
            self.end_headers()
            while provider.trickles.is_set() and not provider.ended.wait(0.02):
                self.wfile.write(b" ")
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing where the one who asked has gone."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    provider = Provider(f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        provider.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
