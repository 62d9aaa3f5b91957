"""A real syslog receiver on 127.0.0.1: datagrams, or a stream, plain or within TLS."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.provider import ec_key

PATIENCE_S = 20.0
_HEADER = re.compile(rb"<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) - (.*)", re.DOTALL)


class Received(NamedTuple):
    """A message: the parts of its header (RFC 5424), and the XML."""

    priority: int
    time: str
    host: str
    application: str
    process: str
    kind: str
    message: Element


class Receiver:
    """What was received, parsed strictly."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._messages: Queue[bytes] = Queue()
        self.open: list[socket.socket] = []

    def put(self, message: bytes) -> None:
        self._messages.put(message)

    def next(self) -> Received:
        """Return the next message; raises queue.Empty where none comes."""
        return parsed(self._messages.get(timeout=PATIENCE_S))

    def hang_up(self) -> None:
        """End all connections."""
        while self.open:
            with suppress(OSError):  # the other one was first
                self.open.pop().shutdown(socket.SHUT_RDWR)


def parsed(message: bytes) -> Received:
    found = _HEADER.fullmatch(message)
    assert found is not None, message[:200]
    priority, *words = (part.decode("ascii") for part in found.groups()[:-1])
    return Received(int(priority), *words, fromstring(found[7]))  # type: ignore[arg-type]


@contextmanager
def datagrams() -> Iterator[Receiver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        receiver = Receiver(bound.getsockname()[1])
        ended = threading.Event()

        def read() -> None:
            while not ended.is_set():
                receiver.put(bound.recv(1 << 16))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
                waking.sendto(b"", ("127.0.0.1", receiver.port))
            thread.join()


@contextmanager
def stream(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Receive messages by their lengths, from one connection after the other."""
    with socket.create_server(("127.0.0.1", port)) as server:
        receiver = Receiver(server.getsockname()[1])
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    accepted, _ = server.accept()
                    with accepted if context is None else wrapped(context, accepted) as connection:
                        receiver.open.append(connection)
                        read(connection)
                except OSError:  # the other one hung up, or believes no certificate
                    continue

        def wrapped(context: ssl.SSLContext, accepted: socket.socket) -> ssl.SSLSocket:
            try:
                return context.wrap_socket(accepted, server_side=True)
            except OSError:
                accepted.close()
                raise

        def read(connection: socket.socket) -> None:
            with connection.makefile("rb") as lines:
                while length := b"".join(iter(lambda: lines.read(1).strip(), b"")):
                    receiver.put(lines.read(int(length)))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            ended.set()
            receiver.hang_up()
            socket.create_connection(("127.0.0.1", receiver.port)).close()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return what a server on 127.0.0.1 proves itself with, and the file that makes it trusted."""
    key, name = ec_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "trusted.pem", folder / "private.pem"
    trusted.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted
