"""A real Orthanc with DICOMweb on free ports of this machine, and DCMTK's storescu that sends to it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

from hmar.errors import ConfigError, UnavailableError

_PLUGINS = (
    Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/lib/orthanc/libOrthancDicomWeb.so"),
)
_START_S, _STOP_S, _POLL_S = 60.0, 30.0, 0.05


class Orthanc(NamedTuple):
    """Its ports on this machine."""

    http_port: int
    dicom_port: int

    @property
    def root(self) -> str:
        """Root of DICOMweb."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"


def check_installed() -> None:
    """Raise ConfigError unless Orthanc, its DICOMweb and storescu are installed."""
    _command("Orthanc", "orthanc")
    _plugin()
    _command("storescu", "dcmtk")


def _plugin() -> Path:
    plugin = next((path for path in _PLUGINS if path.exists()), None)
    if plugin is None:
        raise ConfigError("Orthanc has no DICOMweb.", "Run: apt-get install orthanc-dicomweb")
    return plugin


def _command(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ConfigError(f"{name} is not installed.", f"Run: apt-get install {package}")
    return path


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def send(folder: Path, port: int, title: str) -> None:
    """Send a folder's files by storescu, in one association.

    Raises
    ------
    UnavailableError
        If not all were taken.
    """
    sent = subprocess.run(  # noqa: S603 (found by its name, and our own arguments)
        [_command("storescu", "dcmtk"), "-aec", title, "+sd", "127.0.0.1", str(port), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if sent.returncode:
        raise UnavailableError(f"storescu ended with {sent.returncode}: {sent.stderr}", "Try again.")


@contextmanager
def running_orthanc(folder: Path) -> Iterator[Orthanc]:
    """Run an empty one on a folder until the context ends.

    Raises
    ------
    ConfigError
        If Orthanc or its DICOMweb is not installed.
    UnavailableError
        If it does not start.
    """
    program, plugin = _command("Orthanc", "orthanc"), _plugin()
    orthanc = Orthanc(free_port(), free_port())
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": orthanc.http_port,
        "DicomPort": orthanc.dicom_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (found by its name, and our own arguments)
            [program, str(folder / "orthanc.json")], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _await(orthanc, process)
        yield orthanc
    finally:
        process.terminate()
        process.wait(_STOP_S)


def _await(orthanc: Orthanc, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while not _answers(orthanc):
        if process.poll() is not None or time.monotonic() > end:
            raise UnavailableError("Orthanc does not start.", "Run it by hand to see why.")
        time.sleep(_POLL_S)


def _answers(orthanc: Orthanc) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", orthanc.http_port, timeout=_START_S)) as connection:
            connection.request("GET", "/system")
            return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
