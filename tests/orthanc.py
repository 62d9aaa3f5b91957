"""An Orthanc with DICOMweb on free ports of this machine, empty at its start."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.require import require_command, require_file

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "hmar", "for a test"
AUTHORIZATION = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
START_S = 60.0


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc; everything is asked as its one user."""

    port: int
    dicom_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        return json.loads(self._bytes(method, path, body) or b"null")

    def _bytes(self, method: str, path: str, body: bytes | None = None) -> bytes:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, {"Authorization": AUTHORIZATION})
            answer = connection.getresponse()
            told = answer.read()
        assert answer.status == 200, (path, answer.status, told[:200])
        return told

    def file(self, sop_instance_uid: str) -> bytes:
        """Return the file of an instance as it is stored."""
        [found] = self.ask("POST", "/tools/lookup", sop_instance_uid.encode())
        return self._bytes("GET", f"/instances/{found['ID']}/file")

    def store(self, data: bytes) -> str:
        """Give it a file; return its own id of the instance."""
        return str(self.ask("POST", "/instances", data)["ID"])


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_orthanc(folder: Path, before: Orthanc | None = None, **more: object) -> Iterator[Orthanc]:
    """Run one on a folder until the context ends; skip where it is not installed.

    ``before`` is one that ended, whose ports are taken; ``more`` is added to its configuration, one level
    deep.
    """
    program, plugin = require_command("Orthanc", "orthanc"), require_file(PLUGIN, "orthanc-dicomweb")
    orthanc = before or Orthanc(_free_port(), _free_port())
    settings: dict[str, Any] = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": orthanc.port,
        "DicomPort": orthanc.dicom_port,
        "HttpServerEnabled": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "StableAge": 1,
    }
    for name, value in more.items():
        known = settings.get(name)
        settings[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + START_S
        while True:
            assert process.poll() is None, (folder / "orthanc.log").read_text()
            assert time.monotonic() < end, "Orthanc did not start"
            with suppress(OSError):
                orthanc.ask("GET", "/system")
                break
            time.sleep(0.05)
        yield replace(orthanc, process=process)
    finally:
        process.terminate()
        process.wait(30)
