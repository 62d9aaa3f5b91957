"""The server around pynetdicom's: who may connect, how many at a time, and how large a message may be."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from io import BytesIO
from ipaddress import IPv6Address, ip_address
from socketserver import BaseServer, ThreadingMixIn
from typing import Any

from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from hmar.config import Networks, Settings
from hmar.errors import ConfigError, LimitError
from hmar.listener.contexts import contexts
from hmar.listener.objects import Objects

MAX_PDU_BYTES = 128 << 10
"""What peers are told to send at most at a time."""
MOST_BYTES = 1 << 20
"""A message of more than this is not read: requests for an association have some kilobytes.

Nor is anything but an object, in however many pieces it comes: all else is gathered in memory.
"""
MOST_WAITING = 16
"""With more requests that wait for an answer an association is ended: one at a time is what is negotiated."""
SILENCE_S = 60.0
"""An association in which nothing comes is ended after this."""
NEGOTIATION_S = 15.0
_log = logging.getLogger(__name__)


class _Handler(RequestHandler):
    """Serves one connection to its end, and bounds what it may have in memory."""

    _association: Association

    def handle(self) -> None:
        """Serve an association, and return when neither of its threads uses the connection any more."""
        super().handle()
        self._association.join()
        provider = self._association.dul
        provider.kill_dul()
        with suppress(OSError):  # wakes a thread that still reads
            self.request.shutdown(socket.SHUT_RDWR)
        if provider.is_alive():
            provider.join()

    def _create_association(self) -> Association:
        association = self._association = super()._create_association()
        connection = association.dul.socket
        if connection is None:
            raise OSError("the connection is gone")
        read = connection.recv

        def bounded(nr_bytes: int) -> bytearray:
            if nr_bytes > MOST_BYTES:
                raise OSError(f"a message of {nr_bytes} bytes is not read")
            return read(nr_bytes)

        connection.recv = bounded  # type: ignore[method-assign]
        _bound_messages(association)
        return association


def _bound_messages(association: Association) -> None:
    """End an association whose peer sends what cannot be read, or goes on and on."""
    dimse = association.dimse
    receive = dimse.receive_primitive

    def received(primitive: P_DATA) -> None:
        try:
            receive(primitive)
            _check_bounds(dimse)
        except Exception as error:
            # Uncaught, it would end a thread, with a trace on stderr that may quote what came.
            _log.warning(
                "an association is ended: its peer sends what is not read (%s)", type(error).__name__
            )
            association.dul.kill_dul()

    dimse.receive_primitive = received  # type: ignore[method-assign]


def _check_bounds(dimse: DIMSEServiceProvider) -> None:
    if dimse.msg_queue.qsize() > MOST_WAITING:
        raise LimitError(f"More than {MOST_WAITING} requests wait.", "Wait for each answer.")
    message = dimse.message
    if message is not None and message.encoded_command_set.tell() + _held_bytes(message) > MOST_BYTES:
        raise LimitError(f"A message of more than {MOST_BYTES} bytes is not read.", "Send an object.")


def _held_bytes(message: DIMSEMessage) -> int:
    """Return what is in memory of a data set; an object's goes to its file."""
    return message.data_set.tell() if isinstance(message.data_set, BytesIO) else 0


class _Secured(ssl.SSLSocket):
    """A connection under TLS. One whose peer is gone before it begins is closed; ssl leaves it open."""

    def getpeername(self) -> Any:
        """Return the peer's address; ssl asks for it at the beginning."""
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise


class Server(ThreadedAssociationServer):
    """Takes connections of known peers, and leaves the rest unread."""

    peers: Networks = ()
    connections = 1
    daemon_threads = True
    # pynetdicom's own closes a connection only where it fails at its start. It leaves one open, until garbage
    # is collected, whose peer is gone: shutdown() fails, and close() after it is left out.
    process_request_thread = ThreadingMixIn.process_request_thread

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection; raises OSError, and ends it, for a peer that is not known."""
        if self.socket is None:
            raise OSError("the server is closed")
        connection, address = self.socket.accept()
        if not self._is_welcome(address[0]):
            connection.close()
            raise OSError("a connection was refused")
        # Also of who stops within a message.
        connection.settimeout(SILENCE_S)
        if self.ssl_context is not None:
            # The handshake comes with the first bytes, in a thread of its own.
            connection = self.ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def _is_welcome(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not any(address in network for network in self.peers):
            _log.warning("a peer that HMAR_LISTEN_PEERS does not name was refused: %s", address)
            return False
        if len(self.active_associations) >= self.connections:
            _log.warning("a connection was refused: %d are open", self.connections)
            return False
        return True

    def shutdown(self) -> None:
        """Take no more connections; those that are open go on."""
        BaseServer.shutdown(self)
        self.server_close()

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Tell that a connection failed; of what came nothing is told."""
        _log.warning("a connection failed before its association")


def listening(settings: Settings, objects: Objects) -> Server:
    """Return a server that listens already; ``serve_forever()`` serves.

    Raises
    ------
    ConfigError
        If the port cannot be opened, or the certificates cannot be read.
    """
    # The vendor's own lines quote what comes, names of patients too.
    vendor = logging.getLogger("pynetdicom")
    vendor.propagate = False
    vendor.handlers = [logging.NullHandler()]
    _config.LOG_HANDLER_LEVEL = "none"
    _config.STORE_RECV_CHUNKED_DATASET = True
    objects.install()
    entity = AE(settings.listen_ae)
    entity.require_called_aet = True
    entity.require_calling_aet = list(settings.listen_calling_titles)
    entity.maximum_associations = settings.listen_associations
    entity.maximum_pdu_size = MAX_PDU_BYTES
    entity.acse_timeout, entity.network_timeout, entity.dimse_timeout = NEGOTIATION_S, SILENCE_S, SILENCE_S
    try:
        server = entity.make_server(
            (settings.listen_host, settings.listen_port),
            contexts=contexts(),
            ssl_context=_tls(settings),
            evt_handlers=_handlers(objects),
            server_class=Server,
            request_handler=_Handler,
        )
    except OSError as error:
        raise ConfigError(
            f"Port {settings.listen_port} of {settings.listen_host} cannot be opened ({error.strerror}).",
            "Stop what uses it, or choose another with HMAR_LISTEN_PORT.",
        ) from error
    if not isinstance(server, Server):
        raise TypeError("pynetdicom made a server of another class")
    server.peers = settings.listen_networks
    # Above the bound an association is refused by its own words; far above it nothing is said.
    server.connections = 2 * settings.listen_associations + 1
    return server


def _handlers(objects: Objects) -> list[evt.EventHandlerType]:
    def store(event: Event) -> int:
        return objects.keep(event.dataset_path)

    def accepted(event: Event) -> None:
        _log.info("association of %s", _peer(event))

    def refused(event: Event) -> None:
        _log.warning("an association was refused: %s", _peer(event))

    return [
        (evt.EVT_C_ECHO, lambda _event: 0x0000),
        (evt.EVT_C_STORE, store),
        (evt.EVT_ACCEPTED, accepted),
        (evt.EVT_REJECTED, refused),
    ]


def _peer(event: Event) -> str:
    requestor = event.assoc.requestor
    return f"{requestor.ae_title.strip()!a} at {requestor.address}"


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.listen_cert:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.listen_ca or None)
        context.load_cert_chain(settings.listen_cert, settings.listen_key or None, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "The certificate of the listener cannot be read.",
            "Give files in PEM, the key without a password: HMAR_LISTEN_CERT, HMAR_LISTEN_KEY, "
            "HMAR_LISTEN_CA.",
        ) from error
    if settings.listen_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    context.sslsocket_class = _Secured
    return context
