"""The application behind its web server, over an archive of its own."""

from __future__ import annotations

import threading

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, Scope
from hmar.wiring import Engine
from service.app import create_app
from service.edge.bounds import Bounds
from service.server import make_server
from tests.e2e.page import WAIT_S


class Server:
    """The application behind its web server on a free port, in a thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._server = make_server(create_app(engine), "127.0.0.1", 0, Bounds())
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.port}"

    def login_link(self, *scopes: Scope) -> str:
        """Return a link that logs in with some scopes, or with those of every day."""
        identity = Identity(PAGE_LOGIN, frozenset(scopes) or EVERYDAY)
        return f"{self.url}/login?token={self.engine.keys.create_login(identity, 60)}"

    def close(self) -> None:
        self._server.stop()
        self._thread.join(WAIT_S)
