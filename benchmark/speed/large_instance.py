"""``python -m benchmark.speed.large_instance MEGABYTES``: a large instance comes in three ways.

By C-STORE (DCMTK's storescu), by STOW-RS and by a pull from a server of DICOMweb, into a product with the
baseline model. What is told is the largest resident memory of each process (VmHWM, proc(5)), and the time
until all frames were indexed or found unchanged.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    generate_uid,
)

from benchmark.speed.watch import Watch
from hmar.product.running import RunningProduct, running_product

SIDE = 2048
FRAME_BYTES = 2 * SIDE * SIDE
_PIECE = 1 << 20


def write_instance(path: Path, frames: int) -> FileDataset:
    """Write a multi-frame image of noise; return its header."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID, file.SeriesInstanceUID = generate_uid(), generate_uid()
    file.Modality, file.StudyDate = "OT", "20200101"
    file.Rows = file.Columns = SIDE
    file.NumberOfFrames = frames
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 0
    head = io.BytesIO()
    file.save_as(head, enforce_file_format=True)
    generator = np.random.default_rng(1)
    with path.open("wb") as target:
        target.write(head.getvalue())
        target.write(b"\xe0\x7f\x10\x00OW\0\0" + (frames * FRAME_BYTES).to_bytes(4, "little"))
        for _ in range(frames):
            target.write(generator.integers(0, 4096, (SIDE, SIDE), np.uint16).tobytes())
    return file


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


@contextmanager
def dicomweb(path: Path, header: FileDataset) -> Iterator[str]:
    """Serve one instance by QIDO-RS and WADO-RS; give the root."""
    row = {
        "0020000D": {"vr": "UI", "Value": [header.StudyInstanceUID]},
        "0020000E": {"vr": "UI", "Value": [header.SeriesInstanceUID]},
        "00080018": {"vr": "UI", "Value": [header.SOPInstanceUID]},
        "00080016": {"vr": "UI", "Value": [header.SOPClassUID]},
        "00201209": {"vr": "IS", "Value": [1]},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if "/instances/" in address.path:
                self._answer("application/dicom", path.stat().st_size)
                for piece in pieces(path):
                    self.wfile.write(piece)
                return
            told = b"[]" if "offset=1" in address.query else json.dumps([row]).encode()
            self._answer("application/dicom+json", len(told))
            self.wfile.write(told)

        def _answer(self, kind: str, size: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()


def asked(product: RunningProduct, path: str, body: object = None) -> Any:
    """Ask the API of a product."""
    with closing(HTTPConnection(urlsplit(product.url).netloc, timeout=600)) as connection:
        method, sent = ("GET", None) if body is None else ("POST", json.dumps(body))
        headers = {"Authorization": f"Bearer {product.key}", "Content-Type": "application/json"}
        connection.request(method, path, sent, headers)
        return json.loads(connection.getresponse().read())


def by_stow(product: RunningProduct, path: Path) -> None:
    """Send a file by STOW-RS, in chunks."""

    def body() -> Iterator[bytes]:
        yield b"--part\r\nContent-Type: application/dicom\r\n\r\n"
        yield from pieces(path)
        yield b"\r\n--part--"

    with closing(HTTPConnection(urlsplit(product.url).netloc, timeout=600)) as connection:
        headers = {
            "Authorization": f"Bearer {product.key}",
            "Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
        }
        connection.request("POST", "/dicom-web/studies", body(), headers, encode_chunked=True)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"STOW-RS was answered {answer.status}: {told.decode()}")


def await_jobs(product: RunningProduct, count: int) -> dict[str, Any]:
    """Wait until so many jobs have ended; return the last one."""
    while True:
        jobs = asked(product, "/api/v1/index-jobs")["jobs"]
        if len(jobs) == count and jobs[0]["finished"]:
            return dict(jobs[0])
        product.check()
        time.sleep(0.2)


def main() -> None:
    """Measure, and print a row for each way."""
    frames = int(sys.argv[1]) * 1_000_000 // FRAME_BYTES
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder, "large.dcm"), Path(folder, "home")
        header = write_instance(path, frames)
        click.echo(f"{frames} frames, {path.stat().st_size} bytes")
        with dicomweb(path, header) as root, closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            probe.close()
            home.mkdir()
            (home / "pacs.toml").write_text(f'[stub]\nroot = "{root}"\n')
            settings = {
                "HMAR_MODEL_DIR": "thumbnail",
                "HMAR_MAX_PIXELS": str(10**9),
                "HMAR_LISTEN_PORT": str(port),
            }
            with running_product(home, settings) as product:
                _measure(product, path, port)


def _measure(product: RunningProduct, path: Path, port: int) -> None:
    storescu = shutil.which("storescu")
    if storescu is None:
        raise RuntimeError("storescu is missing; install the Debian package dcmtk")
    ways: dict[str, Callable[[], object]] = {
        "C-STORE": lambda: subprocess.run(  # noqa: S603 - our own arguments
            [storescu, "-aec", "HMAR", "127.0.0.1", str(port), str(path)], check=True
        ),
        "STOW-RS": lambda: by_stow(product, path),
        "pull": lambda: asked(product, "/api/v1/index-jobs", {"pacs": {"name": "stub"}}),
    }
    for count, (name, send) in enumerate(ways.items(), start=1):
        watch, begun = Watch(product.process.pid), time.monotonic()
        with closing(watch):
            send()
            sent_s = time.monotonic() - begun
            job = await_jobs(product, count)
            done_s = time.monotonic() - begun
        ended = {state: number for state, number in job["counts"].items() if number}
        peaks = ", ".join(f"{kind} {peak}" for kind, peak in sorted(watch.peaks.items()))
        click.echo(f"{name}: answered after {sent_s:.1f} s, {ended} after {done_s:.1f} s; MiB: {peaks}")


if __name__ == "__main__":
    os.umask(0o077)
    main()
