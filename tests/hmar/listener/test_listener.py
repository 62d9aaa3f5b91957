"""The listener takes what DCMTK and pynetdicom send, refuses whom it must, and survives bad objects."""

from __future__ import annotations

import io
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless, UncompressedTransferSyntaxes
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.association import Association
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from hmar.config import Settings
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.syntaxes import SYNTAXES
from hmar.errors import ConfigError, DiskFullError
from hmar.listener.contexts import contexts
from hmar.listener.objects import Objects
from hmar.listener.server import listening
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import build_engine
from tests.dicom_network import Listener, associated, free_port, running_listener
from tests.hmar.listener.certificates import certificate
from tests.phantoms import PATIENT_NAME, ct_file, sop_uid
from tests.require import require_command

DECODER = ImageDecoder(1 << 24, PatientHasher(bytes(32)))
FULL = 0xA700


@pytest.fixture
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    titles = "STORESCU, ECHOSCU, DCMSEND, PYNETDICOM"
    with running_listener(tmp_path_factory.mktemp("home"), listen_calling=titles) as one:
        yield one


def sent(listener: Listener, program: str, *arguments: object, called: str = "HMAR") -> int:
    """Run a program of DCMTK against a listener; return its exit status."""
    command = [require_command(program, "dcmtk"), "-aec", called, *map(str, arguments[:-1])]
    files = arguments[-1:] if arguments else ()
    where = ["127.0.0.1", str(listener.port)]
    done = subprocess.run([*command, *where, *map(str, files)], capture_output=True, text=True, timeout=120)
    return done.returncode


def store(association: Association, data: bytes) -> int:
    return int(association.send_c_store(pydicom.dcmread(io.BytesIO(data))).Status)


def test_an_echo_is_answered_and_another_title_is_not(listener: Listener) -> None:
    assert sent(listener, "echoscu") == 0
    assert sent(listener, "echoscu", called="OTHER") != 0
    with associated(listener, "STRANGER") as association:
        assert association.is_rejected
    with associated(listener) as association:
        assert association.send_c_echo().Status == 0


@pytest.mark.parametrize(
    ("syntax", "options"),
    [(None, ["-xi"]), (None, ["-xe"]), (RLELossless, ["-xr"]), (JPEG2000Lossless, ["-xv"])],
)
def test_what_storescu_sends_is_the_same_image(
    syntax: str | None, options: list[str], listener: Listener, tmp_path: Path
) -> None:
    number = 10 + len(listener.received())
    plain = ct_file(1, number)
    file = pydicom.dcmread(io.BytesIO(plain))
    if syntax is not None:
        file.compress(syntax, generate_instance_uid=False)
    file.save_as(tmp_path / "file.dcm")
    assert sent(listener, "storescu", *options, tmp_path / "file.dcm") == 0
    check_received(listener, number, plain)


def test_what_dcmsend_sends_of_lossless_jpeg_is_the_same_image(listener: Listener, tmp_path: Path) -> None:
    plain = ct_file(2, 1)
    (tmp_path / "plain.dcm").write_bytes(plain)
    compress = require_command("dcmcjpeg", "dcmtk")
    subprocess.run([compress, "+e1", tmp_path / "plain.dcm", tmp_path / "file.dcm"], check=True)
    assert pydicom.dcmread(tmp_path / "file.dcm").file_meta.TransferSyntaxUID == JPEGLosslessSV1
    assert sent(listener, "dcmsend", "--decompress-never", tmp_path / "file.dcm") == 0
    check_received(listener, 1, plain, series=2)


def check_received(listener: Listener, number: int, plain: bytes, series: int = 1) -> None:
    """Check that the instance of a number is in the spool, with the pixels that it had."""
    files = [DECODER.open(data) for data in listener.contents()]
    [found] = [file for file in files if file.infos[0].sop_instance_uid == sop_uid(series, number)]
    assert np.array_equal(found.frame(1).values, DECODER.open(plain).frame(1).values)


def test_every_storage_class_is_taken_in_every_syntax_that_is_decoded() -> None:
    offered = {str(one.abstract_syntax): set(map(str, one.transfer_syntax or ())) for one in contexts()}
    syntaxes = {*map(str, SYNTAXES), *map(str, UncompressedTransferSyntaxes)}
    for one in AllStoragePresentationContexts:
        assert offered[str(one.abstract_syntax)] >= syntaxes - {"1.2.840.10008.1.2.1.98"}


def test_a_bad_object_and_one_that_is_too_large_end_no_association(tmp_path: Path) -> None:
    small, large = ct_file(3, 1), pydicom.dcmread(io.BytesIO(ct_file(3, 2)))
    large.NumberOfFrames, large.PixelData = 3, large.PixelData * 3
    bad = pydicom.dcmread(io.BytesIO(ct_file(3, 3)))
    bad.Rows, bad.PixelData = 7, b"\0\0"
    with running_listener(tmp_path, max_file_bytes=len(small) + 1000) as one, associated(one) as association:
        assert association.send_c_store(bad).Status == 0
        assert association.send_c_store(large).Status == FULL
        assert store(association, small) == 0
        assert len(one.received()) == 2
        # Nothing else is left.
        assert len(list(one.settings.spool_root.rglob(".received*"))) == 0


def test_a_full_disk_is_told_and_the_association_goes_on(tmp_path: Path) -> None:
    full = [True]

    def check_room() -> None:
        if full[0]:
            raise DiskFullError("The disk is full.", "Make room.")

    with running_listener(tmp_path, check_room) as one, associated(one) as association:
        assert store(association, ct_file(3, 1)) == FULL
        full.clear()
        full.append(False)
        assert store(association, ct_file(3, 1)) == 0
        assert len(one.received()) == 1


def test_peers_that_are_not_named_are_refused(tmp_path: Path) -> None:
    with running_listener(tmp_path, listen_peers="192.0.2.0/24") as one, associated(one) as association:
        assert not association.is_established


def test_no_more_associations_are_taken_than_are_allowed(tmp_path: Path) -> None:
    with running_listener(tmp_path, listen_associations=1) as one, associated(one) as first:
        assert first.is_established
        with associated(one) as second:
            assert second.is_rejected


def test_a_message_that_claims_to_be_huge_is_not_read(listener: Listener) -> None:
    with closing(socket.create_connection(("127.0.0.1", listener.port), 30)) as connection:
        connection.sendall(b"\x01\x00" + (1 << 31).to_bytes(4, "big"))
        assert connection.recv(100) == b""
    assert sent(listener, "echoscu") == 0


def fragment(context: int, control: int, content: bytes) -> bytes:
    """Return a P-DATA-TF with one fragment (PS3.8 9.3.5, E.2)."""
    value = bytes([context, control]) + content
    item = len(value).to_bytes(4, "big") + value
    return b"\x04\0" + len(item).to_bytes(4, "big") + item


def an_echo(more: int) -> bytes:
    command = Dataset()
    command.AffectedSOPClassUID, command.CommandField = Verification, 0x0030
    command.MessageID, command.CommandDataSetType = 1, more
    return encode(command, True, True) or b""


@pytest.mark.parametrize("what", ["a command", "what comes with an echo", "requests"])
def test_a_peer_that_goes_on_and_on_is_cut_off(what: str, listener: Listener) -> None:
    with associated(listener) as association:
        context = association.accepted_contexts[0].context_id or 0
        connection = association.dul.socket.socket if association.dul.socket else None
        assert connection is not None
        piece = {
            "a command": fragment(context, 1, bytes(100_000)),
            "what comes with an echo": fragment(context, 0, bytes(100_000)),
            "requests": fragment(context, 3, an_echo(0x0101)) * 100,
        }[what]
        connection.sendall(fragment(context, 3, an_echo(0)) if "with an echo" in what else b"")
        with suppress(OSError):
            connection.sendall(piece * 50)
        association.join(30)
        assert association.is_aborted
    assert sent(listener, "echoscu") == 0


def test_what_is_no_message_ends_its_association_alone(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    unknown, no_file = Dataset(), b"\xffQ^Doe"
    unknown.CommandField, unknown.CommandDataSetType = 0x7777, 0x0101
    for content in (encode(unknown, True, True) or b"", no_file):
        with associated(listener) as association:
            context = association.accepted_contexts[0].context_id or 0
            assert association.dul.socket is not None
            association.dul.socket.send(fragment(context, 3, content))
            association.join(30)
            assert association.is_aborted
    assert "Doe" not in caplog.text
    assert sent(listener, "echoscu") == 0


def test_nothing_of_a_patient_is_logged(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with associated(listener) as association:
        assert store(association, ct_file(1, 30)) == 0
    assert PATIENT_NAME.partition("^")[0] not in caplog.text


def test_with_a_certificate_only_peers_with_one_are_heard(tmp_path: Path) -> None:
    ours, theirs = certificate(tmp_path, "localhost"), certificate(tmp_path, "peer")
    tls = {"listen_cert": str(ours), "listen_ca": str(theirs)}
    with running_listener(tmp_path / "home", **tls) as one:
        trusting = ssl.create_default_context(cafile=ours)
        with associated(one, tls_args=(trusting, "localhost")) as association:
            assert not association.is_established
        trusting = ssl.create_default_context(cafile=ours)
        trusting.load_cert_chain(theirs)
        with associated(one, tls_args=(trusting, "localhost")) as association:
            assert store(association, ct_file(3, 1)) == 0
    settings = Settings(home=tmp_path / "home", listen_cert=str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="certificate of the listener"):
        listening(settings, Objects(lambda: pytest.fail("nothing comes"), "default"))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"listen_ae": "SEVENTEEN LETTERS"}, "HMAR_LISTEN_AE has"),
        ({"listen_calling": "PACS,back\\slash"}, "HMAR_LISTEN_CALLING has"),
        ({"listen_peers": "nowhere"}, "HMAR_LISTEN_PEERS is"),
        ({"listen_port": 70_000}, "HMAR_LISTEN_PORT is 70000"),
        ({"listen_collection": "../up"}, "HMAR_LISTEN_COLLECTION is"),
    ],
)
def test_settings_that_cannot_be_used_are_named(setting: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings(**setting).checked()  # type: ignore[arg-type]


@contextmanager
def process(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the listener as a process, once it listens."""
    settings = {"HMAR_HOME": str(home), "HMAR_LISTEN_PORT": str(port)}
    command = [sys.executable, "-m", "hmar.listener"]
    with subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert "listening as HMAR" in (running.stderr or io.StringIO()).readline()
            yield running
        finally:
            running.kill()


def test_what_was_answered_with_success_is_indexed_after_a_kill(tmp_path: Path) -> None:
    port, answered = free_port(), 0
    with process(tmp_path, port) as running:
        one = Listener(port, Settings(home=tmp_path), None)  # type: ignore[arg-type]
        with associated(one) as association:
            for number in (1, 2, 3):
                answered += store(association, ct_file(4, number)) == 0
            running.kill()
            running.wait()
    assert answered == 3
    unfinished = tmp_path / "spool" / "listener" / "default" / ".received.0123456789abcdef"
    unfinished.write_bytes(ct_file(4, 4)[:1000])
    settings = Settings(home=tmp_path, redis_url="inline").checked()
    engine = build_engine(settings, ThumbnailEncoder())
    assert engine.intake.sweep("listener") == 3
    assert engine.catalogue.last_seq() == 3
    with process(tmp_path, port) as running, associated(one) as association:
        assert store(association, ct_file(4, 1)) == 0
        running.terminate()
        assert running.wait(60) == 0
    assert engine.intake.sweep() == 1
    assert engine.catalogue.last_seq() == 3
    # A draft that nobody writes any more is swept with those of other killed processes.
    os.utime(unfinished, (time.time() - 7200,) * 2)
    engine.remover.sweep()
    assert not unfinished.exists()
    engine.close()
