"""OHIF as a site runs it: its built files on an origin of their own, with a PACS behind the same origin."""

from __future__ import annotations

import base64
import mimetypes
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.downloads import cache, npm_package
from tests.orthanc import PASSWORD, USER, Orthanc

VERSION = "3.13.2"
SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
"""As the npm registry tells it (dist.integrity)."""
NOT_NEEDED = "package/dist/ort/"
"""What segments in the browser: two thirds of all bytes."""
CONFIG = Path(__file__).parents[1] / "examples" / "ohif" / "app-config.js"


def ohif_files() -> Path:
    """Return the folder of OHIF's built files, downloaded once and checked; skip without them."""
    folder = cache() / f"ohif-{VERSION}"
    if not (folder / "index.html").exists():
        packed = npm_package("@ohif/app", VERSION, SHA512)
        draft = folder.with_suffix(f".{os.getpid()}")
        with tarfile.open(packed) as archive:
            wanted = [
                member
                for member in archive
                if member.name.startswith("package/dist/") and not member.name.startswith(NOT_NEEDED)
            ]
            archive.extractall(draft, wanted, filter="data")
        with suppress(OSError):  # another process was first
            (draft / "package" / "dist").rename(folder)
        shutil.rmtree(draft)
    return folder


@contextmanager
def running_ohif(orthanc: Orthanc) -> Iterator[str]:
    """Serve OHIF over an Orthanc until the context ends; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(ohif_files(), orthanc))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(root: Path, orthanc: Orthanc) -> type[BaseHTTPRequestHandler]:
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body would wait for the delayed acknowledgement of its head

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/dicom-web/"):
                return self._forwarded()
            if path == "/app-config.js":
                return self._tell(200, "text/javascript", CONFIG.read_bytes())
            file = root / path.lstrip("/")
            if ".." in path or not file.is_file():
                file = root / "index.html"  # addresses within the viewer
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return self._tell(200, kind, file.read_bytes())

        def _forwarded(self) -> None:
            headers = {"Authorization": f"Basic {token}", "Accept": self.headers.get("Accept", "*/*")}
            with closing(HTTPConnection("127.0.0.1", orthanc.port, timeout=60)) as connection:
                connection.request("GET", self.path, headers=headers)
                answer = connection.getresponse()
                self._tell(answer.status, answer.getheader("Content-Type", ""), answer.read())

        def _tell(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
