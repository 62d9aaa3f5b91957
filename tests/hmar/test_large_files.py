"""A large instance is held by none of the processes that it goes through."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pydicom
import pytest

from hmar.contents import FileBytes
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import DecodeLimits
from hmar.decoding.process import Child
from tests.dicom_network import free_port
from tests.phantoms import ct_file
from tests.require import require_command

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
SIDE, FRAMES = 512, 400
LIMITS = DecodeLimits(max_pixels=1_000_000_000)
MOST_MB = 60
"""What a process may take for a file of 210 MB."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multi-frame image of zeros; its pixels take no room on the disk."""
    file = pydicom.dcmread(io.BytesIO(ct_file(5, 1)))
    del file.PixelData
    file.Rows = file.Columns = SIDE
    file.NumberOfFrames = FRAMES
    path, size = tmp_path_factory.mktemp("large") / "file.dcm", 2 * SIDE * SIDE * FRAMES
    file.save_as(path)
    with path.open("ab") as target:
        target.write(b"\xe0\x7f\x10\x00OW\0\0" + size.to_bytes(4, "little"))
        target.truncate(target.tell() + size)
    return path


def peak_mb(process_id: int) -> int:
    """Return the largest resident memory that a process had (proc(5))."""
    status = Path("/proc", str(process_id), "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def test_the_listener_holds_no_object(large: Path, tmp_path: Path) -> None:
    storescu, port = require_command("storescu", "dcmtk"), str(free_port())
    settings = os.environ | {"HMAR_HOME": str(tmp_path), "HMAR_LISTEN_PORT": port}
    command = [sys.executable, "-m", "hmar.listener"]
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as listener:
        try:
            assert "listening as HMAR" in (listener.stderr or io.StringIO()).readline()
            before = peak_mb(listener.pid)
            subprocess.run([storescu, "-aec", "HMAR", "127.0.0.1", port, large], check=True, timeout=300)
            assert peak_mb(listener.pid) < before + MOST_MB
        finally:
            listener.kill()
    [received] = [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    assert received.stat().st_size > 2 * SIDE * SIDE * FRAMES


def test_a_decoder_holds_one_frame(large: Path) -> None:
    data = FileBytes.owning(os.open(large, os.O_RDONLY))
    with closing(ForkServer()) as server:
        child = Child(server, LIMITS, bytes(32), data)
        before = peak_mb(child.process_id)
        info, frames, _alike = child.open(1, data)
        assert (info.rows, frames) == (SIDE, FRAMES)
        assert child.frame(1, info).values.shape == (SIDE, SIDE)
        assert child.identify(data).fault is None
        assert peak_mb(child.process_id) < before + MOST_MB
        child.end()


def test_who_decodes_holds_no_file(large: Path) -> None:
    before = peak_mb(os.getpid())
    with ContainedDecoder(LIMITS, bytes(32)) as decoder:
        file = decoder.open(FileBytes.owning(os.open(large, os.O_RDONLY)))
        file.frame(FRAMES)
        assert len(file.sha256) == 64
        assert file.cost_bytes < 1 << 20
    assert peak_mb(os.getpid()) < before + MOST_MB
