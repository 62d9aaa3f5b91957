"""However an association ends, its connection is closed: nothing waits for the garbage collector."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from pynetdicom.transport import AssociationSocket

from hmar.config import Settings
from hmar.listener import server
from hmar.listener.objects import Objects
from tests.dicom_network import Listener, associated, free_port, running_listener
from tests.hmar.listener.certificates import certificate

WAIT_S = 60
NEGOTIATION_S = 0.5
Ending = Callable[[socket.socket], None]


def open_sockets() -> set[str]:
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found.add(os.readlink(descriptor))  # noqa: PTH115 - a socket is no path
    return {one for one in found if one.startswith("socket:")}


@contextmanager
def connected(listener: Listener) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", listener.port), WAIT_S)) as connection:
        yield connection


def reset(connection: socket.socket) -> None:
    """Close a connection by RST, as where a process is killed with data unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_ended(connection: socket.socket) -> bool:
    """Wait until the listener closes a connection."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def all_closed(listener: Listener, before: set[str]) -> bool:
    """Wait until no other sockets are open than before; return whether that came."""
    with connected(listener) as last:  # those before it have been taken when it is ended
        last.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert is_ended(last)
    end = time.monotonic() + WAIT_S
    while more := open_sockets() - before:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return not more


def stays(connection: socket.socket) -> None:
    """Say nothing more, and wait to be cut off."""
    assert is_ended(connection)


@pytest.mark.parametrize("end", [reset, socket.socket.close, stays])
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x01\x00\x00",
        b"\x01\x00" + (200).to_bytes(4, "big") + bytes(100),
        b"\x01\x00" + (1 << 31).to_bytes(4, "big"),
        b"\x01\x00" + (68).to_bytes(4, "big") + b"\xff" * 68,
        b"\x05\x00" + (4).to_bytes(4, "big") + bytes(4),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a request", "too large", "garbage", "a release", "another protocol"],
)
def test_before_an_association(
    said: bytes, end: Ending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "NEGOTIATION_S", NEGOTIATION_S)
    monkeypatch.setattr(server, "SILENCE_S", NEGOTIATION_S)
    with running_listener(tmp_path) as one:
        before = open_sockets()
        with connected(one) as connection:
            connection.sendall(said)
            end(connection)
        assert all_closed(one, before)


@pytest.mark.parametrize("secured", [False, True])
def test_before_it_is_taken(secured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "NEGOTIATION_S", NEGOTIATION_S)
    port, tls = free_port(), {"listen_cert": str(certificate(tmp_path, "localhost"))} if secured else {}
    settings = Settings(home=tmp_path, listen_port=port, **tls).checked()
    one = server.listening(settings, Objects(lambda: pytest.fail("nothing comes"), "default"))
    before = open_sockets()
    reset(socket.create_connection(("127.0.0.1", port), WAIT_S))
    one.handle_request()
    end = time.monotonic() + WAIT_S
    while open_sockets() - before and time.monotonic() < end:
        time.sleep(0.01)
    assert open_sockets() <= before
    one.server_close()


@pytest.mark.parametrize("said", [b"", b"\x04\x00\x00", b"\x04\x00" + (100).to_bytes(4, "big"), b"garbage"])
@pytest.mark.parametrize("end", [reset, socket.socket.close])
def test_within_an_association(said: bytes, end: Ending, tmp_path: Path) -> None:
    with running_listener(tmp_path) as one:
        before = open_sockets()
        with associated(one) as association:
            assert association.is_established
            connection = association.dul.socket
            assert connection is not None
            assert connection.socket is not None
            connection.socket.sendall(said)
            end(connection.socket)
        assert all_closed(one, before)
        with associated(one) as association:
            assert association.send_c_echo().Status == 0
        assert all_closed(one, before)


def test_where_it_cannot_be_shut_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a peer that is gone: shutdown() fails, and pynetdicom forgets the socket without closing it."""
    monkeypatch.setattr(AssociationSocket, "_shutdown_socket", lambda _: None)
    monkeypatch.setattr(server, "NEGOTIATION_S", 5.0)
    with running_listener(tmp_path) as one:
        before = open_sockets()
        with associated(one) as association:
            assert association.send_c_echo().Status == 0
        assert all_closed(one, before)


def test_a_peer_that_is_cut_off_sees_its_end(tmp_path: Path) -> None:
    with running_listener(tmp_path) as one:
        before = open_sockets()
        with associated(one) as association:
            unknown = b"\x00\x00\x00\x06\x01\x03\xff\xff\xff\xff"
            assert association.dul.socket is not None
            association.dul.socket.send(b"\x04\x00" + len(unknown).to_bytes(4, "big") + unknown)
            association.join(WAIT_S)
            assert association.is_aborted
        assert all_closed(one, before)


@pytest.mark.parametrize("part", ["_read_pdu_data", "_process_recv_primitive"])
def test_an_error_of_the_upper_layer(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise ValueError("cannot be read")

    with running_listener(tmp_path) as one:
        before, others = open_sockets(), set(threading.enumerate())
        with associated(one) as association:
            began = set(threading.enumerate()) - others
            [theirs] = [thread for thread in began if "AcceptorThread" in thread.name]
            monkeypatch.setattr(theirs.dul, part, fail)  # type: ignore[attr-defined]
            association.send_c_echo()
            association.join(WAIT_S)
            assert association.is_aborted
        assert all_closed(one, before)


def test_more_peers_than_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "NEGOTIATION_S", NEGOTIATION_S)
    with running_listener(tmp_path, listen_associations=1) as one, ExitStack() as stack:
        before = open_sockets()
        connections = [stack.enter_context(connected(one)) for _ in range(6)]
        assert all(is_ended(connection) for connection in connections)
        stack.close()
        assert all_closed(one, before)


@pytest.mark.parametrize("end", [reset, socket.socket.close, stays])
@pytest.mark.parametrize("part", [0, 3, 0.5, 1.0])
def test_within_a_handshake(
    part: float, end: Ending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "NEGOTIATION_S", NEGOTIATION_S)
    monkeypatch.setattr(server, "SILENCE_S", NEGOTIATION_S)
    ours = certificate(tmp_path, "localhost")
    hello = client_hello()
    with running_listener(tmp_path / "home", listen_cert=str(ours)) as one:
        before = open_sockets()
        with connected(one) as connection:
            connection.sendall(hello[: int(part * len(hello)) if isinstance(part, float) else part])
            end(connection)
        assert all_closed(one, before)


def client_hello() -> bytes:
    """Return the first message of a client of TLS."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()
